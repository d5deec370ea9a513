-- Who looked at a sign-up, or at the copy of a licence that came with it: whoever signs up is a person
-- whose data is read, too, and is no doctor on record yet. As gateway.read_audit (0061): one row a
-- read, in its transaction, append-only, chained. A sign-up's id becomes the account's.

CREATE TABLE gateway.signup_read (
    read_id    bigint PRIMARY KEY DEFAULT nextval('gateway.read_audit_read_id_seq'),
    at         timestamptz NOT NULL, -- business time
    actor      uuid NOT NULL,
    actor_role text NOT NULL,
    actor_code text NOT NULL,
    action     text NOT NULL,
    operation  text NOT NULL,
    request_id text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    signups    uuid[] NOT NULL CHECK (signups <> '{}')
);
ALTER TABLE gateway.signup_read OWNER TO mamis_owner;
CREATE INDEX signup_read_at ON gateway.signup_read (at, read_id);
CREATE INDEX signup_read_signups ON gateway.signup_read USING gin (signups);
GRANT USAGE ON SEQUENCE gateway.read_audit_read_id_seq TO mamis_gateway;
GRANT INSERT ON gateway.signup_read TO mamis_gateway;
GRANT SELECT ON gateway.signup_read TO mamis_portal, mamis_operator;
ALTER TABLE gateway.signup_read ENABLE ROW LEVEL SECURITY;
CREATE POLICY signup_read_note ON gateway.signup_read FOR INSERT TO mamis_gateway WITH CHECK (true);
CREATE POLICY signup_read_all ON gateway.signup_read FOR SELECT TO mamis_portal
    USING ((SELECT portal.reach_all('read_log_read')));
SELECT mamis.chain_table('gateway', 'signup_read');

-- Notes that these sign-ups were shown; as portal.note_read().
CREATE FUNCTION portal.note_signup_read(signups uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    reader jsonb := nullif(current_setting('app.reader', true), '')::jsonb;
BEGIN
    IF reader IS NULL OR coalesce(cardinality(signups), 0) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO gateway.signup_read (at, actor, actor_role, actor_code, action, operation,
                                     request_id, reason, signups)
    VALUES ('epoch'::timestamptz + (reader ->> 'at_us')::bigint * interval '1 microsecond',
            (reader ->> 'actor')::uuid, reader ->> 'role', reader ->> 'code', reader ->> 'action',
            reader ->> 'operation', reader ->> 'request_id', reader ->> 'reason', signups);
END $$;
REVOKE EXECUTE ON FUNCTION portal.note_signup_read(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.note_signup_read(uuid[]) TO mamis_gateway;

-- As before, and who looked at the sign-up that the doctor's account came of, or at files in which the
-- doctor stands in a row that gave no credit (waiting, absent, refused).
CREATE OR REPLACE FUNCTION portal.my_reads(before bigint, most bigint)
    RETURNS TABLE (read_id bigint, at timestamptz, action text, role text, office_name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT r.read_id, r.at, r.action, r.actor_role, portal.office_name(r.actor_role, r.actor_code)
    FROM (SELECT a.read_id, a.at, a.action, a.actor_role, a.actor_code FROM gateway.read_audit a
          WHERE a.read_id IN (
              SELECT d.read_id FROM gateway.read_audit d
              WHERE d.doctors @> ARRAY[portal.reach_own('read_log_own')]
              UNION
              SELECT u.read_id FROM gateway.read_audit u
              WHERE u.upload_no IN (SELECT l.upload_no FROM credit.ledger l
                                    WHERE l.doctor_id = portal.reach_own('read_log_own')
                                    UNION
                                    SELECT w.upload_no FROM credit.upload_row w
                                    WHERE w.doctor_id = portal.reach_own('read_log_own')))
          UNION ALL
          SELECT s.read_id, s.at, s.action, s.actor_role, s.actor_code
          FROM registration.account o JOIN gateway.signup_read s
              ON s.signups @> ARRAY[o.account_id]
          WHERE o.doctor_id = portal.reach_own('read_log_own')) AS r
    WHERE before IS NULL OR r.read_id < before
    ORDER BY r.read_id DESC LIMIT most
$$;

-- Doctors whom sign-ups became, for those who may see the row.
CREATE FUNCTION portal.doctors_of_signups(signups uuid[]) RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT coalesce(array_agg(a.doctor_id ORDER BY a.doctor_id), '{}')
    FROM registration.account a WHERE a.account_id = ANY (signups) AND a.doctor_id IS NOT NULL
$$;
ALTER FUNCTION portal.doctors_of_signups(uuid[]) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.doctors_of_signups(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.doctors_of_signups(uuid[]) TO mamis_gateway, mamis_portal;

-- Both kinds of reads. Each branch is a plain scan, so that the indexes on the time serve it.
CREATE OR REPLACE VIEW portal.read_log AS
SELECT r.read_id, r.at, r.actor, r.actor_role, r.actor_code, r.action, r.operation, r.request_id,
       r.reason, r.doctors,
       (SELECT u.upload_id FROM credit.upload u WHERE u.upload_no = r.upload_no) AS upload_id,
       cardinality(r.doctors) AS persons
FROM gateway.read_audit r
UNION ALL
SELECT s.read_id, s.at, s.actor, s.actor_role, s.actor_code, s.action, s.operation, s.request_id,
       s.reason, portal.doctors_of_signups(s.signups), NULL, cardinality(s.signups)
FROM gateway.signup_read s;

-- Who planned, moved and ended maintenance is a history like the others.
SELECT mamis.chain_table('registration', 'maintenance_history');
