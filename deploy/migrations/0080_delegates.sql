-- Delegates: a doctor lets a named person see the credits. The person has an account of the role
-- `delegate`, one for each e-mail address, and sees what doctors let it see, until they end it.

-- Which roles there are stands in proto/access.yaml, which links there are in the gateway; the same
-- list a second time here would only have to be kept equal.
ALTER TABLE registration.account DROP CONSTRAINT IF EXISTS account_role_check;
ALTER TABLE registration.account ADD CONSTRAINT account_role_check CHECK (role ~ '^[a-z][a-z0-9_]*$');
ALTER TABLE gateway.link DROP CONSTRAINT IF EXISTS link_purpose_check;
ALTER TABLE gateway.link ADD CONSTRAINT link_purpose_check CHECK (purpose ~ '^[a-z][a-z0-9_]*$');

-- Rights that row security asks, where they are kept: there is one more scope.
DO $$
BEGIN
    IF to_regclass('portal.access') IS NOT NULL THEN
        ALTER TABLE portal.access DROP CONSTRAINT IF EXISTS access_scope_check;
        ALTER TABLE portal.access ADD CONSTRAINT access_scope_check CHECK (scope ~ '^[a-z_]+$');
    END IF;
END $$;

-- `delegate_id` is the person's account, which is there once the mailed link was used. The link has
-- the id of the delegation.
CREATE TABLE registration.delegation (
    delegation_id uuid PRIMARY KEY,
    version       bigint NOT NULL DEFAULT 1,
    doctor_id     bigint NOT NULL REFERENCES registration.doctor,
    delegate_id   uuid NOT NULL,
    name          text NOT NULL CHECK (name <> ''),
    email         text NOT NULL CHECK (email <> ''),
    state         text NOT NULL CHECK (state IN ('invited', 'active', 'revoked')),
    invited_at    timestamptz NOT NULL,
    accepted_at   timestamptz,
    ended_at      timestamptz
);
CREATE INDEX delegation_doctor ON registration.delegation (doctor_id);
CREATE INDEX delegation_delegate ON registration.delegation (delegate_id);
CREATE UNIQUE INDEX delegation_once ON registration.delegation (doctor_id, delegate_id)
    WHERE state <> 'revoked';

-- What was done with a delegation. Append-only.
CREATE TABLE registration.delegation_history (
    delegation_id uuid NOT NULL REFERENCES registration.delegation,
    version       bigint NOT NULL,
    at            timestamptz NOT NULL,
    action        text NOT NULL CHECK (action IN ('invited', 'accepted', 'revoked')),
    account_id    uuid NOT NULL,
    PRIMARY KEY (delegation_id, version)
);

-- Ended, as the gateway accepted it: from that commit on it counts for nothing, however long
-- registration takes to hear of it.
CREATE TABLE gateway.delegation_stop (
    delegation_id uuid PRIMARY KEY,
    at            timestamptz NOT NULL
);
-- What a delegate looked at. Append-only.
CREATE TABLE gateway.delegate_look (
    look_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delegation_id uuid NOT NULL,
    account_id    uuid NOT NULL,
    at            timestamptz NOT NULL,
    what          text NOT NULL CHECK (what IN ('credits'))
);
CREATE INDEX delegate_look_delegation ON gateway.delegate_look (delegation_id, at);

ALTER TABLE registration.delegation OWNER TO mamis_owner;
ALTER TABLE registration.delegation_history OWNER TO mamis_owner;
ALTER TABLE gateway.delegation_stop OWNER TO mamis_owner;
ALTER TABLE gateway.delegate_look OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON registration.delegation TO mamis_registration, mamis_operator;
GRANT SELECT, INSERT ON registration.delegation_history TO mamis_registration, mamis_operator;
GRANT SELECT, INSERT ON gateway.delegation_stop, gateway.delegate_look TO mamis_gateway;
GRANT SELECT ON gateway.delegation_stop, gateway.delegate_look TO mamis_operator;
GRANT SELECT ON registration.delegation, registration.delegation_history, gateway.delegation_stop,
    gateway.delegate_look, gateway.link TO mamis_portal;

-- A delegation is seen by its doctor and by its delegate; what hangs on it follows it.
ALTER TABLE registration.delegation ENABLE ROW LEVEL SECURITY;
CREATE POLICY delegation_scope ON registration.delegation FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor'))
           OR delegate_id = (SELECT portal.scope_text('delegate')::uuid));
ALTER TABLE registration.delegation_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY delegation_history_scope ON registration.delegation_history FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM registration.delegation d
                   WHERE d.delegation_id = delegation_history.delegation_id));
ALTER TABLE gateway.delegate_look ENABLE ROW LEVEL SECURITY;
CREATE POLICY delegate_look_scope ON gateway.delegate_look FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM registration.delegation d
                   WHERE d.delegation_id = delegate_look.delegation_id));
