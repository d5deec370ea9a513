-- A doctor's entries first, then the session of each. When there are few sessions and many entries,
-- the planner would rather look for each session there ever was whether the doctor was in it:
-- OFFSET 0 does not leave it the choice.
CREATE OR REPLACE VIEW portal.credit AS
SELECT l.doctor_id, portal.entry_id(l.doctor_id, l.session_id, l.programme, l.revision) AS entry_id,
       l.session_id, s.seminar_no, s.seminar_title, s.session_no, s.session_title,
       l.held_on, l.programme, l.kind, l.half_units, s.delivery, l.posted_at, l.revision,
       CASE WHEN EXISTS (SELECT FROM credit.ledger c
                         WHERE c.doctor_id = l.doctor_id AND c.session_id = l.session_id
                           AND c.programme = l.programme AND c.revision = l.revision + 1)
            THEN 'cancelled' ELSE 'posted' END AS status
FROM credit.ledger l
CROSS JOIN LATERAL (SELECT x.seminar_no, m.title AS seminar_title, x.session_no,
                           x.title AS session_title, x.delivery
                    FROM credit.session x JOIN credit.seminar m USING (seminar_no)
                    WHERE x.session_id = l.session_id OFFSET 0) AS s
WHERE l.revision % 2 = 0;

-- As the workers: nothing the gateway asks is worth compiling.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE mamis_gateway IN DATABASE %I SET jit = off', current_database());
END $$;
