-- Whoever approves many procedures at once says which version of each was looked at.

CREATE OR REPLACE VIEW portal.procedure AS
SELECT p.procedure_id, p.doctor_id, p.kind, p.stage, p.desk, p.confirm_desk, p.confirmed_at,
       p.submitted_at, p.stage_at, p.due_on, p.version,
       json_build_object(
           'procedure_id', p.procedure_id, 'version', p.version, 'kind', p.kind, 'stage', p.stage,
           'depth', p.depth, 'granted', p.granted, 'l1_code', p.l1_code, 'l1_name', a.name,
           'l2_code', p.l2_code,
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
