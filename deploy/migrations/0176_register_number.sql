-- A doctor can get another register number (R-ACC-13). One officer proposes it, another one confirms it,
-- as with two records that become one. The former number stays as a closed record that is merged into
-- the doctor: so it leads to him wherever a number is looked for, and nobody else can get it.

SET LOCAL ROLE mamis_owner;

ALTER TABLE registration.merge ALTER COLUMN closed_id DROP NOT NULL,
    ADD COLUMN old_no text,
    ADD COLUMN new_no text CHECK (new_no ~ '^[1-9][0-9]{0,6}$'),
    ADD COLUMN new_licensed_on date,
    ADD CONSTRAINT merge_or_number CHECK ((closed_id IS NULL) = (new_no IS NOT NULL)
                                          AND (old_no IS NULL) = (new_no IS NULL));
COMMENT ON COLUMN registration.merge.new_no IS 'another register number for kept_id; NULL: a merge';

-- Numbers that a doctor had, and until when. Append-only.
CREATE TABLE registration.number_history (
    doctor_id   bigint NOT NULL REFERENCES registration.doctor,
    version     bigint NOT NULL, -- of the doctor, with that number
    register_no text NOT NULL,
    licensed_on date,
    until       timestamptz NOT NULL,
    merge_id    uuid NOT NULL REFERENCES registration.merge, -- who proposed and who confirmed it
    PRIMARY KEY (doctor_id, version)
);
GRANT SELECT, INSERT ON registration.number_history TO mamis_registration;
GRANT SELECT ON registration.number_history TO mamis_operator;

RESET ROLE;

SELECT mamis.chain_table('registration', 'number_history');

CREATE OR REPLACE VIEW portal.merge AS
SELECT m.merge_id, m.kept_id, m.closed_id, m.state, m.proposed_at, m.proposed_by,
       (SELECT a.account_id FROM registration.account a WHERE a.doctor_id = m.closed_id)
           AS closed_account_id,
       portal.merge_pair(m.kept_id, m.closed_id) || jsonb_build_object(
           'merge_id', m.merge_id, 'state', m.state, 'reason', m.reason,
           'proposed_at', portal.rfc3339(m.proposed_at),
           'proposed_by', coalesce(portal.merge_officer(m.proposed_by), ''),
           'mine', m.proposed_by::text = coalesce(nullif(current_setting('app.reader', true), '')
                                                  ::jsonb ->> 'actor', ''),
           'expires_at', portal.rfc3339(m.expires_at),
           'decided_at', portal.rfc3339(m.decided_at),
           'decided_by', portal.merge_officer(m.decided_by),
           'decided_reason', m.decided_reason,
           'renumber', CASE WHEN m.new_no IS NOT NULL THEN jsonb_build_object(
               'from', m.old_no, 'to', m.new_no, 'licensed_on', m.new_licensed_on) END) AS item
FROM registration.merge m WHERE (SELECT portal.reach_all('merge_read'));

-- The register number of the doctor to whom that of a closed record leads.
CREATE FUNCTION portal.number_now(number text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT k.register_no FROM registration.doctor d
    JOIN registration.doctor k ON k.doctor_id = d.merged_into WHERE d.register_no = number
$$;
ALTER FUNCTION portal.number_now(text) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.number_now(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.number_now(text) TO mamis_gateway;

-- As in 0173, and by former numbers too.
CREATE OR REPLACE FUNCTION portal.member_list(on_day date, q text, after bigint, most int)
    RETURNS TABLE (membership_id bigint, item json) LANGUAGE sql STABLE AS $$
    SELECT m.membership_id, m.item
    FROM portal.member m
    WHERE (m.member_from IS NULL OR m.member_from <= on_day)
      AND (m.valid_to IS NULL OR m.valid_to >= on_day)
      AND m.membership_id > after
      AND (q IS NULL OR m.name ~* (SELECT mamis.search_pattern(q))
           OR m.name_kana ~* (SELECT mamis.search_pattern(q))
           OR m.register_no = (SELECT ltrim(mamis.search_text(q), '0'))
           OR m.register_no = (SELECT portal.number_now(ltrim(mamis.search_text(q), '0')))
           OR m.mamis_no = (SELECT mamis.search_text(q)))
    ORDER BY m.membership_id
    LIMIT most
$$;
