-- Rights under the queries of staff: proto/access.yaml as rows, and row security that asks them.
-- `mamisctl migrate` writes the rows after the migrations, from the same table that the gateway
-- checks its routes by (services/mamisctl/access.c).

CREATE TABLE portal.access (
    role   text NOT NULL,
    action text NOT NULL,
    scope  text NOT NULL CHECK (scope IN ('own', 'organisation', 'all')),
    PRIMARY KEY (role, action)
);
ALTER TABLE portal.access OWNER TO mamis_owner;
GRANT SELECT ON portal.access TO mamis_gateway, mamis_portal, mamis_operator;

-- The role that app.scope speaks for; NULL for nobody.
CREATE FUNCTION portal.scope_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE s.kind WHEN 'l1' THEN 'office_l1' WHEN 'l2' THEN 'office_l2' WHEN 'l3' THEN 'office_l3'
                       ELSE s.kind END
    FROM (SELECT split_part(nullif(current_setting('app.scope', true), ''), ':', 1) AS kind) AS s
$$;

-- A policy asks these in a sub-select, so that they run once a statement. `actions`: those that
-- let one read the table; one of them is enough.
-- Whether the role may do it to everything.
CREATE FUNCTION portal.reach_all(VARIADIC actions text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                   AND a.action = ANY (actions) AND a.scope = 'all')
$$;
-- The code of the organisation whose things the role may do it to, when app.scope is of this kind
-- ('organiser', 'l1', 'l2'); NULL otherwise.
CREATE FUNCTION portal.reach_code(kind text, VARIADIC actions text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(portal.scope_text(kind), '')
    WHERE EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                  AND a.action = ANY (actions) AND a.scope = 'organisation')
$$;
-- The doctor whose own things they are; NULL otherwise.
CREATE FUNCTION portal.reach_own(VARIADIC actions text[]) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT portal.scope_id('doctor')
    WHERE EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                  AND a.action = ANY (actions) AND a.scope = 'own')
$$;
GRANT EXECUTE ON FUNCTION portal.scope_role(), portal.reach_all(text[]),
    portal.reach_code(text, text[]), portal.reach_own(text[])
    TO mamis_gateway, mamis_portal, mamis_operator;

ALTER POLICY upload_organiser ON credit.upload
    USING (organiser_code = (SELECT portal.reach_code('organiser', 'upload_read'))
           OR (SELECT portal.reach_all('upload_read'))
           OR organiser_code IN (SELECT o.organiser_code FROM credit.organiser o
                                 WHERE o.l1_code = (SELECT portal.reach_code('l1', 'upload_read'))
                                    OR o.l2_code = (SELECT portal.reach_code('l2', 'upload_read'))));

CREATE OR REPLACE FUNCTION portal.organiser_visible(code text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT portal.reach_all('seminar_read')
        OR code = portal.reach_code('organiser', 'seminar_read')
        OR EXISTS (SELECT FROM credit.organiser o WHERE o.organiser_code = code
                   AND (o.l1_code = portal.reach_code('l1', 'seminar_read')
                        OR o.l2_code = portal.reach_code('l2', 'seminar_read')))
$$;

ALTER POLICY application_scope ON renewal.application
    USING (doctor_id = (SELECT portal.reach_own('application_read_own'))
           OR l2_code = (SELECT portal.reach_code('l2', 'application_read'))
           OR (SELECT portal.reach_all('application_read')));
