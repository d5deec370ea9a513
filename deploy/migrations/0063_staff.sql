-- Accounts of staff, made and ended by an administrator of their own association or organiser.

SET LOCAL ROLE mamis_owner;
-- One row an account that is no doctor's.
CREATE TABLE registration.staff (
    account_id    uuid PRIMARY KEY REFERENCES registration.account,
    login_id      text NOT NULL DEFAULT '', -- given to the one who is invited
    administrator boolean NOT NULL DEFAULT false,
    unused_days   int NOT NULL CHECK (unused_days BETWEEN 1 AND 366),
    expired       boolean NOT NULL DEFAULT false, -- suspended because nobody used it
    reason        text NOT NULL DEFAULT '',       -- of the last change
    made_by       uuid,                           -- NULL: an operator
    made_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX staff_login ON registration.staff (login_id) WHERE login_id <> '';
GRANT SELECT, INSERT, UPDATE ON registration.staff TO mamis_registration, mamis_operator;

-- Those that were there before: their days begin with this upgrade.
INSERT INTO registration.staff (account_id, unused_days, made_at)
SELECT account_id, 180, clock_timestamp() FROM registration.account WHERE doctor_id IS NULL;

-- When somebody last signed in.
CREATE TABLE gateway.staff_use (
    account_id uuid PRIMARY KEY,
    used_at    timestamptz NOT NULL
) WITH (fillfactor = 80);
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.staff_use TO mamis_gateway, mamis_operator;
RESET ROLE;

ALTER TABLE gateway.link DROP CONSTRAINT link_purpose_check;
ALTER TABLE gateway.link ADD CONSTRAINT link_purpose_check CHECK (purpose ~ '^[a-z_]{1,40}$');

-- Found by a session, before there is a scope.
CREATE VIEW portal.administrator AS
SELECT account_id FROM registration.staff WHERE administrator;
ALTER VIEW portal.administrator OWNER TO mamis_owner;
GRANT SELECT ON portal.administrator TO mamis_gateway;

-- What a mailed invitation makes a credential of.
CREATE VIEW portal.invited AS
SELECT a.account_id, s.login_id, a.pending_email
FROM registration.staff s JOIN registration.account a USING (account_id)
WHERE a.state = 'active' AND NOT a.email_confirmed AND s.login_id <> '';
ALTER VIEW portal.invited OWNER TO mamis_owner;
GRANT SELECT ON portal.invited TO mamis_gateway;

-- Whether the scope is of this kind and its role may do the action to what is its organisation's;
-- for kinds that have no code.
CREATE FUNCTION portal.reach_kind(kind text, VARIADIC actions text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT portal.scope_is(kind)
       AND EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                   AND a.action = ANY (actions) AND a.scope = 'organisation')
$$;

-- Whose accounts somebody may see: one's own association's; the national one has the call centre's
-- too; a system administrator everybody's.
CREATE FUNCTION portal.staff_reach(role text, organiser_code text, l1_code text, l2_code text)
    RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT portal.reach_all('staff_manage')
        OR CASE role
           WHEN 'organiser' THEN organiser_code = portal.reach_code('organiser', 'staff_manage')
           WHEN 'office_l1' THEN l1_code = portal.reach_code('l1', 'staff_manage')
           WHEN 'office_l2' THEN l2_code = portal.reach_code('l2', 'staff_manage')
           WHEN 'office_l3' THEN portal.reach_kind('l3', 'staff_manage')
           WHEN 'call_centre' THEN portal.reach_kind('l3', 'staff_manage')
           ELSE false END
$$;
GRANT EXECUTE ON FUNCTION portal.staff_reach(text, text, text, text), portal.reach_kind(text, text[])
    TO mamis_gateway, mamis_portal, mamis_operator;

CREATE INDEX account_staff ON registration.account (account_id) WHERE doctor_id IS NULL;
CREATE POLICY account_staff ON registration.account FOR SELECT TO mamis_portal
    USING (doctor_id IS NULL AND portal.staff_reach(role, organiser_code, l1_code, l2_code));

GRANT SELECT ON registration.staff, gateway.staff_use TO mamis_portal;
GRANT SELECT (account_id, login_id) ON gateway.credential TO mamis_portal;

-- status: invited, active, suspended, expired, ended.
CREATE VIEW portal.staff AS
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
WHERE a.doctor_id IS NULL;
ALTER VIEW portal.staff OWNER TO mamis_portal;
GRANT SELECT ON portal.staff TO mamis_gateway;

-- Accounts that nobody used for as long as they may stay unused; a few at a time.
CREATE FUNCTION portal.staff_unused(now_is timestamptz, most int) RETURNS TABLE (account_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT s.account_id
    FROM registration.staff s JOIN registration.account a USING (account_id)
    LEFT JOIN gateway.staff_use u USING (account_id)
    WHERE a.state = 'active'
      AND greatest(u.used_at, s.made_at) < now_is - s.unused_days * interval '1 day'
    ORDER BY s.account_id LIMIT most
$$;
ALTER FUNCTION portal.staff_unused(timestamptz, int) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.staff_unused(timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.staff_unused(timestamptz, int) TO mamis_gateway;
