-- First login complete: steps that time out, addresses that may be shared, certification data that is
-- linked up to a month after My Page (R-ACC-08, 09, 18).

-- Since when the present step of first login waits; NULL: it waits for nobody.
ALTER TABLE registration.account ADD step_at timestamptz;
-- An address, in lower case, that the call centre let this account share with somebody else.
ALTER TABLE registration.account ADD shared_email text NOT NULL DEFAULT '';
UPDATE registration.account SET step_at = changed_at WHERE step IN ('email', 'email_confirm');
CREATE INDEX account_waits ON registration.account (step_at) WHERE step_at IS NOT NULL;

-- Who has certification data: what has to be linked before My Page shows it.
CREATE TABLE registration.certification (
    doctor_id bigint NOT NULL,
    programme text NOT NULL,
    version   bigint NOT NULL,
    PRIMARY KEY (doctor_id, programme)
);
ALTER TABLE registration.certification OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON registration.certification TO mamis_registration, mamis_operator;
INSERT INTO registration.certification (doctor_id, programme, version)
SELECT doctor_id, programme, version FROM renewal.certificate;

-- One row a thing that is done once a day.
CREATE TABLE registration.daily (
    name text NOT NULL,
    day  date NOT NULL,
    PRIMARY KEY (name, day)
);
ALTER TABLE registration.daily OWNER TO mamis_owner;
GRANT SELECT, INSERT ON registration.daily TO mamis_registration;

-- Who waits for the link: few at any time.
CREATE INDEX doctor_link_pending ON registration.doctor (my_page_at) WHERE my_page = 'link_pending';

-- Who did it and why stands with the line, where it was not the person.
CREATE FUNCTION registration.note_change(account uuid, version bigint, at timestamptz, action text,
                                         detail jsonb)
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO registration.account_history (account_id, version, at, action, detail)
    VALUES (account, version, at, action, detail)
$$;
ALTER FUNCTION registration.note_change(uuid, bigint, timestamptz, text, jsonb) OWNER TO mamis_owner;

-- The day by which certification data has to be linked: a month after My Page was completed.
CREATE FUNCTION registration.link_due(my_page_at timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$
    SELECT ((my_page_at AT TIME ZONE '+09:00'::interval)::date + interval '1 month')::date
$$;
ALTER FUNCTION registration.link_due(timestamptz) OWNER TO mamis_owner;
GRANT EXECUTE ON FUNCTION registration.link_due(timestamptz)
    TO mamis_registration, mamis_portal, mamis_gateway;

-- portal.link_pending: rows only in the scope of the national association.
CREATE VIEW portal.link_pending AS
SELECT a.account_id, d.doctor_id, d.register_no, d.mamis_no, d.name, d.name_kana, d.my_page_at,
       registration.link_due(d.my_page_at) AS due_on,
       EXISTS (SELECT FROM registration.certification c WHERE c.doctor_id = d.doctor_id) AS has_data
FROM registration.doctor d JOIN registration.account a USING (doctor_id)
WHERE d.my_page = 'link_pending' AND (SELECT portal.scope_is('l3', 'auditor'));
ALTER VIEW portal.link_pending OWNER TO mamis_owner;
GRANT SELECT ON portal.link_pending TO mamis_gateway;

CREATE OR REPLACE VIEW portal.profile AS
SELECT d.doctor_id, json_build_object(
    'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name, 'name_kana', d.name_kana,
    'former_name', d.former_name, 'former_name_kana', d.former_name_kana, 'sex', d.sex,
    -- Asked, not shown, until first login is over: it is the half of the secret that no postcard has.
    'birth_on', CASE WHEN a.step = '' THEN d.birth_on END, 'workplace_name', d.workplace_name,
    'workplace_postcode', d.workplace_postcode, 'workplace_address', d.workplace_address,
    'phone', d.phone, 'email', a.email, 'pending_email', nullif(a.pending_email, ''),
    'l1_code', d.l1_code, 'l2_code', d.l2_code, 'l3_category', d.l3_category,
    'status', d.my_page,
    'link_due_on', CASE WHEN d.my_page = 'link_pending' THEN registration.link_due(d.my_page_at) END)
    AS json
FROM registration.doctor d JOIN registration.account a USING (doctor_id);
