-- Rights asked at the price of one look-up. A function in SQL that holds a query is planned anew in
-- every statement that calls it; one in PL/pgSQL keeps its plan as long as its connection lives. So
-- one such function asks the table, and those that policies call are expressions around it, which the
-- planner takes into the statement.

CREATE OR REPLACE FUNCTION portal.scope_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE split_part(nullif(current_setting('app.scope', true), ''), ':', 1)
           WHEN 'l1' THEN 'office_l1' WHEN 'l2' THEN 'office_l2' WHEN 'l3' THEN 'office_l3'
           ELSE split_part(nullif(current_setting('app.scope', true), ''), ':', 1) END
$$;

-- Whether the role may do one of the actions to what is within this scope of access.yaml.
CREATE FUNCTION portal.role_may(within text, actions text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                   AND a.action = ANY (actions) AND a.scope = within);
END $$;
GRANT EXECUTE ON FUNCTION portal.role_may(text, text[]) TO mamis_gateway, mamis_portal, mamis_operator;

CREATE OR REPLACE FUNCTION portal.reach_all(VARIADIC actions text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT portal.role_may('all', actions) $$;
CREATE OR REPLACE FUNCTION portal.reach_code(kind text, VARIADIC actions text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN portal.role_may('organisation', actions)
                THEN nullif(portal.scope_text(kind), '') END
$$;
CREATE OR REPLACE FUNCTION portal.reach_own(VARIADIC actions text[]) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN portal.role_may('own', actions) THEN portal.scope_id('doctor') END
$$;
CREATE OR REPLACE FUNCTION portal.reach_kind(kind text, VARIADIC actions text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT portal.scope_is(kind) AND portal.role_may('organisation', actions)
$$;
CREATE OR REPLACE FUNCTION portal.reach_desk(VARIADIC actions text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN portal.role_may('organisation', actions)
                THEN nullif(current_setting('app.scope', true), '') END
$$;
CREATE OR REPLACE FUNCTION portal.reach_delegate(VARIADIC actions text[]) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN portal.role_may('delegated', actions)
                THEN nullif(portal.scope_text('delegate'), '')::uuid END
$$;

-- Runs as its owner, so it is never taken into a statement.
CREATE OR REPLACE FUNCTION portal.organiser_visible(code text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN portal.reach_all('seminar_read')
        OR code = portal.reach_code('organiser', 'seminar_read')
        OR EXISTS (SELECT FROM credit.organiser o WHERE o.organiser_code = code
                   AND (o.l1_code = portal.reach_code('l1', 'seminar_read')
                        OR o.l2_code = portal.reach_code('l2', 'seminar_read')));
END $$;

-- What they call is STABLE, so they have to be as well, or they are not taken into a statement either.
ALTER FUNCTION portal.entry_id(bigint, bigint, text, smallint) STABLE;
ALTER FUNCTION portal.rfc3339(timestamptz) STABLE;

-- As before, but the seminar is looked up like the session: by its key, for each entry. A plan that
-- reads all seminars for each was made while there were few, and stayed.
CREATE OR REPLACE VIEW portal.credit AS
SELECT l.doctor_id, portal.entry_id(l.doctor_id, l.session_id, l.programme, l.revision) AS entry_id,
       l.session_id, s.seminar_no, m.title AS seminar_title, s.session_no, s.session_title,
       l.held_on, l.programme, l.kind, l.half_units, s.delivery, l.posted_at, l.revision,
       CASE WHEN EXISTS (SELECT FROM credit.ledger c
                         WHERE c.doctor_id = l.doctor_id AND c.session_id = l.session_id
                           AND c.programme = l.programme AND c.revision = l.revision + 1)
            THEN 'cancelled' ELSE 'posted' END AS status
FROM credit.ledger l
CROSS JOIN LATERAL (SELECT x.seminar_no, x.session_no, x.title AS session_title, x.delivery
                    FROM credit.session x WHERE x.session_id = l.session_id OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT x.title FROM credit.seminar x
                    WHERE x.seminar_no = s.seminar_no OFFSET 0) AS m
WHERE l.revision % 2 = 0;

-- What the gateway asks are look-ups by key in tables that lie in memory.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE mamis_gateway IN DATABASE %I SET random_page_cost = 1.1', current_database());
END $$;