CREATE POLICY delegate_look_keep ON gateway.delegate_look FOR INSERT TO mamis_gateway WITH CHECK (true);

-- The scope 'delegated:<doctor_id>' sees the doctor's credits and nothing else of him. Only
-- portal.delegate_begin() sets it.
CREATE POLICY ledger_delegate ON credit.ledger FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('delegated')));

CREATE VIEW portal.delegation AS
SELECT d.delegation_id, d.doctor_id, d.delegate_id, d.name, d.email,
       CASE WHEN s.at IS NULL THEN d.state ELSE 'revoked' END AS state, d.invited_at,
       l.expires_at AS link_until, d.accepted_at, coalesce(d.ended_at, s.at) AS ended_at
FROM registration.delegation d LEFT JOIN gateway.delegation_stop s USING (delegation_id)
LEFT JOIN gateway.link l ON l.link_id = d.delegation_id AND l.used_at IS NULL;
ALTER VIEW portal.delegation OWNER TO mamis_portal;

-- The last hundred things that were done with it and by it, newest first.
CREATE VIEW portal.delegation_deed AS
SELECT delegation_id, at, action FROM registration.delegation_history
UNION ALL
SELECT delegation_id, at, 'looked_at_' || what FROM gateway.delegate_look;
ALTER VIEW portal.delegation_deed OWNER TO mamis_portal;

CREATE FUNCTION portal.delegate_json(d portal.delegation) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'delegation_id', d.delegation_id, 'name', d.name, 'email', d.email, 'state', d.state,
        'invited_at', portal.rfc3339(d.invited_at), 'link_until', portal.rfc3339(d.link_until),
        'accepted_at', portal.rfc3339(d.accepted_at), 'ended_at', portal.rfc3339(d.ended_at),
        'history', (
            SELECT coalesce(json_agg(json_build_object('at', portal.rfc3339(h.at), 'action', h.action)
                                     ORDER BY h.at DESC), '[]')
            FROM (SELECT at, action FROM portal.delegation_deed
                  WHERE delegation_id = d.delegation_id ORDER BY at DESC LIMIT 100) AS h))
$$;

CREATE FUNCTION portal.my_delegates() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(portal.delegate_json(d)
                                                        ORDER BY d.invited_at DESC), '[]'))
    FROM (SELECT * FROM portal.delegation WHERE doctor_id = portal.scope_id('doctor')
          ORDER BY invited_at DESC LIMIT 1000) AS d
$$;

-- What a delegate has to know of the doctor, and whether he is still there. Only for a delegation
-- that the caller may see.
CREATE FUNCTION portal.delegation_doctor(wanted bigint, OUT name text, OUT my_page text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT d.name, d.my_page
    FROM registration.doctor d JOIN registration.account a USING (doctor_id)
    WHERE d.doctor_id = wanted AND a.state = 'active' AND d.my_page IN ('active', 'link_pending')
$$;
ALTER FUNCTION portal.delegation_doctor(bigint) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION portal.delegation_doctor(bigint) FROM PUBLIC;

CREATE FUNCTION portal.my_delegations() RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        'delegation_id', delegation_id, 'doctor_name', name, 'since', portal.rfc3339(accepted_at))
        ORDER BY accepted_at), '[]'))
    FROM (SELECT d.delegation_id, p.name, d.accepted_at
          FROM portal.delegation d, portal.delegation_doctor(d.doctor_id) AS p
          WHERE d.delegate_id = portal.scope_text('delegate')::uuid AND d.state = 'active'
            AND p.name IS NOT NULL
          ORDER BY d.accepted_at LIMIT 1000) AS mine
$$;

-- Begins what a delegate may see: from here on the transaction has the scope of that, and no other.
-- No row: the delegation is not there, not the caller's, ended, or its doctor has left. A doctor
-- whose certification data is not linked yet has no view of credits (R-ACC-09), nor have delegates.
CREATE FUNCTION portal.delegate_begin(wanted uuid) RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
    SELECT set_config('app.scope', 'delegated:' ||
        CASE WHEN p.my_page = 'link_pending' THEN '' ELSE d.doctor_id::text END, true)
    FROM portal.delegation d, portal.delegation_doctor(d.doctor_id) AS p
    WHERE d.delegation_id = wanted AND d.state = 'active' AND p.my_page IS NOT NULL
      AND d.delegate_id = portal.scope_text('delegate')::uuid
$$;

-- Whose credits a list of credits shows.
CREATE FUNCTION portal.credit_doctor() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(portal.scope_id('doctor'), portal.scope_id('delegated'))
$$;

GRANT SELECT ON portal.delegation, portal.delegation_deed TO mamis_gateway;
GRANT EXECUTE ON FUNCTION portal.delegate_json(portal.delegation), portal.my_delegates(),
    portal.delegation_doctor(bigint), portal.my_delegations(), portal.delegate_begin(uuid),
    portal.credit_doctor() TO mamis_gateway, mamis_portal;
