-- What a row of an upload tells beside its outcome: the moment until which it waits, and what is no
-- problem of it.

-- How long a row waits for a doctor's My Page (R-ACC-10): setting waiting_days of credit, written by
-- it when it starts. What is given up and what people are told both come from here.
CREATE TABLE credit.waiting_rule (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    days  int NOT NULL CHECK (days > 0),
    lasts interval NOT NULL GENERATED ALWAYS AS (days * interval '24 hours') STORED
);
ALTER TABLE credit.waiting_rule OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON credit.waiting_rule TO mamis_credit;
GRANT SELECT ON credit.waiting_rule TO mamis_portal, mamis_operator;
-- The row of an upload that waits the shortest is read without the others.
CREATE INDEX upload_row_waiting_of ON credit.upload_row (upload_no, waiting_since)
    WHERE waiting_since IS NOT NULL;

-- Remarks about a row, whatever became of it; written as its problems are. Rows without have none.
CREATE TABLE credit.row_note (
    upload_no bigint NOT NULL,
    row_no    int NOT NULL,
    notes     jsonb NOT NULL,
    PRIMARY KEY (upload_no, row_no)
);
ALTER TABLE credit.row_note OWNER TO mamis_owner;
GRANT SELECT, INSERT, DELETE ON credit.row_note TO mamis_credit;
GRANT SELECT ON credit.row_note TO mamis_portal, mamis_operator;

CREATE OR REPLACE VIEW portal.upload_row_other AS
SELECT u.upload_id, u.upload_no, r.row_no, r.line_no, r.outcome, r.reason, r.problems, r.register_no,
       r.name_kana, r.same_as_row, r.suggestion, portal.row_fix(f) AS fixed,
       coalesce(n.notes, '[]') AS notes,
       r.waiting_since + (SELECT w.lasts FROM credit.waiting_rule w) AS waits_until
FROM credit.upload u JOIN credit.upload_row r USING (upload_no)
LEFT JOIN credit.row_fix f ON f.upload_no = r.upload_no AND f.row_no = r.row_no
LEFT JOIN credit.row_note n ON n.upload_no = r.upload_no AND n.row_no = r.row_no;
CREATE OR REPLACE VIEW portal.upload_row_posted AS
SELECT u.upload_id, u.upload_no, c.chunk_no, c.first_row, c.first_row + c.row_count - 1 AS last_row,
       p.row_no, p.line_no, d.register_no::text AS register_no, d.name_kana, portal.row_fix(f) AS fixed,
       coalesce(n.notes, '[]') AS notes
FROM credit.upload u
JOIN credit.upload_chunk c USING (upload_no)
CROSS JOIN LATERAL unnest(c.posted_row, c.posted_line, c.posted_doctor)
    AS p (row_no, line_no, doctor_id)
JOIN credit.doctor d ON d.doctor_id = p.doctor_id
LEFT JOIN credit.row_fix f ON f.upload_no = u.upload_no AND f.row_no = p.row_no
LEFT JOIN credit.row_note n ON n.upload_no = u.upload_no AND n.row_no = p.row_no;
CREATE OR REPLACE VIEW portal.upload_row AS
SELECT upload_id, row_no, line_no, outcome, reason, problems, register_no, name_kana, same_as_row,
       suggestion, fixed, notes, waits_until
FROM portal.upload_row_other
UNION ALL
SELECT upload_id, row_no, line_no, 'posted', NULL, '[]'::jsonb, register_no, name_kana, NULL, NULL, fixed,
       notes, NULL
FROM portal.upload_row_posted;

-- When the first row of an upload is given up that waits; no row where none does.
CREATE VIEW portal.upload_waiting AS
SELECT u.upload_id, u.upload_no, f.waiting_since + w.lasts AS waits_until
FROM credit.upload u CROSS JOIN credit.waiting_rule w
CROSS JOIN LATERAL (SELECT r.waiting_since FROM credit.upload_row r
    WHERE r.upload_no = u.upload_no AND r.waiting_since IS NOT NULL
    ORDER BY r.waiting_since LIMIT 1) AS f;
ALTER VIEW portal.upload_waiting OWNER TO mamis_portal;
GRANT SELECT ON portal.upload_waiting TO mamis_gateway;

-- As before, with what is told.
CREATE OR REPLACE FUNCTION portal.upload_rows(wanted_upload uuid, wanted_outcome text, after_row bigint,
    most bigint)
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
                       o.register_no, o.name_kana, o.same_as_row, o.suggestion, o.fixed, o.notes,
                       o.waits_until
                FROM portal.upload_row_other o
                WHERE o.upload_no = no AND o.row_no > after_row AND o.row_no <= after_row + most
                UNION ALL
                SELECT p.upload_id, p.row_no, p.line_no, 'posted', NULL, '[]'::jsonb, p.register_no,
                       p.name_kana, NULL, NULL, p.fixed, p.notes, NULL
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
                       p.name_kana, NULL::int, NULL::jsonb, p.fixed, p.notes, NULL::timestamptz
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
                   o.name_kana, o.same_as_row, o.suggestion, o.fixed, o.notes, o.waits_until
            FROM portal.upload_row_other o
            WHERE o.upload_no = no AND o.outcome = wanted_outcome AND o.row_no > after_row
            ORDER BY o.row_no LIMIT most;
    END IF;
END $$;
