-- What a doctor takes along of his own data, beside what he sees on the pages.

GRANT SELECT ON registration.account_history, registration.name_history, notification.mail
    TO mamis_portal;

ALTER TABLE registration.account_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_history_self ON registration.account_history FOR SELECT TO mamis_portal
    USING (account_id IN (SELECT a.account_id FROM registration.account a
                          WHERE a.doctor_id = (SELECT portal.scope_id('doctor'))));
ALTER TABLE registration.name_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY name_history_self ON registration.name_history FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
-- A mail belongs to whom it was made for.
ALTER TABLE notification.mail ENABLE ROW LEVEL SECURITY;
CREATE POLICY mail_self ON notification.mail FOR SELECT TO mamis_portal
    USING (to_doctor = (SELECT portal.scope_id('doctor'))
           OR to_account IN (SELECT a.account_id FROM registration.account a
                             WHERE a.doctor_id = (SELECT portal.scope_id('doctor'))));
CREATE INDEX mail_to_doctor ON notification.mail (to_doctor) WHERE to_doctor IS NOT NULL;
CREATE INDEX mail_to_account ON notification.mail (to_account) WHERE to_account IS NOT NULL;

CREATE VIEW portal.account AS
SELECT account_id, doctor_id, json_build_object(
    'account_id', account_id, 'role', role, 'state', state, 'email', email,
    'email_confirmed', email_confirmed, 'terms_version', terms_version,
    'terms_agreed_at', portal.rfc3339(terms_agreed_at), 'changed_at', portal.rfc3339(changed_at)) AS json
FROM registration.account;
CREATE VIEW portal.account_history AS
SELECT account_id, version, at, action FROM registration.account_history;
CREATE VIEW portal.name_history AS
SELECT doctor_id, version, until, json_build_object(
    'name', name, 'name_kana', name_kana, 'former_name', former_name,
    'former_name_kana', former_name_kana, 'until', portal.rfc3339(until)) AS json
FROM registration.name_history;
-- Which mail and when; what it said is not kept.
CREATE VIEW portal.mail AS
SELECT mail_id, to_doctor, kind, state, created_at, finished_at FROM notification.mail;

ALTER VIEW portal.account OWNER TO mamis_portal;
ALTER VIEW portal.account_history OWNER TO mamis_portal;
ALTER VIEW portal.name_history OWNER TO mamis_portal;
ALTER VIEW portal.mail OWNER TO mamis_portal;
GRANT SELECT ON portal.account, portal.account_history, portal.name_history, portal.mail
    TO mamis_gateway;
