-- Delegates of doctors are no staff: the list of staff does not have them, whoever reads it.
CREATE OR REPLACE VIEW portal.staff AS
SELECT a.account_id, a.name, a.role, a.organiser_code, a.l1_code, a.l2_code,
       json_build_object(
           'account_id', a.account_id, 'name', a.name, 'role', a.role,
           'email', coalesce(nullif(a.email, ''), a.pending_email),
           'login_id', coalesce(c.login_id, s.login_id, ''),
           'office_name', portal.office_name(a.role, CASE a.role WHEN 'organiser' THEN a.organiser_code
                              WHEN 'office_l1' THEN a.l1_code WHEN 'office_l2' THEN a.l2_code END),
           'administrator', coalesce(s.administrator, false), 'unused_days', s.unused_days,
           'used_at', portal.rfc3339(u.used_at), 'reason', coalesce(s.reason, ''),
           'status', CASE WHEN a.state = 'closed' THEN 'ended'
                          WHEN a.state = 'suspended' AND coalesce(s.expired, false) THEN 'expired'
                          WHEN a.state = 'suspended' THEN 'suspended'
                          WHEN c.login_id IS NULL THEN 'invited' ELSE 'active' END) AS json
FROM registration.account a
LEFT JOIN registration.staff s USING (account_id)
LEFT JOIN gateway.credential c USING (account_id)
LEFT JOIN gateway.staff_use u USING (account_id)
WHERE a.doctor_id IS NULL AND a.role <> 'delegate';
