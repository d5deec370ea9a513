-- Two accounts of one doctor are merged: one officer of the national association proposes it, another
-- one confirms it. The closed doctor stays as he was, read only; what he had is the kept one's.

SET LOCAL ROLE mamis_owner;

ALTER TABLE registration.doctor ADD COLUMN merged_into bigint REFERENCES registration.doctor,
    ADD CHECK (merged_into IS NULL OR (my_page = 'closed' AND merged_into <> doctor_id));
COMMENT ON COLUMN registration.doctor.merged_into IS 'who is kept; never one who is merged himself';
CREATE INDEX doctor_merged_into ON registration.doctor (merged_into) WHERE merged_into IS NOT NULL;

-- One row a proposal.
CREATE TABLE registration.merge (
    merge_id       uuid PRIMARY KEY,
    version        bigint NOT NULL DEFAULT 1,
    kept_id        bigint NOT NULL REFERENCES registration.doctor,
    closed_id      bigint NOT NULL REFERENCES registration.doctor,
    state          text NOT NULL DEFAULT 'open'
                   CHECK (state IN ('open', 'confirmed', 'declined', 'withdrawn', 'expired')),
    reason         text NOT NULL CHECK (reason <> ''),
    proposed_at    timestamptz NOT NULL,
    proposed_by    uuid NOT NULL,
    expires_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    decided_by     uuid,
    decided_reason text,
    CHECK (kept_id <> closed_id),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (state IN ('open', 'expired'))),
    -- Two people, whatever a program believes.
    CHECK (state NOT IN ('confirmed', 'declined') OR decided_by <> proposed_by),
    CHECK (state <> 'withdrawn' OR decided_by = proposed_by)
);
CREATE UNIQUE INDEX merge_open_kept ON registration.merge (kept_id) WHERE state = 'open';
CREATE UNIQUE INDEX merge_open_closed ON registration.merge (closed_id) WHERE state = 'open';
CREATE INDEX merge_list ON registration.merge (proposed_at, merge_id);

-- Who did what. Append-only.
CREATE TABLE registration.merge_history (
    merge_id   uuid NOT NULL REFERENCES registration.merge,
    version    bigint NOT NULL,
    at         timestamptz NOT NULL,
    action     text NOT NULL,
    actor      uuid,
    actor_role text NOT NULL,
    reason     text NOT NULL,
    PRIMARY KEY (merge_id, version)
);

-- Numbers that lead to a doctor beside his own: those of the doctors merged into him.
CREATE TABLE registration.former_number (
    closed_id   bigint PRIMARY KEY REFERENCES registration.doctor, -- whose they were
    doctor_id   bigint NOT NULL REFERENCES registration.doctor,    -- whom they lead to
    register_no text NOT NULL,
    mamis_no    text,
    merge_id    uuid NOT NULL REFERENCES registration.merge,
    since       timestamptz NOT NULL
);
CREATE INDEX former_number_doctor ON registration.former_number (doctor_id);

GRANT SELECT, INSERT, UPDATE ON registration.merge, registration.former_number
    TO mamis_registration;
GRANT SELECT, INSERT ON registration.merge_history TO mamis_registration;
GRANT SELECT ON registration.merge, registration.merge_history, registration.former_number
    TO mamis_operator;

-- What both have and only one can: it has to be ended before they are merged.
CREATE FUNCTION registration.merge_conflicts(kept bigint, closed bigint)
    RETURNS TABLE (what text) LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT DISTINCT 'membership_l' || c.layer FROM registration.membership c
    WHERE c.doctor_id = closed AND c.layer < 3 AND c.valid_to IS NULL
      AND EXISTS (SELECT FROM registration.membership k WHERE k.doctor_id = kept
                  AND k.layer = c.layer AND k.valid_to IS NULL)
      AND NOT EXISTS (SELECT FROM registration.membership k WHERE k.doctor_id = kept
                      AND k.layer = c.layer AND k.valid_to IS NULL AND k.code = c.code)
    UNION
    SELECT 'procedure_' || c.family FROM registration.procedure c
    JOIN registration.procedure k USING (family)
    WHERE c.doctor_id = closed AND k.doctor_id = kept
      AND c.stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')
      AND k.stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')
