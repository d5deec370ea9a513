-- Where a doctor lives who has no workplace, as far as it says which prefecture looks after him (domain
-- 10, 62: L2 of residence, flagged). A workplace that is entered removes it.

ALTER TABLE registration.doctor
    ADD COLUMN residence_prefecture   text NOT NULL DEFAULT ''
        CHECK (residence_prefecture ~ '^([0-9]{2})?$'),
    ADD COLUMN residence_municipality text NOT NULL DEFAULT '',
    ADD CHECK ((residence_prefecture = '') = (residence_municipality = ''));

-- The flag: no member, and l2_code is where the doctor lives, who has no workplace.
CREATE FUNCTION registration.by_residence(d registration.doctor) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT d.l1_code = '' AND d.residence_prefecture <> '' AND d.residence_prefecture = d.l2_code
$$;
ALTER FUNCTION registration.by_residence(registration.doctor) OWNER TO mamis_owner;
GRANT EXECUTE ON FUNCTION registration.by_residence(registration.doctor)
    TO mamis_portal, mamis_gateway;

CREATE OR REPLACE VIEW portal.profile AS
SELECT d.doctor_id, json_build_object(
    'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name, 'name_kana', d.name_kana,
    'former_name', d.former_name, 'former_name_kana', d.former_name_kana, 'sex', d.sex,
    -- Asked, not shown, until first login is over: it is the half of the secret that no postcard has.
    'birth_on', CASE WHEN a.step = '' THEN d.birth_on END, 'workplace_name', d.workplace_name,
    'workplace_postcode', d.workplace_postcode, 'workplace_address', d.workplace_address,
    'residence_prefecture', d.residence_prefecture,
    'residence_municipality', d.residence_municipality, 'phone', d.phone, 'email', a.email,
    'pending_email', nullif(a.pending_email, ''),
    'l1_code', d.l1_code, 'l2_code', d.l2_code, 'l3_category', d.l3_category,
    'status', d.my_page,
    'link_due_on', CASE WHEN d.my_page = 'link_pending' THEN registration.link_due(d.my_page_at) END)
    AS json
FROM registration.doctor d JOIN registration.account a USING (doctor_id);

CREATE OR REPLACE VIEW portal.doctor_profile AS
SELECT d.doctor_id, d.mamis_no,
       CASE portal.scope_role() WHEN 'auditor' THEN true WHEN 'office_l3' THEN d.l3_category = ''
            ELSE false END AS outside,
       json_build_object(
           'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name,
           'name_kana', d.name_kana, 'former_name', d.former_name,
           'former_name_kana', d.former_name_kana, 'sex', d.sex, 'birth_on', d.birth_on,
           'workplace_name', d.workplace_name, 'workplace_postcode', d.workplace_postcode,
           'workplace_address', d.workplace_address,
           'residence_prefecture', d.residence_prefecture,
           'residence_municipality', d.residence_municipality, 'phone', d.phone, 'email', d.email,
           'l1_code', d.l1_code, 'l2_code', d.l2_code,
           'by_residence', registration.by_residence(d), 'l3_category', d.l3_category,
           'status', d.my_page) AS json
FROM registration.doctor d
-- Said once more: who sees a doctor in a list or by a request does not see all of the profile.
WHERE d.l1_code = (SELECT portal.reach_code('l1', 'doctor_read'))
   OR d.l2_code = (SELECT portal.reach_code('l2', 'doctor_read'))
   OR (SELECT portal.reach_all('doctor_read'));

CREATE OR REPLACE VIEW portal.application AS
SELECT a.application_id, a.doctor_id, a.l2_code, a.programme, a.status, a.cycle, a.submitted_at,
       a.version,
       json_build_object(
           'application_id', a.application_id, 'programme', a.programme, 'status', a.status,
           'cycle', a.cycle, 'submitted_at', portal.rfc3339(a.submitted_at),
           'handbook', a.handbook, 'fee', a.fee, 'fee_yen', a.fee_yen, 'eligible', a.eligible,
           'depends_on_declared', a.depends_on_declared, 'l2_code', a.l2_code,
           -- The doctor needs no word on who he is.
           'doctor', CASE WHEN (SELECT portal.scope_id('doctor')) IS NULL THEN json_build_object(
               'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name,
               'name_kana', d.name_kana,
               'by_residence', coalesce((SELECT registration.by_residence(r)
                                         FROM registration.doctor r
                                         WHERE r.doctor_id = a.doctor_id), false)) END,
           'certificate', json_build_object('number', a.number, 'valid_from', a.valid_from,
                                            'valid_to', a.valid_to),
           'total', json_build_object('needed_half_units', a.needed_half_units,
                                      'counted_half_units', a.counted_half_units),
           'return_reason', a.return_reason, 'return_until', a.return_until,
           'new_period', CASE WHEN a.new_from IS NOT NULL THEN json_build_object(
               'valid_from', a.new_from, 'valid_to', a.new_to) END) AS item,
       a.lines, a.missing,
       (SELECT coalesce(json_agg(json_build_object(
                   'entry_id', portal.entry_id(
                       a.doctor_id, k.session_id, a.programme,
                       (CASE WHEN e.stands THEN e.revision ELSE k.revision END)::smallint),
                   'seminar_no', n.seminar_no, 'seminar_title', n.seminar_title,
                   'session_no', n.session_no, 'held_on', n.held_on, 'kind', k.kind,
                   'half_units', k.half_units, 'delivery', n.delivery,
                   'counted_half_units', k.counted_half_units,
                   'not_counted_reason', k.not_counted_reason,
                   -- Taken back since the snapshot was taken: reviewers have to see it.
                   'status', CASE WHEN e.stands THEN 'posted' ELSE 'cancelled' END)
               ORDER BY n.held_on, n.session_id), '[]')
        FROM renewal.application_credit k JOIN renewal.session n USING (session_id)
        LEFT JOIN LATERAL (
            SELECT c.revision, c.revision % 2 = 0 AND c.kind = k.kind
                   AND c.half_units = k.half_units AS stands
            FROM renewal.credit c
            WHERE c.doctor_id = a.doctor_id AND c.session_id = k.session_id
              AND c.programme = a.programme
            ORDER BY c.revision DESC LIMIT 1) AS e ON true
        WHERE k.application_id = a.application_id) AS credits,
       (SELECT coalesce(json_agg(json_build_object(
                   'at', portal.rfc3339(h.at), 'action', h.action, 'actor_role', h.actor_role,
                   'reason', h.reason) ORDER BY h.version), '[]')
        FROM renewal.application_history h WHERE h.application_id = a.application_id) AS history
FROM renewal.application a LEFT JOIN renewal.doctor d USING (doctor_id);
