-- One place for the history of accounts; applications see credits that were posted again.

-- One place for a line of an account's history, whether a person, an office or an operator changed
-- it. An import writes its many lines in one statement of its own.
CREATE FUNCTION registration.note_change(account uuid, version bigint, at timestamptz, action text)
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO registration.account_history (account_id, version, at, action)
    VALUES (account, version, at, action)
$$;
ALTER FUNCTION registration.note_change(uuid, bigint, timestamptz, text) OWNER TO mamis_owner;

-- What an application relies on stands again when the same credit was posted again after it had been
-- taken back; whatever else stands there now came after the snapshot (R-APP-14).

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
