-- portal: what people may read of accounts, profiles, certificates, standing, handbooks,
-- applications, and the answers to commands.
--
-- Before there is a scope (sign-in, first login):
--   view portal.sign_in             one row an account; column names speak for themselves
--   view portal.terms               versions of the terms of use
--   view portal.operation           answers to commands that are done or failed; no row: pending
-- In a transaction whose app.scope is 'doctor:<doctor_id>' (answers of GET /me/...; JSON, never NULL):
--   portal.my_profile(), portal.my_handbook(), portal.my_applications(),
--   portal.my_standing(at), portal.my_certificates(at)         `at`: business time now
-- In any scope that may see the application (doctor, l2, l3, auditor):
--   portal.application_json(application_id)   the whole object, NULL when there is none to see
--   portal.application_list(status, before_time, before_id, most)
--       rows (submitted_at, application_id, item): newest first, summaries; status NULL: all;
--       before_time and before_id NULL: from the newest, else what follows that row

GRANT USAGE ON SCHEMA registration, renewal, gateway, notification TO mamis_portal;
GRANT SELECT ON registration.doctor, registration.account, registration.terms TO mamis_portal;
GRANT SELECT ON renewal.doctor, renewal.certificate, renewal.certificate_period, renewal.session,
    renewal.credit, renewal.handbook, renewal.standing, renewal.application,
    renewal.application_credit, renewal.application_history TO mamis_portal;
GRANT SELECT ON registration.operation, credit.operation, renewal.operation TO mamis_portal;

-- Doctors see what is theirs. ------------------------------------------------------------------

ALTER TABLE registration.doctor ENABLE ROW LEVEL SECURITY;
CREATE POLICY doctor_self ON registration.doctor FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE registration.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_self ON registration.account FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE renewal.certificate ENABLE ROW LEVEL SECURITY;
CREATE POLICY certificate_self ON renewal.certificate FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE renewal.certificate_period ENABLE ROW LEVEL SECURITY;
CREATE POLICY certificate_period_self ON renewal.certificate_period FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE renewal.handbook ENABLE ROW LEVEL SECURITY;
CREATE POLICY handbook_self ON renewal.handbook FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE renewal.standing ENABLE ROW LEVEL SECURITY;
CREATE POLICY standing_self ON renewal.standing FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));

-- An application is seen by its doctor, by the prefectural association it belongs to, by the
-- national association and by auditors; what hangs on it follows it.
ALTER TABLE renewal.application ENABLE ROW LEVEL SECURITY;
CREATE POLICY application_scope ON renewal.application FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR l2_code = (SELECT portal.scope_text('l2'))
           OR (SELECT portal.scope_is('l3', 'auditor')));
ALTER TABLE renewal.application_credit ENABLE ROW LEVEL SECURITY;
CREATE POLICY application_credit_scope ON renewal.application_credit FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM renewal.application a WHERE a.application_id = application_credit.application_id));
ALTER TABLE renewal.application_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY application_history_scope ON renewal.application_history FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM renewal.application a WHERE a.application_id = application_history.application_id));
ALTER TABLE renewal.doctor ENABLE ROW LEVEL SECURITY;
CREATE POLICY doctor_scope ON renewal.doctor FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR EXISTS (SELECT FROM renewal.application a WHERE a.doctor_id = doctor.doctor_id));
ALTER TABLE renewal.credit ENABLE ROW LEVEL SECURITY;
CREATE POLICY credit_scope ON renewal.credit FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR EXISTS (SELECT FROM renewal.application a WHERE a.doctor_id = credit.doctor_id));

-- Before there is a scope. ----------------------------------------------------------------------

-- Belongs to the tables' owner: signing in comes before any scope. Only the gateway may read it.
CREATE VIEW portal.sign_in AS
SELECT a.account_id, a.role, a.state, a.step, a.name, a.doctor_id, d.mamis_no, d.register_no,
       d.name_kana, d.my_page, a.organiser_code, a.l1_code, a.l2_code, a.email, a.email_confirmed,
       a.pending_email, a.version
