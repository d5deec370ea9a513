-- Corrections by counter-entry: who took credits back, seen by those who may see the upload.

ALTER TABLE credit.ledger ADD COLUMN actor_role text, ADD COLUMN actor_code text;
COMMENT ON COLUMN credit.ledger.actor IS 'account, or token of an organiser''s program';
COMMENT ON COLUMN credit.ledger.actor_code IS 'of the organiser or association at that time';

-- Whoever may see an upload sees the entries that it posted.
CREATE POLICY ledger_upload ON credit.ledger FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM credit.upload u WHERE u.upload_no = ledger.upload_no));

-- Reads what portal.entry_id() made, but for the programme; nothing for anything else.
CREATE FUNCTION portal.entry_key(entry_id text, OUT doctor_id bigint, OUT session_id bigint,
                                 OUT revision smallint)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    bytes bytea;
BEGIN
    IF entry_id !~ '^[A-Za-z0-9_-]{26,40}$' OR length(entry_id) % 4 = 1 THEN
        RETURN;
    END IF;
    bytes := decode(rpad(translate(entry_id, '-_', '+/'), (length(entry_id) + 3) / 4 * 4, '='), 'base64');
    doctor_id := ('x' || encode(substr(bytes, 1, 8), 'hex'))::bit(64)::bigint;
    session_id := ('x' || encode(substr(bytes, 9, 8), 'hex'))::bit(64)::bigint;
    revision := (get_byte(bytes, 16) % 128) * 256 + get_byte(bytes, 17);
END $$;

-- A posting by its entry_id, in any scope that may see it; no row for anything else.
CREATE FUNCTION portal.credit_of(wanted text) RETURNS SETOF portal.credit LANGUAGE sql STABLE AS $$
    SELECT c.* FROM portal.entry_key(wanted) AS k
    JOIN portal.credit AS c ON c.doctor_id = k.doctor_id AND c.session_id = k.session_id
                           AND c.revision = k.revision AND c.entry_id = wanted
$$;

-- The upload that posted it.
CREATE VIEW portal.credit_upload AS
SELECT l.doctor_id, l.session_id, l.programme, l.revision, u.upload_id, u.upload_no, l.row_no
FROM credit.ledger l JOIN credit.upload u USING (upload_no);
ALTER VIEW portal.credit_upload OWNER TO mamis_portal;

GRANT SELECT ON portal.credit_upload TO mamis_gateway;
GRANT EXECUTE ON FUNCTION portal.entry_key(text), portal.credit_of(text)
    TO mamis_gateway, mamis_portal;

-- Undo of a whole upload. From `undo_at` on nothing of it posts.
ALTER TABLE credit.upload ADD COLUMN undo_at timestamptz;

-- How far each undo has come: it writes counter-entries in slices.
CREATE TABLE credit.undo (
    upload_id    uuid PRIMARY KEY,
    operation_id uuid NOT NULL,
    actor        uuid NOT NULL,
    actor_role   text NOT NULL,
    actor_code   text NOT NULL,
    reason       text NOT NULL,
    accepted_at  timestamptz NOT NULL,
    slice_no     int NOT NULL DEFAULT 0,    -- that comes next
    next_chunk   int NOT NULL DEFAULT 0,    -- those before are taken back
    entries      bigint NOT NULL DEFAULT 0, -- counter-entries so far
    done_at      timestamptz
);
ALTER TABLE credit.undo OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON credit.undo TO mamis_credit;
GRANT SELECT ON credit.undo TO mamis_operator, mamis_portal;

-- The organiser or association that somebody acted for; NULL for the national one.
CREATE FUNCTION portal.office_name(role text, code text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT o.name FROM credit.organiser o
    WHERE (role = 'organiser' AND o.organiser_code = code)
       OR (role = 'office_l1' AND o.kind = 'l1' AND o.l1_code = code)
       OR (role = 'office_l2' AND o.kind = 'l2' AND o.l2_code = code)
    ORDER BY o.organiser_code LIMIT 1
$$;
ALTER FUNCTION portal.office_name(text, text) OWNER TO mamis_owner;
GRANT EXECUTE ON FUNCTION portal.office_name(text, text) TO mamis_gateway, mamis_portal;

CREATE OR REPLACE VIEW portal.upload AS
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
           'received_at', portal.rfc3339(u.received_at), 'done_at', portal.rfc3339(u.done_at),
           'undo', CASE WHEN u.undo_at IS NOT NULL THEN (
               SELECT json_build_object(
                   'accepted_at', portal.rfc3339(x.accepted_at), 'done_at', portal.rfc3339(x.done_at),
                   'reason', x.reason, 'role', x.actor_role,
                   'office_name', portal.office_name(x.actor_role, x.actor_code))
               FROM credit.undo x WHERE x.upload_id = u.upload_id) END) AS json
FROM credit.upload u;

-- What became of a credit: each revision, when, by whom, why. ---------------------------------------

