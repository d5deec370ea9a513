-- Profiles by layer (R-PRV-01, R-PRV-02): a layer that a doctor does not belong to says why it looks, a
-- prefecture too when he is a member of his municipal association alone; and of two municipal
-- associations (domain 10, 79) both are his own.

CREATE OR REPLACE VIEW portal.doctor_profile AS
SELECT d.doctor_id, d.mamis_no,
       CASE portal.scope_role()
            WHEN 'auditor' THEN true
            WHEN 'office_l3' THEN d.l3_category = ''
            -- Who is nobody's member is looked after by the prefecture (R-PRV-03).
            WHEN 'office_l2' THEN d.l1_code <> ''
                AND NOT EXISTS (SELECT FROM registration.membership m
                                WHERE m.doctor_id = d.doctor_id AND m.layer = 2
                                  AND m.valid_to IS NULL)
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
   OR EXISTS (SELECT FROM registration.membership m
              WHERE m.doctor_id = d.doctor_id AND m.layer = 1 AND m.valid_to IS NULL
                AND m.code = (SELECT portal.reach_code('l1', 'doctor_read')))
   OR d.l2_code = (SELECT portal.reach_code('l2', 'doctor_read'))
   OR (SELECT portal.reach_all('doctor_read'));

-- Views that no row security stands under ask the rights of access.yaml as the policies do. They are as
-- in 0040, 0041, 0042 and 0100 but for that.

CREATE OR REPLACE VIEW portal.link_pending AS
SELECT a.account_id, d.doctor_id, d.register_no, d.mamis_no, d.name, d.name_kana, d.my_page_at,
       registration.link_due(d.my_page_at) AS due_on,
       EXISTS (SELECT FROM registration.certification c WHERE c.doctor_id = d.doctor_id) AS has_data
FROM registration.doctor d JOIN registration.account a USING (doctor_id)
WHERE d.my_page = 'link_pending' AND (SELECT portal.reach_all('link_read'));

CREATE OR REPLACE VIEW portal.signup AS
SELECT s.signup_id, s.status, s.email, s.submitted_at,
       (SELECT d.doctor_id FROM registration.doctor d WHERE d.register_no = s.register_no)
           AS known_doctor_id,
       json_build_object(
           'signup_id', s.signup_id, 'status', s.status, 'name', s.name, 'name_kana', s.name_kana,
           'sex', s.sex, 'birth_on', s.birth_on, 'register_no', s.register_no,
           'licensed_on', s.licensed_on, 'email', s.email,
           'submitted_at', portal.rfc3339(s.submitted_at),
           'decided_at', portal.rfc3339(s.decided_at), 'reason', s.reason,
           'known', (SELECT json_build_object(
                         'name', d.name, 'my_page', d.my_page,
                         'has_account', EXISTS (SELECT FROM registration.account a
                                                WHERE a.doctor_id = d.doctor_id),
                         'same_name', replace(replace(d.name_kana, '　', ''), ' ', '')
                                      = replace(replace(s.name_kana, '　', ''), ' ', ''),
                         'same_birth_on', d.birth_on = s.birth_on,
                         'same_licensed_on', d.licensed_on = s.licensed_on)
                     FROM registration.doctor d WHERE d.register_no = s.register_no),
           'email_in_use', EXISTS (SELECT FROM registration.account a
                                   WHERE lower(a.email) = lower(s.email) AND a.email_confirmed
                                     AND a.role = 'doctor' AND a.state <> 'closed'
                                     AND a.account_id <> s.signup_id)) AS json
FROM registration.signup s
WHERE (SELECT portal.reach_all('signup_read'));

CREATE OR REPLACE VIEW portal.desk_account AS
SELECT d.doctor_id, d.register_no, d.mamis_no, a.account_id, d.name, d.my_page, a.state, a.step,
       a.email_confirmed, portal.mask_email(a.email) AS email,
       portal.mask_email(a.pending_email) AS pending_email,
       a.pending_email <> '' AND EXISTS (
           SELECT FROM registration.account o
           WHERE lower(o.email) = lower(a.pending_email) AND o.email_confirmed AND o.role = 'doctor'
             AND o.state <> 'closed' AND o.account_id <> a.account_id) AS pending_shared
FROM registration.doctor d LEFT JOIN registration.account a USING (doctor_id)
WHERE (SELECT portal.reach_all('account_desk'));

CREATE OR REPLACE VIEW portal.former_number AS
SELECT f.doctor_id, f.register_no, f.mamis_no FROM registration.former_number f
WHERE (SELECT portal.reach_all('account_desk'));
