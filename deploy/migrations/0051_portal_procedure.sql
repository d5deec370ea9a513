-- portal: what people may read of procedures, memberships and associations.
--
-- In a transaction whose app.scope is 'doctor:<doctor_id>':
--   portal.my_procedures(at), portal.my_memberships()     answers of GET /me/...; JSON, never NULL
-- In any scope that may see it (doctor, l1, l2, l3, auditor):
--   portal.procedure_json(procedure_id, at)               the whole object, NULL: none to see
--   portal.procedure_list(waiting, kind, at, after_key, after_id, most)
--       rows (key, procedure_id, item); waiting: what waits at this desk, oldest first, else all,
--       what moved last first
--   portal.member_list(on, q, after, most)                rows (membership_id, item)
--   portal.association_list()                             JSON

GRANT SELECT ON registration.association, registration.membership, registration.procedure,
    registration.procedure_history TO mamis_portal;

-- An office sees what came to its desk or what it entered itself; nobody lists what never concerned
-- his layer (R-PRV-02).
ALTER TABLE registration.procedure ENABLE ROW LEVEL SECURITY;
CREATE POLICY procedure_scope ON registration.procedure FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR offices @> ARRAY[(SELECT coalesce(nullif(current_setting('app.scope', true), ''), '-'))]
           OR confirm_desk = (SELECT nullif(current_setting('app.scope', true), ''))
           OR (SELECT portal.scope_is('auditor')));
ALTER TABLE registration.procedure_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY procedure_history_scope ON registration.procedure_history FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM registration.procedure p
                   WHERE p.procedure_id = procedure_history.procedure_id));
-- Each layer sees its own members.
ALTER TABLE registration.membership ENABLE ROW LEVEL SECURITY;
CREATE POLICY membership_scope ON registration.membership FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR (layer = 1 AND code = (SELECT portal.scope_text('l1')))
           OR (layer = 2 AND code = (SELECT portal.scope_text('l2')))
           OR (layer = 3 AND (SELECT portal.scope_is('l3')))
           OR (SELECT portal.scope_is('auditor')));
CREATE POLICY doctor_member ON registration.doctor FOR SELECT TO mamis_portal
    USING ((SELECT portal.scope_is('l1', 'l2', 'l3', 'auditor'))
           AND (EXISTS (SELECT FROM registration.membership m WHERE m.doctor_id = doctor.doctor_id)
                OR EXISTS (SELECT FROM registration.procedure p
                           WHERE p.doctor_id = doctor.doctor_id)));

CREATE VIEW portal.association AS SELECT layer, code, l2_code, name FROM registration.association;

CREATE VIEW portal.procedure AS
SELECT p.procedure_id, p.doctor_id, p.kind, p.stage, p.desk, p.confirm_desk, p.confirmed_at,
       p.submitted_at, p.stage_at, p.due_on, p.version,
       json_build_object(
           'procedure_id', p.procedure_id, 'kind', p.kind, 'stage', p.stage, 'depth', p.depth,
           'granted', p.granted, 'l1_code', p.l1_code, 'l1_name', a.name, 'l2_code', p.l2_code,
           'new_l1_code', nullif(p.new_l1_code, ''), 'new_l1_name', b.name,
           'new_l2_code', nullif(p.new_l2_code, ''), 'effective_on', p.effective_on,
           'applied_on', p.applied_on,
           'submitted_at', portal.rfc3339(p.submitted_at), 'stage_at', portal.rfc3339(p.stage_at),
           'due_on', p.due_on, 'reason', p.told_reason, 'filed_reason', p.filed_reason,
           'filed_by', p.filed_role, 'by_office', p.filed_layer > 0,
           'loses_insurance', p.loses_insurance,
           'mine', p.desk <> '' AND p.desk = current_setting('app.scope', true),
           'to_confirm', p.confirm_desk <> '' AND p.confirmed_at IS NULL
                         AND p.confirm_desk = current_setting('app.scope', true),
           -- What an office may pass without a second look.
           'plain', p.filed_layer = 0 AND NOT p.loses_insurance AND p.told_reason IS NULL
                    AND p.kind IN ('admission', 'change', 'withdrawal_l3', 'withdrawal_l2_l3',
                                   'transfer', 'transfer_away')
                    AND NOT (p.asked ?| ARRAY['name', 'name_kana', 'former_name',
                                              'former_name_kana']),
           'doctor', CASE WHEN (SELECT portal.scope_id('doctor')) IS NULL THEN json_build_object(
               'mamis_no', d.mamis_no, 'register_no', d.register_no, 'name', d.name,
               'name_kana', d.name_kana, 'birth_on', d.birth_on) END) AS item,
       (SELECT coalesce(json_agg(json_build_object('field', f.key, 'before', p.before ->> f.key,
                                                   'after', f.value) ORDER BY f.key), '[]')
        FROM jsonb_each_text(p.asked) AS f) AS changes,
       (SELECT coalesce(json_agg(json_build_object('stage', r.stage, 'at', portal.rfc3339(
                   (SELECT max(h.at) FROM registration.procedure_history h
                    WHERE h.procedure_id = p.procedure_id AND h.stage_from = r.stage
                      AND h.action IN ('approve', 'reach')))) ORDER BY r.place), '[]')
        FROM unnest(p.route) WITH ORDINALITY AS r (stage, place)) AS route,
       (SELECT coalesce(json_agg(json_build_object(
                   'at', portal.rfc3339(h.at), 'action', h.action, 'stage', h.stage,
                   'actor_role', h.actor_role, 'reason', h.reason) ORDER BY h.version), '[]')
        FROM registration.procedure_history h WHERE h.procedure_id = p.procedure_id) AS history
