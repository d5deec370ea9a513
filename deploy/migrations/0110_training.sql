-- The end of clinical training, when members of category A2(C) and C choose what follows (R-MEM-08):
-- who was reminded, and who is not to be reminded because the training was interrupted.
--
-- In a transaction whose app.scope is 'doctor:<doctor_id>':
--   portal.my_training(at)   answer of GET /me/training; JSON, never NULL

SET LOCAL ROLE mamis_owner;

-- NULL: nobody said so.
ALTER TABLE registration.doctor ADD COLUMN training_ends_on date;
CREATE INDEX doctor_training ON registration.doctor (doctor_id)
    WHERE l3_category IN ('A2C', 'C');

-- Last day of training. When nobody said so: training takes two years, and begins on the 1 April
-- that follows the registration or came up to two months before it.
CREATE FUNCTION registration.training_end(said date, licensed_on date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT coalesce(said, (date_trunc('year', licensed_on + interval '19 months')
                           + interval '1 year 3 months')::date - 1)
$$;

-- The category that follows; NULL: no trainee.
CREATE FUNCTION registration.training_after(category text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT CASE category WHEN 'A2C' THEN 'A2B' WHEN 'C' THEN 'B' END
$$;

-- Reminders that were sent: 1 in February, 2 in March of the last year.
CREATE TABLE registration.training_notice (
    doctor_id bigint NOT NULL REFERENCES registration.doctor,
    ends_on   date NOT NULL,
    notice    smallint NOT NULL CHECK (notice IN (1, 2)),
    at        timestamptz NOT NULL,
    PRIMARY KEY (doctor_id, ends_on, notice)
);

-- Reminders that are not to be sent, who said so and why. Append-only.
CREATE TABLE registration.training_waiver (
    doctor_id  bigint NOT NULL REFERENCES registration.doctor,
    ends_on    date NOT NULL, -- the end that was expected when it was said
    at         timestamptz NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    new_end_on date, -- the end that is expected instead
    actor_role text NOT NULL,
    actor_id   uuid NOT NULL,
    PRIMARY KEY (doctor_id, ends_on, at)
);

GRANT SELECT, INSERT ON registration.training_notice, registration.training_waiver
    TO mamis_registration;
GRANT SELECT ON registration.training_notice, registration.training_waiver TO mamis_operator;
GRANT SELECT ON registration.training_waiver TO mamis_portal;
RESET ROLE;

ALTER TABLE registration.training_waiver ENABLE ROW LEVEL SECURITY;
CREATE POLICY training_waiver_self ON registration.training_waiver FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.reach_own('procedure_read_own')));

CREATE VIEW portal.training AS
SELECT d.doctor_id, d.l3_category AS category,
       registration.training_after(d.l3_category) AS category_after, e.ends_on,
       d.training_ends_on IS NOT NULL AS ends_known,
       -- 1 April after the last day
       (date_trunc('year', e.ends_on - interval '3 months') + interval '1 year 3 months')::date
           AS effective_on,
       w.at AS dismissed_at, w.reason AS dismissed_reason
FROM registration.doctor d
CROSS JOIN LATERAL (SELECT registration.training_end(d.training_ends_on, d.licensed_on)) AS e (ends_on)
LEFT JOIN LATERAL (SELECT t.at, t.reason FROM registration.training_waiver t
                   WHERE t.doctor_id = d.doctor_id AND t.ends_on = e.ends_on
                   ORDER BY t.at DESC LIMIT 1) AS w ON true
WHERE d.l3_category IN ('A2C', 'C');
ALTER VIEW portal.training OWNER TO mamis_portal;
GRANT SELECT ON portal.training TO mamis_gateway;

-- A change is filed up to six months ahead; after its day it holds from the day of filing.
CREATE FUNCTION portal.my_training(at timestamptz) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'category', t.category, 'category_after', t.category_after, 'ends_on', t.ends_on,
        'ends_known', coalesce(t.ends_known, false),
        'effective_on', CASE WHEN t.effective_on IS NOT NULL
                        THEN greatest(t.effective_on, portal.day(at)) END,
        'offered', coalesce(t.effective_on <= portal.day(at) + interval '6 months', false),
        'dismissed_at', portal.rfc3339(t.dismissed_at), 'dismissed_reason', t.dismissed_reason)
    FROM (VALUES (portal.scope_id('doctor'))) AS me (doctor_id)
    LEFT JOIN portal.training t USING (doctor_id)
$$;
GRANT EXECUTE ON FUNCTION portal.my_training(timestamptz) TO mamis_gateway, mamis_portal;