FROM registration.account a LEFT JOIN registration.doctor d USING (doctor_id);
ALTER VIEW portal.sign_in OWNER TO mamis_owner;

CREATE VIEW portal.terms AS SELECT version, in_force_on, text FROM registration.terms;

CREATE VIEW portal.operation AS
SELECT operation_id, status, result, problem, done_at FROM registration.operation
UNION ALL
SELECT operation_id, status, result, problem, done_at FROM credit.operation
UNION ALL
SELECT operation_id, status, result, problem, done_at FROM renewal.operation;

-- A doctor's own pages. --------------------------------------------------------------------------

CREATE VIEW portal.profile AS
SELECT d.doctor_id, json_build_object(
    'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name, 'name_kana', d.name_kana,
    'former_name', d.former_name, 'former_name_kana', d.former_name_kana, 'sex', d.sex,
    -- Asked, not shown, until first login is over: it is the half of the secret that no postcard has.
    'birth_on', CASE WHEN a.step = '' THEN d.birth_on END, 'workplace_name', d.workplace_name,
    'workplace_postcode', d.workplace_postcode, 'workplace_address', d.workplace_address,
    'phone', d.phone, 'email', a.email, 'pending_email', nullif(a.pending_email, ''),
    'l1_code', d.l1_code, 'l2_code', d.l2_code, 'l3_category', d.l3_category,
    'status', d.my_page) AS json
FROM registration.doctor d JOIN registration.account a USING (doctor_id);

CREATE VIEW portal.certificate AS
SELECT c.doctor_id, c.programme, c.number, c.first_from, c.valid_from, c.valid_to, d.my_page,
       EXISTS (SELECT FROM renewal.application a
               WHERE a.doctor_id = c.doctor_id AND a.programme = c.programme
                 AND a.status IN ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued',
                                  'l3_review')) AS in_renewal,
       s.opens_on, s.closes_on,
       (SELECT json_agg(json_build_object('number', p.number, 'valid_from', p.valid_from,
                                          'valid_to', p.valid_to) ORDER BY p.valid_from DESC)
        FROM renewal.certificate_period p
        WHERE p.doctor_id = c.doctor_id AND p.programme = c.programme) AS periods
FROM renewal.certificate c
JOIN renewal.doctor d USING (doctor_id)
LEFT JOIN renewal.standing s USING (doctor_id, programme);

CREATE VIEW portal.handbook AS
SELECT doctor_id, programme, kind, declared_half_units, verified_half_units, last_on, declared_at,
       verified_at
FROM renewal.handbook;

CREATE VIEW portal.standing AS
SELECT s.doctor_id, s.programme, d.my_page, s.rule_set, c.number, c.valid_from, c.valid_to,
       s.needed_half_units, s.counted_half_units, s.eligible, s.depends_on_declared, s.opens_on,
       s.closes_on, s.lines, s.missing, s.as_of,
       (SELECT a.application_id FROM renewal.application a
        WHERE a.doctor_id = s.doctor_id AND a.programme = s.programme
          AND a.status IN ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued',
                           'l3_review')) AS open_application_id,
       (SELECT json_agg(json_build_object(
                   'entry_id', portal.entry_id(k.doctor_id, k.session_id, k.programme,
                                               k.revision::smallint),
                   'seminar_no', n.seminar_no, 'seminar_title', n.seminar_title,
                   'session_no', n.session_no, 'held_on', n.held_on, 'kind', k.kind,
                   'half_units', k.half_units, 'delivery', n.delivery,
                   'counted_half_units', (e.item ->> 2)::int, 'not_counted_reason', e.item ->> 3)
               ORDER BY n.held_on, n.session_id)
        FROM jsonb_array_elements(s.entries) AS e (item)
        JOIN renewal.credit k ON k.doctor_id = s.doctor_id AND k.programme = s.programme
                             AND k.session_id = (e.item ->> 0)::bigint
                             AND k.revision = (e.item ->> 1)::int
        JOIN renewal.session n ON n.session_id = k.session_id) AS credits