FROM registration.procedure p LEFT JOIN registration.doctor d USING (doctor_id)
LEFT JOIN registration.association a ON a.layer = 1 AND a.code = p.l1_code
LEFT JOIN registration.association b ON b.layer = 1 AND b.code = p.new_l1_code;

CREATE VIEW portal.membership AS
SELECT m.membership_id, m.doctor_id, m.layer, m.code, m.category, m.is_primary, m.valid_from,
       m.valid_to, m.began_by, m.ended_by, a.name AS association
FROM registration.membership m
LEFT JOIN registration.association a ON a.layer = m.layer AND a.code = m.code;

CREATE VIEW portal.member AS
SELECT m.membership_id, m.layer, m.code, m.valid_from, m.valid_to, d.name, d.name_kana,
       d.register_no, d.mamis_no,
       json_build_object('layer', m.layer, 'code', m.code, 'category', m.category,
                         'primary', m.is_primary, 'valid_from', m.valid_from,
                         'valid_to', m.valid_to, 'mamis_no', d.mamis_no,
                         'register_no', d.register_no, 'name', d.name,
                         'name_kana', d.name_kana) AS item
FROM registration.membership m JOIN registration.doctor d USING (doctor_id);

ALTER VIEW portal.association OWNER TO mamis_portal;
ALTER VIEW portal.procedure OWNER TO mamis_portal;
ALTER VIEW portal.membership OWNER TO mamis_portal;
ALTER VIEW portal.member OWNER TO mamis_portal;
GRANT SELECT ON portal.association, portal.procedure, portal.membership, portal.member
    TO mamis_gateway;

-- With what depends on the day: overdue or not.
CREATE FUNCTION portal.procedure_item(item json, due_on date, at timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE AS $$
    SELECT item::jsonb || jsonb_build_object('overdue', coalesce(due_on < portal.day(at), false))
$$;

CREATE FUNCTION portal.my_procedures(at timestamptz) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(
        portal.procedure_item(item, due_on, at) ORDER BY submitted_at DESC), '[]'))
    FROM portal.procedure WHERE doctor_id = portal.scope_id('doctor')
$$;

CREATE FUNCTION portal.my_memberships() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'layer', layer, 'code', code, 'association', association, 'category', category,
        'primary', is_primary, 'valid_from', valid_from, 'valid_to', valid_to,
        'began_by', began_by, 'ended_by', ended_by)
        ORDER BY valid_to DESC NULLS FIRST, layer, valid_from DESC NULLS LAST), '[]'))
    FROM portal.membership WHERE doctor_id = portal.scope_id('doctor')
$$;

CREATE FUNCTION portal.procedure_json(wanted uuid, at timestamptz) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT (portal.procedure_item(item, due_on, at)
            || jsonb_build_object('changes', changes, 'route', route, 'history', history))::json
    FROM portal.procedure WHERE procedure_id = wanted
$$;

CREATE FUNCTION portal.procedure_list(waiting boolean, wanted_kind text, at timestamptz,
                                      after_key bigint, after_id uuid, most int)
    RETURNS TABLE (key bigint, procedure_id uuid, item json) LANGUAGE sql STABLE AS $$
    SELECT k.key, p.procedure_id, portal.procedure_item(p.item, p.due_on, at)::json
    FROM portal.procedure p CROSS JOIN LATERAL (SELECT
        CASE WHEN waiting THEN 1 ELSE -1 END * (extract(epoch FROM p.stage_at) * 1000000)::bigint
        AS key) AS k
    WHERE (NOT waiting OR p.desk = current_setting('app.scope', true)
           OR (p.confirm_desk = current_setting('app.scope', true) AND p.confirmed_at IS NULL))
      AND (wanted_kind IS NULL OR p.kind = wanted_kind)
      AND (after_key IS NULL OR (k.key, p.procedure_id) > (after_key, after_id))
    ORDER BY k.key, p.procedure_id
    LIMIT most
$$;

-- Members of the caller's own layer on a day; `q`: part of a name or a number.
CREATE FUNCTION portal.member_list(on_day date, q text, after bigint, most int)
    RETURNS TABLE (membership_id bigint, item json) LANGUAGE sql STABLE AS $$
    SELECT m.membership_id, m.item
    FROM portal.member m
    WHERE (m.valid_from IS NULL OR m.valid_from <= on_day)
      AND (m.valid_to IS NULL OR m.valid_to >= on_day)
      AND m.membership_id > after
      AND (q IS NULL OR position(q IN m.name) > 0 OR position(q IN m.name_kana) > 0
           OR m.register_no = q OR m.mamis_no = q)
    ORDER BY m.membership_id
    LIMIT most
$$;

CREATE FUNCTION portal.association_list() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'code', code, 'l2_code', l2_code, 'name', name) ORDER BY code), '[]'))
    FROM portal.association WHERE layer = 1
$$;

GRANT EXECUTE ON FUNCTION portal.procedure_item(json, date, timestamptz),
    portal.my_procedures(timestamptz), portal.my_memberships(),
    portal.procedure_json(uuid, timestamptz),
    portal.procedure_list(boolean, text, timestamptz, bigint, uuid, int),
    portal.member_list(date, text, bigint, int), portal.association_list()
    TO mamis_gateway, mamis_portal;