$$;
REVOKE EXECUTE ON FUNCTION registration.merge_conflicts(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registration.merge_conflicts(bigint, bigint) TO mamis_registration;

-- Day by day and layer by layer: where the kept one was no member, the closed one's membership is his
-- from now on; the other days stay with the closed one and end today.
CREATE FUNCTION registration.merge_memberships(kept bigint, closed bigint, merge uuid, today date)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    had registration.membership;
    days datemultirange;
    whole datemultirange;
    piece record;
BEGIN
    FOR had IN SELECT * FROM registration.membership WHERE doctor_id = closed
               ORDER BY membership_id LOOP
        -- Secondary ones of a layer do not stand in each other's way.
        SELECT coalesce(range_agg(daterange(m.valid_from, m.valid_to, '[]')), '{}') INTO days
        FROM registration.membership m
        WHERE m.doctor_id = kept AND m.layer = had.layer
          AND m.began_with IS DISTINCT FROM merge;
        whole := datemultirange(daterange(had.valid_from, had.valid_to, '[]'));
        DELETE FROM registration.membership WHERE membership_id = had.membership_id;
        FOR piece IN
            SELECT kept AS owner, unnest(whole - days) AS span
            UNION ALL SELECT closed, unnest(whole * days)
        LOOP
            INSERT INTO registration.membership (doctor_id, layer, code, category, is_primary,
                valid_from, valid_to, began_by, ended_by, began_with, ended_with)
            SELECT piece.owner, had.layer, had.code, had.category, had.is_primary, p.first, p.last,
                   had.began_by, CASE WHEN p.last IS NULL THEN NULL
                                      WHEN p.last = had.valid_to THEN had.ended_by ELSE 'merge' END,
                   CASE WHEN piece.owner = kept THEN merge ELSE had.began_with END,
                   CASE WHEN p.last IS NULL THEN NULL
                        WHEN p.last = had.valid_to THEN had.ended_with ELSE merge END
            FROM (SELECT lower(piece.span) AS first,
                         CASE WHEN piece.owner = kept THEN upper(piece.span) - 1
                              ELSE least(upper(piece.span) - 1,
                                         greatest(today, lower(piece.span))) END AS last) AS p;
        END LOOP;
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION registration.merge_memberships(bigint, bigint, uuid, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registration.merge_memberships(bigint, bigint, uuid, date)
    TO mamis_registration;

-- credit: whose credits go where, and the folded kana names that fit the kept one beside his own.
CREATE TABLE credit.merge (
    closed_id  bigint PRIMARY KEY,
    kept_id    bigint NOT NULL,
    merge_id   uuid NOT NULL,
    actor      uuid NOT NULL,
    actor_role text NOT NULL,
    reason     text NOT NULL,
    names      text NOT NULL, -- one a line
    at         timestamptz NOT NULL
);
CREATE INDEX merge_kept ON credit.merge (kept_id);
CREATE INDEX merge_at ON credit.merge (at);
GRANT SELECT, INSERT, UPDATE ON credit.merge TO mamis_credit;
GRANT SELECT ON credit.merge TO mamis_operator;
GRANT DELETE ON credit.certificate TO mamis_credit;

-- renewal: who was merged into whom.
CREATE TABLE renewal.merge (
    closed_id bigint PRIMARY KEY,
    kept_id   bigint NOT NULL,
    merge_id  uuid NOT NULL,
    at        timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON renewal.merge TO mamis_renewal;
GRANT SELECT ON renewal.merge TO mamis_operator;
GRANT DELETE ON renewal.certificate TO mamis_renewal;

RESET ROLE;

SELECT mamis.chain_table('registration', 'merge_history');

-- What officers see: only who may see merges at all. ------------------------------------------------

-- Everything that tells two of a name apart, and what would move. NULL: not to be seen, or nobody.
CREATE FUNCTION portal.merge_side(wanted bigint) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object(
        'register_no', d.register_no, 'mamis_no', d.mamis_no, 'name', d.name,
        'name_kana', d.name_kana, 'former_name', d.former_name, 'birth_on', d.birth_on,
        'licensed_on', d.licensed_on, 'my_page', d.my_page, 'has_account', a.account_id IS NOT NULL,
        'email', portal.mask_email(coalesce(nullif(a.email, ''), d.email)),
        'last_sign_in_at', portal.rfc3339((SELECT max(s.created_at) FROM gateway.session s
                                           WHERE s.account_id = a.account_id)),
        'credits', (SELECT count(*) FROM credit.ledger l
            WHERE l.doctor_id = d.doctor_id AND l.revision % 2 = 0 AND NOT EXISTS (
                SELECT FROM credit.ledger n WHERE n.doctor_id = l.doctor_id
                AND n.session_id = l.session_id AND n.programme = l.programme
                AND n.revision = l.revision + 1)),
        'certificates', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'programme', c.programme, 'number', c.number, 'valid_to', c.valid_to)
                ORDER BY c.programme), '[]')
            FROM renewal.certificate c WHERE c.doctor_id = d.doctor_id),
        'memberships', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'layer', m.layer, 'code', m.code, 'association', nullif(o.name, ''),
                'category', m.category) ORDER BY m.layer, m.code), '[]')
            FROM registration.membership m
            LEFT JOIN registration.association o ON o.layer = m.layer AND o.code = m.code
            WHERE m.doctor_id = d.doctor_id AND m.valid_to IS NULL),
        'procedures', (SELECT coalesce(jsonb_agg(p.kind ORDER BY p.submitted_at), '[]')
            FROM registration.procedure p WHERE p.doctor_id = d.doctor_id
            AND p.stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')),
        'applications', (SELECT coalesce(jsonb_agg(r.programme ORDER BY r.programme), '[]')
            FROM renewal.application r WHERE r.doctor_id = d.doctor_id AND r.status IN
            ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review')),
        'former_numbers', (SELECT coalesce(jsonb_agg(n.number ORDER BY n.number), '[]')
            FROM registration.former_number f
            CROSS JOIN LATERAL (VALUES (f.register_no), (f.mamis_no)) AS n (number)
            WHERE f.doctor_id = d.doctor_id AND n.number IS NOT NULL))
    FROM registration.doctor d LEFT JOIN registration.account a USING (doctor_id)
    WHERE d.doctor_id = wanted AND (SELECT portal.reach_all('merge_read'))
$$;

CREATE FUNCTION portal.merge_pair(kept bigint, closed bigint) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object(
        'keep', portal.merge_side(kept), 'close', portal.merge_side(closed),
        'conflicts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'what', c.what, 'refuses', c.refuses) ORDER BY c.refuses DESC, c.what), '[]')
            FROM (SELECT what, true AS refuses FROM registration.merge_conflicts(kept, closed)
                  UNION ALL
                  SELECT 'application_' || one.programme, false
                  FROM renewal.application one JOIN renewal.application other USING (programme)
                  WHERE one.doctor_id = kept AND other.doctor_id = closed AND one.status IN
                   ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review')
                   AND other.status IN
                   ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review')
                  UNION ALL
                  SELECT 'certificate_' || one.programme, false
                  FROM renewal.certificate one JOIN renewal.certificate other USING (programme)
                  WHERE one.doctor_id = kept AND other.doctor_id = closed) AS c))
    WHERE (SELECT portal.reach_all('merge_read'))