-- The organiser of an upload, which the doctor cannot see otherwise.
CREATE FUNCTION portal.upload_office(wanted bigint) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT o.name FROM credit.upload u JOIN credit.organiser o USING (organiser_code)
    WHERE u.upload_no = wanted
$$;
ALTER FUNCTION portal.upload_office(bigint) OWNER TO mamis_owner;

CREATE VIEW portal.credit_revision AS
SELECT l.doctor_id, l.session_id, l.programme, l.revision, l.posted_at, l.kind, l.half_units, l.reason,
       coalesce(l.actor_role, 'organiser') AS role,
       CASE WHEN l.actor_role IS NULL THEN portal.upload_office(l.upload_no)
            ELSE portal.office_name(l.actor_role, l.actor_code) END AS office_name
FROM credit.ledger l;
ALTER VIEW portal.credit_revision OWNER TO mamis_portal;

-- `names`: name of each kind by its code.
CREATE FUNCTION portal.credit_json(c portal.credit, names jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'entry_id', c.entry_id, 'seminar_no', c.seminar_no, 'seminar_title', c.seminar_title,
        'session_no', c.session_no, 'session_title', c.session_title, 'held_on', c.held_on,
        'programme', c.programme, 'kind', c.kind, 'kind_name', names ->> c.kind,
        'half_units', c.half_units, 'delivery', c.delivery,
        'posted_at', portal.rfc3339(c.posted_at), 'status', c.status)
$$;

-- Everything that was posted and cancelled for the same session and programme, oldest first.
CREATE FUNCTION portal.credit_with_history(c portal.credit, names jsonb) RETURNS jsonb
    LANGUAGE sql STABLE AS $$
    SELECT portal.credit_json(c, names) || jsonb_build_object('history', (
        SELECT jsonb_agg(jsonb_build_object(
            'at', portal.rfc3339(r.posted_at),
            'action', CASE WHEN r.revision % 2 = 0 THEN 'posted' ELSE 'cancelled' END,
            'kind', r.kind, 'kind_name', names ->> r.kind, 'half_units', abs(r.half_units),
            'role', r.role, 'office_name', r.office_name, 'reason', r.reason) ORDER BY r.revision)
        FROM portal.credit_revision AS r
        WHERE r.doctor_id = c.doctor_id AND r.session_id = c.session_id
          AND r.programme = c.programme))
$$;

CREATE VIEW portal.upload_chunk_posted AS
SELECT u.upload_id, u.upload_no, c.first_row, c.first_row + c.row_count - 1 AS last_row, p.row_no,
       p.doctor_id, p.session_id
FROM credit.upload u
JOIN credit.upload_chunk c USING (upload_no)
CROSS JOIN LATERAL unnest(c.posted_row, c.posted_doctor, c.posted_session)
    AS p (row_no, doctor_id, session_id);
ALTER VIEW portal.upload_chunk_posted OWNER TO mamis_portal;

-- What a row of an upload posted, with its history; NULL when there is no such row to see.
CREATE FUNCTION portal.row_credits(wanted_upload uuid, wanted_row bigint, names jsonb) RETURNS jsonb
    LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('items', coalesce((
        SELECT jsonb_agg(portal.credit_with_history(c, names) ORDER BY c.programme, c.revision)
        FROM portal.upload_chunk_posted AS p
        JOIN portal.credit_upload AS u USING (upload_no, doctor_id, session_id, row_no)
        JOIN portal.credit AS c USING (doctor_id, session_id, programme, revision)
        WHERE p.upload_id = wanted_upload AND p.row_no = wanted_row
          AND wanted_row BETWEEN p.first_row AND p.last_row), '[]'))
    FROM portal.upload AS o WHERE o.upload_id = wanted_upload
$$;

GRANT SELECT ON portal.credit_revision, portal.upload_chunk_posted TO mamis_gateway;
GRANT EXECUTE ON FUNCTION portal.upload_office(bigint), portal.credit_json(portal.credit, jsonb),
    portal.credit_with_history(portal.credit, jsonb), portal.row_credits(uuid, bigint, jsonb)
    TO mamis_gateway, mamis_portal;

-- Lists of applications flag those that rely on a credit cancelled since.
CREATE OR REPLACE FUNCTION portal.application_list(wanted_status text, before_time timestamptz,
                                                   before_id uuid, most int)
    RETURNS TABLE (submitted_at timestamptz, application_id uuid, item json)
    LANGUAGE sql STABLE AS $$
    SELECT a.submitted_at, a.application_id,
           (a.item::jsonb || jsonb_build_object('credits_cancelled', (
               SELECT count(*) FROM json_array_elements(a.credits) AS c (one)
               WHERE c.one ->> 'status' = 'cancelled')))::json
    FROM portal.application a
    WHERE (wanted_status IS NULL OR a.status = wanted_status)
      AND (before_time IS NULL OR (a.submitted_at, a.application_id) < (before_time, before_id))
    ORDER BY a.submitted_at DESC, a.application_id DESC
    LIMIT most
$$;