FROM renewal.standing s
JOIN renewal.certificate c USING (doctor_id, programme)
JOIN renewal.doctor d USING (doctor_id);

-- Applications. ------------------------------------------------------------------------------------

CREATE VIEW portal.application AS
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
               'name_kana', d.name_kana) END,
           'certificate', json_build_object('number', a.number, 'valid_from', a.valid_from,
                                            'valid_to', a.valid_to),
           'total', json_build_object('needed_half_units', a.needed_half_units,
                                      'counted_half_units', a.counted_half_units),
           'return_reason', a.return_reason, 'return_until', a.return_until,
           'new_period', CASE WHEN a.new_from IS NOT NULL THEN json_build_object(
               'valid_from', a.new_from, 'valid_to', a.new_to) END) AS item,
       a.lines, a.missing,
       (SELECT coalesce(json_agg(json_build_object(
                   'entry_id', portal.entry_id(a.doctor_id, k.session_id, a.programme,
                                               k.revision::smallint),
                   'seminar_no', n.seminar_no, 'seminar_title', n.seminar_title,
                   'session_no', n.session_no, 'held_on', n.held_on, 'kind', k.kind,
                   'half_units', k.half_units, 'delivery', n.delivery,
                   'counted_half_units', k.counted_half_units,
                   'not_counted_reason', k.not_counted_reason,
                   -- A counter-entry since the snapshot was taken: reviewers have to see it.
                   'status', CASE WHEN EXISTS (
                       SELECT FROM renewal.credit c
                       WHERE c.doctor_id = a.doctor_id AND c.session_id = k.session_id
                         AND c.programme = a.programme AND c.revision = k.revision + 1)
                       THEN 'cancelled' ELSE 'posted' END)
               ORDER BY n.held_on, n.session_id), '[]')
        FROM renewal.application_credit k JOIN renewal.session n USING (session_id)
        WHERE k.application_id = a.application_id) AS credits,
       (SELECT coalesce(json_agg(json_build_object(
                   'at', portal.rfc3339(h.at), 'action', h.action, 'actor_role', h.actor_role,
                   'reason', h.reason) ORDER BY h.version), '[]')
        FROM renewal.application_history h WHERE h.application_id = a.application_id) AS history
FROM renewal.application a LEFT JOIN renewal.doctor d USING (doctor_id);

ALTER VIEW portal.terms OWNER TO mamis_portal;
ALTER VIEW portal.operation OWNER TO mamis_portal;
ALTER VIEW portal.profile OWNER TO mamis_portal;
ALTER VIEW portal.certificate OWNER TO mamis_portal;
ALTER VIEW portal.handbook OWNER TO mamis_portal;
ALTER VIEW portal.standing OWNER TO mamis_portal;
ALTER VIEW portal.application OWNER TO mamis_portal;
GRANT SELECT ON portal.sign_in, portal.terms, portal.operation, portal.profile, portal.certificate,
    portal.handbook, portal.standing, portal.application TO mamis_gateway;

-- Whole answers. They run with the gateway's rights, over the views above. -------------------------

CREATE FUNCTION portal.day(at timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (at AT TIME ZONE '+09:00'::interval)::date $$;

CREATE FUNCTION portal.my_profile() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json FROM portal.profile WHERE doctor_id = portal.scope_id('doctor')
$$;

CREATE FUNCTION portal.my_handbook() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'programme', programme, 'lines', lines, 'declared_at', portal.rfc3339(declared_at),
        'verified_at', portal.rfc3339(verified_at)) ORDER BY programme), '[]'))
    FROM (SELECT programme, max(declared_at) AS declared_at, max(verified_at) AS verified_at,
                 json_agg(json_build_object('kind', kind, 'half_units', declared_half_units,
                                            'verified_half_units', verified_half_units,
                                            'last_on', last_on) ORDER BY kind) AS lines
          FROM portal.handbook WHERE doctor_id = portal.scope_id('doctor')
          GROUP BY programme) AS declared