$$;

-- Two doctors by their register numbers; no row unless both are there.
CREATE FUNCTION portal.merge_compared(kept_no text, closed_no text)
    RETURNS TABLE (kept_id bigint, closed_id bigint, item jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT k.doctor_id, c.doctor_id, portal.merge_pair(k.doctor_id, c.doctor_id)
    FROM registration.doctor k, registration.doctor c
    WHERE k.register_no = kept_no AND c.register_no = closed_no
      AND (SELECT portal.reach_all('merge_read'))
$$;

-- Somebody with the same birth date and kana name, or whose number another one had; the older record
-- first. Who was declined once is not shown again.
CREATE FUNCTION portal.merge_candidates(most bigint)
    RETURNS TABLE (first_id bigint, second_id bigint, same text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH folded AS MATERIALIZED (
        SELECT d.doctor_id, d.birth_on,
               replace(replace(d.name_kana, '　', ''), ' ', '') AS kana
        FROM registration.doctor d
        WHERE d.birth_on IS NOT NULL AND d.my_page <> 'closed'
          AND (SELECT portal.reach_all('merge_read'))),
    alike AS (
        SELECT birth_on, kana FROM folded GROUP BY birth_on, kana HAVING count(*) > 1),
    pairs AS (
        SELECT a.doctor_id AS one, b.doctor_id AS other, 'birth_and_kana' AS same
        FROM alike JOIN folded a USING (birth_on, kana) JOIN folded b USING (birth_on, kana)
        WHERE a.doctor_id < b.doctor_id
        UNION ALL
        SELECT least(f.doctor_id, d.doctor_id), greatest(f.doctor_id, d.doctor_id), 'register_no'
        FROM registration.former_number f
        JOIN registration.doctor d ON d.register_no = f.register_no
        WHERE d.doctor_id NOT IN (f.closed_id, f.doctor_id) AND d.my_page <> 'closed'
          AND (SELECT portal.reach_all('merge_read')))
    SELECT p.one, p.other, min(p.same) FROM pairs p
    WHERE NOT EXISTS (SELECT FROM registration.merge m WHERE m.state IN ('open', 'declined')
                      AND least(m.kept_id, m.closed_id) = p.one
                      AND greatest(m.kept_id, m.closed_id) = p.other)
    GROUP BY p.one, p.other ORDER BY p.one, p.other LIMIT most
$$;

CREATE FUNCTION portal.merge_officer(wanted uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT a.name FROM registration.account a
    WHERE a.account_id = wanted AND (SELECT portal.reach_all('merge_read'))
$$;

CREATE VIEW portal.merge AS
SELECT m.merge_id, m.kept_id, m.closed_id, m.state, m.proposed_at, m.proposed_by,
       (SELECT a.account_id FROM registration.account a WHERE a.doctor_id = m.closed_id)
           AS closed_account_id,
       portal.merge_pair(m.kept_id, m.closed_id) || jsonb_build_object(
           'merge_id', m.merge_id, 'state', m.state, 'reason', m.reason,
           'proposed_at', portal.rfc3339(m.proposed_at),
           'proposed_by', coalesce(portal.merge_officer(m.proposed_by), ''),
           'mine', m.proposed_by::text = coalesce(nullif(current_setting('app.reader', true), '')
                                                  ::jsonb ->> 'actor', ''),
           'expires_at', portal.rfc3339(m.expires_at),
           'decided_at', portal.rfc3339(m.decided_at),
           'decided_by', portal.merge_officer(m.decided_by),
           'decided_reason', m.decided_reason) AS item
FROM registration.merge m WHERE (SELECT portal.reach_all('merge_read'));
ALTER VIEW portal.merge OWNER TO mamis_owner;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['merge_side(bigint)', 'merge_pair(bigint, bigint)',
                                'merge_compared(text, text)', 'merge_candidates(bigint)',
                                'merge_officer(uuid)']
    LOOP
        EXECUTE format('ALTER FUNCTION portal.%s OWNER TO mamis_owner', name);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION portal.%s FROM PUBLIC', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION portal.%s TO mamis_gateway', name);
    END LOOP;
END $$;
GRANT SELECT ON portal.merge TO mamis_gateway;

-- Numbers of merged doctors lead to the one who is kept. The desks find him by them.
CREATE VIEW portal.former_number AS
SELECT f.doctor_id, f.register_no, f.mamis_no FROM registration.former_number f
WHERE (SELECT portal.scope_is('l3', 'call_centre'));
ALTER VIEW portal.former_number OWNER TO mamis_owner;
GRANT SELECT ON portal.former_number TO mamis_gateway;

CREATE OR REPLACE FUNCTION portal.doctor_of_number(number text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT coalesce(d.merged_into, d.doctor_id) FROM registration.doctor d
    WHERE d.mamis_no = number AND EXISTS (SELECT FROM portal.access a
        WHERE a.role = portal.scope_role() AND a.action = 'read_log_read')
$$;
