-- Who looked at whom: each read of a person's data by staff is one row, written in the transaction
-- of the read. The gateway says in app.reader who reads and by which request; a query that shows
-- persons calls portal.note_read() with them. Append-only: nobody has UPDATE or DELETE.

CREATE TABLE gateway.read_audit (
    read_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,          -- business time
    actor      uuid NOT NULL,                 -- account, or token of an organiser's program
    actor_role text NOT NULL,
    actor_code text NOT NULL,                 -- of the organiser or association at that time
    action     text NOT NULL,                 -- of access.yaml
    operation  text NOT NULL,                 -- of openapi.yaml
    request_id text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    upload_no  bigint,                        -- everybody who stands in that file
    doctors    bigint[] NOT NULL DEFAULT '{}', -- and these
    CHECK (upload_no IS NOT NULL OR doctors <> '{}')
);
ALTER TABLE gateway.read_audit OWNER TO mamis_owner;
-- Who saw what from when to when; who saw this doctor; who saw this file.
CREATE INDEX read_audit_at ON gateway.read_audit (at, read_id);
CREATE INDEX read_audit_doctors ON gateway.read_audit USING gin (doctors);
CREATE INDEX read_audit_upload ON gateway.read_audit (upload_no) WHERE upload_no IS NOT NULL;

GRANT INSERT ON gateway.read_audit TO mamis_gateway;
GRANT SELECT ON gateway.read_audit TO mamis_portal, mamis_operator;
ALTER TABLE gateway.read_audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_audit_note ON gateway.read_audit FOR INSERT TO mamis_gateway WITH CHECK (true);
CREATE POLICY read_audit_office ON gateway.read_audit FOR SELECT TO mamis_portal
    USING ((SELECT portal.reach_all('read_log_read'))
           OR (actor_role = 'office_l2' AND actor_code = (SELECT portal.reach_code('l2', 'read_log_read'))));

-- Notes that these doctors were shown, or all of an upload. Nothing when nobody is named, or when
-- one reads what is one's own: then app.reader is not set.
CREATE FUNCTION portal.note_read(doctors bigint[], upload_no bigint DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    reader jsonb := nullif(current_setting('app.reader', true), '')::jsonb;
BEGIN
    IF reader IS NULL OR (coalesce(cardinality(doctors), 0) = 0 AND upload_no IS NULL) THEN
        RETURN;
    END IF;
    INSERT INTO gateway.read_audit (at, actor, actor_role, actor_code, action, operation, request_id,
                                    reason, upload_no, doctors)
    VALUES ('epoch'::timestamptz + (reader ->> 'at_us')::bigint * interval '1 microsecond',
            (reader ->> 'actor')::uuid, reader ->> 'role', reader ->> 'code', reader ->> 'action',
            reader ->> 'operation', reader ->> 'request_id', reader ->> 'reason', upload_no,
            coalesce(doctors, '{}'));
END $$;
REVOKE EXECUTE ON FUNCTION portal.note_read(bigint[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.note_read(bigint[], bigint) TO mamis_gateway;

-- A doctor's own: who looked. Found by the doctor, and by the files that the doctor stands in; not
-- through row security, which would look at every row. `before`: read_id of the last row shown.
CREATE FUNCTION portal.my_reads(before bigint, most bigint)
    RETURNS TABLE (read_id bigint, at timestamptz, action text, role text, office_name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT r.read_id, r.at, r.action, r.actor_role, portal.office_name(r.actor_role, r.actor_code)
    FROM gateway.read_audit r
    WHERE r.read_id IN (
        SELECT d.read_id FROM gateway.read_audit d
        WHERE d.doctors @> ARRAY[portal.reach_own('read_log_own')]
        UNION
        SELECT u.read_id FROM gateway.read_audit u
        WHERE u.upload_no IN (SELECT l.upload_no FROM credit.ledger l
                              WHERE l.doctor_id = portal.reach_own('read_log_own')))
      AND (before IS NULL OR r.read_id < before)
    ORDER BY r.read_id DESC LIMIT most
$$;
ALTER FUNCTION portal.my_reads(bigint, bigint) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.my_reads(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.my_reads(bigint, bigint) TO mamis_gateway;

-- MAMIS numbers of the doctors of one read, a few, for those who may see the row.
CREATE FUNCTION portal.numbers_of(wanted bigint[], most int) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT coalesce(jsonb_agg(d.mamis_no ORDER BY d.mamis_no), '[]')
    FROM registration.doctor d WHERE d.doctor_id = ANY (wanted[1:most]) AND d.mamis_no IS NOT NULL
$$;
ALTER FUNCTION portal.numbers_of(bigint[], int) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.numbers_of(bigint[], int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.numbers_of(bigint[], int) TO mamis_gateway, mamis_portal;

CREATE VIEW portal.read_log AS
SELECT r.read_id, r.at, r.actor, r.actor_role, r.actor_code, r.action, r.operation, r.request_id,
       r.reason, r.doctors, u.upload_id
FROM gateway.read_audit r LEFT JOIN credit.upload u USING (upload_no);
ALTER VIEW portal.read_log OWNER TO mamis_portal;
GRANT SELECT ON portal.read_log TO mamis_gateway;

-- The doctor of a MAMIS number, for those who may search the log by one.
CREATE FUNCTION portal.doctor_of_number(number text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT d.doctor_id FROM registration.doctor d
    WHERE d.mamis_no = number AND EXISTS (SELECT FROM portal.access a
        WHERE a.role = portal.scope_role() AND a.action = 'read_log_read')
$$;
ALTER FUNCTION portal.doctor_of_number(text) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.doctor_of_number(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.doctor_of_number(text) TO mamis_gateway;

-- Profiles of members, as far as their own associations see them (R-PRV-01, R-PRV-02). -------------

CREATE POLICY doctor_office ON registration.doctor FOR SELECT TO mamis_portal
    USING (l1_code = (SELECT portal.reach_code('l1', 'doctor_read'))
           OR l2_code = (SELECT portal.reach_code('l2', 'doctor_read'))
           OR (SELECT portal.reach_all('doctor_read')));

-- `outside`: not of the chain that the reader stands in; then a reason has to be told.
CREATE VIEW portal.doctor_profile AS
SELECT d.doctor_id, d.mamis_no,
       CASE portal.scope_role() WHEN 'auditor' THEN true WHEN 'office_l3' THEN d.l3_category = ''
            ELSE false END AS outside,
       json_build_object(
           'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name,
           'name_kana', d.name_kana, 'former_name', d.former_name,
           'former_name_kana', d.former_name_kana, 'sex', d.sex, 'birth_on', d.birth_on,
           'workplace_name', d.workplace_name, 'workplace_postcode', d.workplace_postcode,
           'workplace_address', d.workplace_address, 'phone', d.phone, 'email', d.email,
           'l1_code', d.l1_code, 'l2_code', d.l2_code, 'l3_category', d.l3_category,
           'status', d.my_page) AS json
FROM registration.doctor d
-- Said once more: who sees a doctor in a list or by a request does not see all of the profile.
WHERE d.l1_code = (SELECT portal.reach_code('l1', 'doctor_read'))
   OR d.l2_code = (SELECT portal.reach_code('l2', 'doctor_read'))
   OR (SELECT portal.reach_all('doctor_read'));
ALTER VIEW portal.doctor_profile OWNER TO mamis_portal;
GRANT SELECT ON portal.doctor_profile TO mamis_gateway;
