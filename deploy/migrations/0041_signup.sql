-- Sign-up of doctors without a postcard (R-ACC-04, 14, 15): what they enter waits at the gateway until
-- the address is confirmed and the copy of the licence is there; then registration has it for review.

-- The gateway knows its purposes; here only that it is a word.
ALTER TABLE gateway.link DROP CONSTRAINT IF EXISTS link_purpose_check;
ALTER TABLE gateway.link ADD CONSTRAINT link_purpose_check CHECK (purpose ~ '^[a-z][a-z0-9_]*$');

-- Entered, the address not confirmed yet. Goes after some days.
CREATE TABLE gateway.signup (
    signup_id   uuid PRIMARY KEY,
    email       text NOT NULL,
    name        text NOT NULL,
    name_kana   text NOT NULL,
    sex         text NOT NULL,
    birth_on    date NOT NULL,
    register_no text NOT NULL,
    licensed_on date NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX signup_email ON gateway.signup (lower(email), created_at);
CREATE INDEX signup_created ON gateway.signup (created_at);

-- Copies of licences as they came: looked at by their first bytes only, never drawn.
CREATE TABLE gateway.document (
    document_id uuid PRIMARY KEY,
    media_type  text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    bytes       bytea NOT NULL,
    created_at  timestamptz NOT NULL
);
ALTER TABLE gateway.document ALTER bytes SET STORAGE EXTERNAL; -- they are compressed already
ALTER TABLE gateway.signup OWNER TO mamis_owner;
ALTER TABLE gateway.document OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.signup, gateway.document
    TO mamis_gateway, mamis_operator;

-- `signup_id` becomes the account's id, and is the id of the licence's copy.
CREATE TABLE registration.signup (
    signup_id    uuid PRIMARY KEY,
    status       text NOT NULL CHECK (status IN ('review', 'accepted', 'refused')),
    name         text NOT NULL,
    name_kana    text NOT NULL,
    sex          text NOT NULL,
    birth_on     date NOT NULL,
    register_no  text NOT NULL CHECK (register_no ~ '^[1-9][0-9]{0,6}$'),
    licensed_on  date NOT NULL,
    email        text NOT NULL,
    submitted_at timestamptz NOT NULL,
    decided_at   timestamptz,
    decided_by   uuid,
    decided_role text,
    reason       text
);
CREATE INDEX signup_list ON registration.signup (submitted_at, signup_id);
ALTER TABLE registration.signup OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON registration.signup TO mamis_registration, mamis_operator;
GRANT USAGE ON SEQUENCE registration.doctor_doctor_id_seq TO mamis_registration;

-- portal.signup: rows only for the national association and the call centre, who review them.
-- `known`: what is on record under the same register number; nothing more of it than is needed to see
-- whether it is the same person.
CREATE VIEW portal.signup AS
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
WHERE (SELECT portal.scope_is('l3', 'call_centre'));
ALTER VIEW portal.signup OWNER TO mamis_owner;
GRANT SELECT ON portal.signup TO mamis_gateway;
