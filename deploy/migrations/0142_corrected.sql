-- An office that accepts a request for correction says what is right, and that is written down: the
-- answer keeps what was there before. Names of fields as in registration.procedure.

ALTER TABLE registration.correction
    ADD COLUMN corrected jsonb, -- {field: what it is now}; NULL: nothing is changed by the answer
    ADD COLUMN before jsonb,    -- {field: what it was}, of the same fields
    ADD CHECK ((corrected IS NULL) = (before IS NULL)),
    ADD CHECK (corrected IS NULL OR state = 'done');

CREATE OR REPLACE VIEW portal.correction AS
SELECT c.correction_id, c.doctor_id, c.l2_code, c.state, c.asked_at,
       CASE WHEN (SELECT portal.scope_id('doctor')) IS NULL
            THEN shown.item || jsonb_build_object('doctor', portal.correction_doctor(c.doctor_id))
            ELSE shown.item END AS item
FROM registration.correction c, LATERAL (SELECT jsonb_build_object(
    'correction_id', c.correction_id, 'field', c.field, 'text', c.text, 'state', c.state,
    'asked_at', portal.rfc3339(c.asked_at), 'answer', c.answer,
    'answered_at', portal.rfc3339(c.answered_at), 'answered_by', c.answered_role,
    'changes', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'field', f.key, 'before', c.before ->> f.key, 'after', f.value)
                    ORDER BY f.key), '[]') FROM jsonb_each_text(c.corrected) AS f)) AS item) AS shown;
