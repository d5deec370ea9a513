-- A doctor asks the association to correct what he cannot change himself; an office answers. Nothing
-- is changed by the answer itself.

CREATE TABLE registration.correction (
    correction_id uuid PRIMARY KEY,
    version       bigint NOT NULL DEFAULT 1,
    doctor_id     bigint NOT NULL REFERENCES registration.doctor,
    l2_code       text NOT NULL, -- of the doctor when he asked; '' is the national office's to answer
    field         text NOT NULL CHECK (field <> ''),
    text          text NOT NULL CHECK (text <> ''),
    state         text NOT NULL CHECK (state IN ('open', 'done', 'refused')),
    asked_at      timestamptz NOT NULL,
    answer        text,
    answered_at   timestamptz,
    answered_by   uuid,
    answered_role text,
    CHECK ((state = 'open') = (answer IS NULL)),
    CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE INDEX correction_doctor ON registration.correction (doctor_id, asked_at);
CREATE INDEX correction_place ON registration.correction (asked_at, correction_id);
ALTER TABLE registration.correction OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON registration.correction TO mamis_registration, mamis_operator;
GRANT SELECT ON registration.correction TO mamis_portal;

ALTER TABLE registration.correction ENABLE ROW LEVEL SECURITY;
CREATE POLICY correction_scope ON registration.correction FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR l2_code = (SELECT portal.scope_text('l2'))
           OR (SELECT portal.scope_is('l3')));

-- Who asks, for an office that may see the request; such offices need no more of the doctor.
CREATE FUNCTION portal.correction_doctor(wanted bigint) RETURNS json
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT json_build_object('mamis_no', mamis_no, 'register_no', register_no, 'name', name,
                             'name_kana', name_kana)
    FROM registration.doctor WHERE doctor_id = wanted
$$;
ALTER FUNCTION portal.correction_doctor(bigint) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION portal.correction_doctor(bigint) FROM PUBLIC;

CREATE VIEW portal.correction AS
SELECT c.correction_id, c.doctor_id, c.l2_code, c.state, c.asked_at,
       CASE WHEN (SELECT portal.scope_id('doctor')) IS NULL
            THEN shown.item || jsonb_build_object('doctor', portal.correction_doctor(c.doctor_id))
            ELSE shown.item END AS item
FROM registration.correction c, LATERAL (SELECT jsonb_build_object(
    'correction_id', c.correction_id, 'field', c.field, 'text', c.text, 'state', c.state,
    'asked_at', portal.rfc3339(c.asked_at), 'answer', c.answer,
    'answered_at', portal.rfc3339(c.answered_at), 'answered_by', c.answered_role) AS item) AS shown;
ALTER VIEW portal.correction OWNER TO mamis_portal;

CREATE FUNCTION portal.my_corrections() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(item ORDER BY asked_at DESC), '[]'))
    FROM (SELECT item, asked_at FROM portal.correction WHERE doctor_id = portal.scope_id('doctor')
          ORDER BY asked_at DESC LIMIT 100) AS mine
$$;

GRANT SELECT ON portal.correction TO mamis_gateway;
GRANT EXECUTE ON FUNCTION portal.correction_doctor(bigint), portal.my_corrections()
    TO mamis_gateway, mamis_portal;