$$;

-- status: valid, renewable, renewal_in_progress, pending_renewal, expired (domain 4.5). A doctor
-- whose certification data is not linked yet sees none of it (R-ACC-09).
CREATE FUNCTION portal.my_certificates(at timestamptz) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'programme', programme, 'number', number, 'first_from', first_from,
        'valid_from', valid_from, 'valid_to', valid_to,
        'status', CASE
            WHEN in_renewal AND valid_to >= portal.day(at) THEN 'renewal_in_progress'
            WHEN in_renewal THEN 'pending_renewal'
            WHEN valid_to < portal.day(at) THEN 'expired'
            WHEN opens_on <= portal.day(at) THEN 'renewable'
            ELSE 'valid' END,
        'periods', coalesce(periods, '[]')) ORDER BY programme), '[]'))
    FROM portal.certificate
    WHERE doctor_id = portal.scope_id('doctor') AND my_page <> 'link_pending'
$$;

-- why_not: application_open, window_not_open, window_closed, requirement_not_met.
CREATE FUNCTION portal.my_standing(at timestamptz) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'programme', programme, 'rule_set', rule_set,
        'certificate', json_build_object('number', number, 'valid_from', valid_from,
                                         'valid_to', valid_to),
        'needed_half_units', needed_half_units, 'counted_half_units', counted_half_units,
        'lines', lines, 'credits', coalesce(credits, '[]'), 'missing', missing,
        'eligible', eligible, 'depends_on_declared', depends_on_declared,
        'can_apply', why_not IS NULL, 'why_not', why_not,
        'opens_on', opens_on, 'closes_on', closes_on,
        'open_application_id', open_application_id,
        'as_of', portal.rfc3339(as_of)) ORDER BY programme), '[]'))
    FROM (SELECT *, CASE
              WHEN open_application_id IS NOT NULL THEN 'application_open'
              WHEN opens_on > portal.day(at) THEN 'window_not_open'
              WHEN closes_on < portal.day(at) THEN 'window_closed'
              WHEN NOT eligible THEN 'requirement_not_met' END AS why_not
          FROM portal.standing
          WHERE doctor_id = portal.scope_id('doctor') AND my_page <> 'link_pending') AS own
$$;

CREATE FUNCTION portal.my_applications() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(item ORDER BY submitted_at DESC), '[]'))
    FROM portal.application WHERE doctor_id = portal.scope_id('doctor')
$$;

CREATE FUNCTION portal.application_json(wanted uuid) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT (item::jsonb || jsonb_build_object('lines', lines, 'missing', missing,
                                              'credits', credits, 'history', history))::json
    FROM portal.application WHERE application_id = wanted
$$;

CREATE FUNCTION portal.application_list(wanted_status text, before_time timestamptz, before_id uuid,
                                        most int)
    RETURNS TABLE (submitted_at timestamptz, application_id uuid, item json)
    LANGUAGE sql STABLE AS $$
    SELECT a.submitted_at, a.application_id, a.item
    FROM portal.application a
    WHERE (wanted_status IS NULL OR a.status = wanted_status)
      AND (before_time IS NULL OR (a.submitted_at, a.application_id) < (before_time, before_id))
    ORDER BY a.submitted_at DESC, a.application_id DESC
    LIMIT most
$$;

GRANT EXECUTE ON FUNCTION portal.day(timestamptz), portal.my_profile(), portal.my_handbook(),
    portal.my_certificates(timestamptz), portal.my_standing(timestamptz), portal.my_applications(),
    portal.application_json(uuid), portal.application_list(text, timestamptz, uuid, int)
    TO mamis_gateway, mamis_portal;
