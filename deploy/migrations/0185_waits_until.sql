-- Rows of an upload that was undone wait for nothing any more, also those that waited behind another
-- upload: no day is told of them.
CREATE OR REPLACE VIEW portal.upload_row_other AS
SELECT u.upload_id, u.upload_no, r.row_no, r.line_no, r.outcome, r.reason, r.problems, r.register_no,
       r.name_kana, r.same_as_row, r.suggestion, portal.row_fix(f) AS fixed,
       coalesce(n.notes, '[]') AS notes,
       CASE WHEN u.undo_at IS NULL
            THEN r.waiting_since + (SELECT w.lasts FROM credit.waiting_rule w) END AS waits_until
FROM credit.upload u JOIN credit.upload_row r USING (upload_no)
LEFT JOIN credit.row_fix f ON f.upload_no = r.upload_no AND f.row_no = r.row_no
LEFT JOIN credit.row_note n ON n.upload_no = r.upload_no AND n.row_no = r.row_no;

CREATE OR REPLACE VIEW portal.upload_waiting AS
SELECT u.upload_id, u.upload_no, f.waiting_since + w.lasts AS waits_until
FROM credit.upload u CROSS JOIN credit.waiting_rule w
CROSS JOIN LATERAL (SELECT r.waiting_since FROM credit.upload_row r
    WHERE r.upload_no = u.upload_no AND r.waiting_since IS NOT NULL
    ORDER BY r.waiting_since LIMIT 1) AS f
WHERE u.undo_at IS NULL;
