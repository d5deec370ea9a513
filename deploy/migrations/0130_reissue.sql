-- A prefectural office asks for new temporary credentials for a doctor; the desk issues them or
-- refuses (domain 5: L2 "request").

CREATE TABLE registration.reissue (
    reissue_id    uuid PRIMARY KEY,
    version       bigint NOT NULL DEFAULT 1,
    doctor_id     bigint NOT NULL REFERENCES registration.doctor,
    account_id    uuid NOT NULL REFERENCES registration.account,
    l2_code       text NOT NULL CHECK (l2_code <> ''), -- who asked
    reason        text NOT NULL CHECK (reason <> ''),
    state         text NOT NULL CHECK (state IN ('open', 'done', 'refused')),
    asked_at      timestamptz NOT NULL,
    asked_by      uuid NOT NULL,
    answer        text,
    answered_at   timestamptz,
    answered_by   uuid,
    answered_role text,
    CHECK ((state = 'open') = (answer IS NULL)),
    CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE UNIQUE INDEX reissue_open ON registration.reissue (account_id) WHERE state = 'open';
CREATE INDEX reissue_place ON registration.reissue (asked_at, reissue_id);
ALTER TABLE registration.reissue OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON registration.reissue TO mamis_registration;
GRANT SELECT ON registration.reissue TO mamis_portal, mamis_operator;

ALTER TABLE registration.reissue ENABLE ROW LEVEL SECURITY;
CREATE POLICY reissue_scope ON registration.reissue FOR SELECT TO mamis_portal
    USING (l2_code = (SELECT portal.reach_code('l2', 'reissue_read'))
           OR (SELECT portal.reach_all('reissue_read'))
           OR doctor_id = (SELECT portal.scope_id('doctor'))); -- for the export

CREATE VIEW portal.reissue AS
SELECT r.reissue_id, r.doctor_id, r.state, r.asked_at, json_build_object(
    'reissue_id', r.reissue_id,
    'account_id', CASE WHEN (SELECT portal.scope_text('l2')) IS NULL THEN r.account_id END,
    'state', r.state, 'reason', r.reason, 'asked_at', portal.rfc3339(r.asked_at),
    'answer', r.answer, 'answered_at', portal.rfc3339(r.answered_at),
    'answered_by', r.answered_role, 'doctor', portal.correction_doctor(r.doctor_id)) AS item
FROM registration.reissue r;
ALTER VIEW portal.reissue OWNER TO mamis_portal;
GRANT SELECT ON portal.reissue TO mamis_gateway;
