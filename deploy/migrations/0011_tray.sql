-- The tray: rows that wait, did not match or were rejected can be put right where they are, and
-- rows that wait post by themselves or expire. Dry runs can be posted.

-- A register number close by whose doctor has the row's kana name: {"register_no", "name_kana"}.
ALTER TABLE credit.upload_row ADD COLUMN suggestion jsonb;
-- Since when a row waits, which is when its days begin (R-ACC-10). NULL: it does not.
ALTER TABLE credit.upload_row ADD COLUMN waiting_since timestamptz;
UPDATE credit.upload_row r SET waiting_since = u.received_at FROM credit.upload u
    WHERE u.upload_no = r.upload_no AND r.outcome = 'waiting' AND NOT u.dry_run;
CREATE INDEX upload_row_waiting ON credit.upload_row (waiting_since) WHERE waiting_since IS NOT NULL;

-- What was written over the cells of a row; the file stays as it came. Columns by their English
-- names. A row that posted thereby is among the chunk's posted rows, and this row stays.
CREATE TABLE credit.row_fix (
    upload_no bigint NOT NULL,
    row_no    int NOT NULL,
    cells     jsonb NOT NULL,
    fixed_at  timestamptz NOT NULL,    -- the last time
    PRIMARY KEY (upload_no, row_no)
);

-- A dry run that was posted goes on under a new upload_no; its rows under the old one go later.
CREATE TABLE credit.upload_past (
    upload_no bigint PRIMARY KEY
);

ALTER TABLE credit.row_fix OWNER TO mamis_owner;
ALTER TABLE credit.upload_past OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON credit.row_fix TO mamis_credit, mamis_operator;
GRANT SELECT, INSERT, DELETE ON credit.upload_past TO mamis_credit;
GRANT SELECT ON credit.upload_past TO mamis_operator;
-- A row that posts leaves the rows that did not.
GRANT DELETE ON credit.upload_row TO mamis_credit;
GRANT SELECT ON credit.row_fix TO mamis_portal;

-- What was written over a row: {"at", "cells"}, NULL for nothing.
CREATE FUNCTION portal.row_fix(f credit.row_fix) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN f.row_no IS NOT NULL
           THEN jsonb_build_object('at', portal.rfc3339(f.fixed_at), 'cells', f.cells) END
$$;
GRANT EXECUTE ON FUNCTION portal.row_fix(credit.row_fix) TO mamis_gateway, mamis_portal;

DROP FUNCTION portal.upload_rows(uuid, text, bigint, bigint);
CREATE OR REPLACE VIEW portal.upload_row_other AS
SELECT u.upload_id, u.upload_no, r.row_no, r.line_no, r.outcome, r.reason, r.problems, r.register_no,
       r.name_kana, r.same_as_row, r.suggestion, portal.row_fix(f) AS fixed
FROM credit.upload u JOIN credit.upload_row r USING (upload_no)
LEFT JOIN credit.row_fix f ON f.upload_no = r.upload_no AND f.row_no = r.row_no;
CREATE OR REPLACE VIEW portal.upload_row_posted AS
SELECT u.upload_id, u.upload_no, c.chunk_no, c.first_row, c.first_row + c.row_count - 1 AS last_row,
       p.row_no, p.line_no, d.register_no::text AS register_no, d.name_kana, portal.row_fix(f) AS fixed
FROM credit.upload u
JOIN credit.upload_chunk c USING (upload_no)
CROSS JOIN LATERAL unnest(c.posted_row, c.posted_line, c.posted_doctor)
    AS p (row_no, line_no, doctor_id)
JOIN credit.doctor d ON d.doctor_id = p.doctor_id
LEFT JOIN credit.row_fix f ON f.upload_no = u.upload_no AND f.row_no = p.row_no;
CREATE OR REPLACE VIEW portal.upload_row AS
SELECT upload_id, row_no, line_no, outcome, reason, problems, register_no, name_kana, same_as_row,
       suggestion, fixed
FROM portal.upload_row_other
UNION ALL
SELECT upload_id, row_no, line_no, 'posted', NULL, '[]'::jsonb, register_no, name_kana, NULL, NULL, fixed
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
                       o.register_no, o.name_kana, o.same_as_row, o.suggestion, o.fixed
                FROM portal.upload_row_other o
                WHERE o.upload_no = no AND o.row_no > after_row AND o.row_no <= after_row + most
                UNION ALL
                SELECT p.upload_id, p.row_no, p.line_no, 'posted', NULL, '[]'::jsonb, p.register_no,
                       p.name_kana, NULL, NULL, p.fixed
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
                       p.name_kana, NULL::int, NULL::jsonb, p.fixed
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
                   o.name_kana, o.same_as_row, o.suggestion, o.fixed
            FROM portal.upload_row_other o
            WHERE o.upload_no = no AND o.outcome = wanted_outcome AND o.row_no > after_row
            ORDER BY o.row_no LIMIT most;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION portal.upload_rows(uuid, text, bigint, bigint) TO mamis_gateway;

