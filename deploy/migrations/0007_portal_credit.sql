-- portal: what people may read of seminars, uploads and credits. Plain views that belong to
-- mamis_portal, which is not the tables' owner, so row security applies inside them.
-- Scope is one setting of the transaction, app.scope: 'doctor:42', 'organiser:P13', 'l2:13', 'l3', ...

CREATE SCHEMA portal AUTHORIZATION mamis_owner;
GRANT USAGE ON SCHEMA portal TO mamis_gateway, mamis_portal, mamis_operator;

-- The part of app.scope after "kind:", NULL when the scope is of another kind.
CREATE FUNCTION portal.scope_text(kind text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN split_part(nullif(current_setting('app.scope', true), ''), ':', 1) = kind
                THEN substr(current_setting('app.scope', true), length(kind) + 2) END
$$;
CREATE FUNCTION portal.scope_id(kind text) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT nullif(portal.scope_text(kind), '')::bigint $$;
-- True when the scope is one of the kinds named.
CREATE FUNCTION portal.scope_is(VARIADIC kinds text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(split_part(nullif(current_setting('app.scope', true), ''), ':', 1) = ANY (kinds), false)
$$;
-- RFC 3339 in Japan's time, whole seconds; NULL stays NULL.
CREATE FUNCTION portal.rfc3339(at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_char(at AT TIME ZONE '+09:00'::interval, 'YYYY-MM-DD"T"HH24:MI:SS"+09:00"')
$$;
-- Opaque outside; names the ledger's key without the revision's parity.
CREATE FUNCTION portal.entry_id(doctor_id bigint, session_id bigint, programme text, revision smallint)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(encode(int8send(doctor_id) || int8send(session_id) || int2send(revision)
                            || convert_to(programme, 'UTF8'), 'base64'), E'+/=\n', '-_')
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA portal TO mamis_gateway, mamis_portal, mamis_operator;

-- Organisers see their own seminars and uploads; offices those of organisers in their area.
CREATE FUNCTION portal.organiser_visible(code text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT portal.scope_is('l3', 'auditor')
        OR code = portal.scope_text('organiser')
        OR EXISTS (SELECT FROM credit.organiser o WHERE o.organiser_code = code
                   AND (o.l1_code = portal.scope_text('l1') OR o.l2_code = portal.scope_text('l2')))
$$;
ALTER FUNCTION portal.organiser_visible(text) OWNER TO mamis_owner;
GRANT EXECUTE ON FUNCTION portal.organiser_visible(text) TO mamis_gateway, mamis_portal;

GRANT USAGE ON SCHEMA credit TO mamis_portal;
GRANT SELECT ON credit.organiser, credit.seminar, credit.session, credit.upload, credit.upload_part,
    credit.upload_chunk, credit.upload_row, credit.ledger, credit.doctor TO mamis_portal;

ALTER TABLE credit.ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY ledger_doctor ON credit.ledger FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
ALTER TABLE credit.upload ENABLE ROW LEVEL SECURITY;
-- The same as portal.organiser_visible(), asked once a statement and not once a row.
CREATE POLICY upload_organiser ON credit.upload FOR SELECT TO mamis_portal
    USING (organiser_code = (SELECT portal.scope_text('organiser'))
           OR (SELECT portal.scope_is('l3', 'auditor'))
           OR organiser_code IN (SELECT o.organiser_code FROM credit.organiser o
                                 WHERE o.l1_code = (SELECT portal.scope_text('l1'))
                                    OR o.l2_code = (SELECT portal.scope_text('l2'))));
-- The gateway writes what it accepted; it reads through the views only.
CREATE POLICY upload_accept ON credit.upload FOR INSERT TO mamis_gateway WITH CHECK (true);

CREATE VIEW portal.seminar AS
SELECT s.seminar_no, s.title, s.organiser_code, o.name AS organiser_name, s.status,
       o.l1_code, o.l2_code
FROM credit.seminar s JOIN credit.organiser o USING (organiser_code);

CREATE VIEW portal.session AS
SELECT session_id, seminar_no, session_no, title, starts_at, ends_at, held_on, delivery,
       grace_minutes, capacity, offers
FROM credit.session;

CREATE VIEW portal.upload AS
SELECT u.upload_id, u.upload_no, u.seminar_no, u.organiser_code, u.account_id, u.file_name, u.sha256,
       u.bytes, u.received_at, u.dry_run, u.status, u.version, u.encoding, u.delimiter,
       u.ignored_columns, u.problem, u.header, u.rows_total, u.chunks_total, u.next_chunk,
       u.posted, u.already_posted, u.waiting, u.unmatched, u.absent, u.rejected, u.done_at,
       json_build_object(
           'upload_id', u.upload_id, 'seminar_no', u.seminar_no, 'file_name', u.file_name,
           'sha256', encode(u.sha256, 'hex'), 'bytes', u.bytes, 'encoding', u.encoding,
           'delimiter', u.delimiter, 'dry_run', u.dry_run, 'status', u.status,
           'rows_total', u.rows_total,
           'counts', json_build_object('posted', u.posted, 'already_posted', u.already_posted,
                                       'waiting', u.waiting, 'unmatched', u.unmatched,
                                       'absent', u.absent, 'rejected', u.rejected),
           'ignored_columns', u.ignored_columns, 'problem', u.problem,
           'received_at', portal.rfc3339(u.received_at), 'done_at', portal.rfc3339(u.done_at)) AS json
FROM credit.upload u;

-- Rows of an upload that did not post.
CREATE VIEW portal.upload_row_other AS
SELECT u.upload_id, u.upload_no, r.row_no, r.line_no, r.outcome, r.reason, r.problems, r.register_no,
       r.name_kana, r.same_as_row
FROM credit.upload u JOIN credit.upload_row r USING (upload_no);

-- Those that did, from the chunks' arrays; `first_row` and `last_row` are their chunk's.
CREATE VIEW portal.upload_row_posted AS
SELECT u.upload_id, u.upload_no, c.chunk_no, c.first_row, c.first_row + c.row_count - 1 AS last_row,
       p.row_no, p.line_no, d.register_no::text AS register_no, d.name_kana
FROM credit.upload u
JOIN credit.upload_chunk c USING (upload_no)
CROSS JOIN LATERAL unnest(c.posted_row, c.posted_line, c.posted_doctor)
    AS p (row_no, line_no, doctor_id)
JOIN credit.doctor d ON d.doctor_id = p.doctor_id;

-- All of them.
CREATE VIEW portal.upload_row AS
SELECT upload_id, row_no, line_no, outcome, reason, problems, register_no, name_kana, same_as_row
FROM portal.upload_row_other
UNION ALL
SELECT upload_id, row_no, line_no, 'posted', NULL, '[]'::jsonb, register_no, name_kana, NULL
FROM portal.upload_row_posted;

-- A page of portal.upload_row: the first `most` rows after row `after_row`, in their order; of one
-- outcome, or with NULL of any. Looks only where it has to, for a file may have a million rows.
CREATE FUNCTION portal.upload_rows(wanted_upload uuid, wanted_outcome text, after_row bigint, most bigint)
    RETURNS SETOF portal.upload_row LANGUAGE plpgsql STABLE AS $$
DECLARE
    no bigint;
    chunk int;
    found_rows bigint;
    left_rows bigint := most;
BEGIN
    SELECT u.upload_no INTO no FROM portal.upload u WHERE u.upload_id = wanted_upload;
    IF wanted_outcome IS NULL THEN
        -- Every row ends in one outcome, so the next rows are those with the next numbers.
        RETURN QUERY
            SELECT r.* FROM (
                SELECT o.upload_id, o.row_no, o.line_no, o.outcome, o.reason, o.problems,
                       o.register_no, o.name_kana, o.same_as_row
                FROM portal.upload_row_other o
                WHERE o.upload_no = no AND o.row_no > after_row AND o.row_no <= after_row + most
                UNION ALL
                SELECT p.upload_id, p.row_no, p.line_no, 'posted', NULL, '[]'::jsonb, p.register_no,
                       p.name_kana, NULL
                FROM portal.upload_row_posted p
                WHERE p.upload_no = no AND p.row_no > after_row AND p.row_no <= after_row + most
                  AND p.first_row <= after_row + most AND p.last_row > after_row) AS r
            ORDER BY r.row_no;
    ELSIF wanted_outcome = 'posted' THEN
        FOR chunk IN
            SELECT c.chunk_no FROM portal.upload_chunk c
            WHERE c.upload_no = no AND c.first_row + c.row_count - 1 > after_row ORDER BY c.chunk_no
        LOOP
            RETURN QUERY
                SELECT p.upload_id, p.row_no, p.line_no, 'posted', NULL, '[]'::jsonb, p.register_no,
                       p.name_kana, NULL::int
                FROM portal.upload_row_posted p
                WHERE p.upload_no = no AND p.chunk_no = chunk AND p.row_no > after_row
                ORDER BY p.row_no LIMIT left_rows;
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            left_rows := left_rows - found_rows;
            EXIT WHEN left_rows <= 0;
        END LOOP;
    ELSE
        RETURN QUERY
            SELECT o.upload_id, o.row_no, o.line_no, o.outcome, o.reason, o.problems, o.register_no,
                   o.name_kana, o.same_as_row
            FROM portal.upload_row_other o
            WHERE o.upload_no = no AND o.outcome = wanted_outcome AND o.row_no > after_row
            ORDER BY o.row_no LIMIT most;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION portal.upload_rows(uuid, text, bigint, bigint) TO mamis_gateway;

CREATE VIEW portal.upload_part AS
SELECT u.upload_id, p.part_no, p.bytes
FROM credit.upload u JOIN credit.upload_part p USING (upload_id);

CREATE VIEW portal.upload_chunk AS
SELECT u.upload_id, u.upload_no, c.chunk_no, c.first_row, c.first_line, c.row_count, c.byte_offset,
       c.byte_length
FROM credit.upload u JOIN credit.upload_chunk c USING (upload_no);

-- A doctor's postings (even revisions) with the state of each.
CREATE VIEW portal.credit AS
SELECT l.doctor_id, portal.entry_id(l.doctor_id, l.session_id, l.programme, l.revision) AS entry_id,
       l.session_id, s.seminar_no, m.title AS seminar_title, s.session_no, s.title AS session_title,
       l.held_on, l.programme, l.kind, l.half_units, s.delivery, l.posted_at, l.revision,
       CASE WHEN EXISTS (SELECT FROM credit.ledger c
                         WHERE c.doctor_id = l.doctor_id AND c.session_id = l.session_id
                           AND c.programme = l.programme AND c.revision = l.revision + 1)
            THEN 'cancelled' ELSE 'posted' END AS status
FROM credit.ledger l
JOIN credit.session s USING (session_id)
JOIN credit.seminar m USING (seminar_no)
WHERE l.revision % 2 = 0;

ALTER VIEW portal.seminar OWNER TO mamis_portal;
ALTER VIEW portal.session OWNER TO mamis_portal;
ALTER VIEW portal.upload OWNER TO mamis_portal;
ALTER VIEW portal.upload_row_posted OWNER TO mamis_portal;
ALTER VIEW portal.upload_row OWNER TO mamis_portal;
ALTER VIEW portal.upload_row_other OWNER TO mamis_portal;
ALTER VIEW portal.upload_part OWNER TO mamis_portal;
ALTER VIEW portal.upload_chunk OWNER TO mamis_portal;
ALTER VIEW portal.credit OWNER TO mamis_portal;
GRANT SELECT ON portal.seminar, portal.session, portal.upload, portal.upload_row, portal.upload_row_other,
    portal.upload_row_posted, portal.upload_part,
    portal.upload_chunk, portal.credit TO mamis_gateway;
