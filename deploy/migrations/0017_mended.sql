-- Mended rows, as they are now: in result.csv, and when they are looked for.

-- What was written over rows of an upload, whatever became of them.
CREATE VIEW portal.upload_fix AS
SELECT u.upload_id, u.upload_no, f.row_no, f.cells
FROM credit.upload u JOIN credit.row_fix f USING (upload_no);
ALTER VIEW portal.upload_fix OWNER TO mamis_portal;
GRANT SELECT ON portal.upload_fix TO mamis_gateway;

-- As before; rows are found by their mended cells too. People mend few rows: they come first.
CREATE OR REPLACE FUNCTION portal.upload_rows_found(wanted_upload uuid, wanted_outcome text,
    wanted_reason text, word text, kana text, after_row bigint, most bigint)
    RETURNS SETOF portal.upload_row LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    no bigint;
    mended_rows int[];
    found_rows int[];
BEGIN
    IF wanted_reason IS NULL AND word IS NULL THEN
        RETURN QUERY SELECT * FROM portal.upload_rows(wanted_upload, wanted_outcome, after_row, most);
        RETURN;
    END IF;
    SELECT u.upload_no INTO no FROM credit.upload u WHERE u.upload_id = wanted_upload;
    IF word IS NOT NULL THEN
        SELECT array_agg(f.row_no) INTO mended_rows FROM credit.row_fix f
        WHERE f.upload_no = no AND f.row_no > after_row AND EXISTS (
            SELECT FROM jsonb_each_text(f.cells) AS c (name, value)
            WHERE word ~ '[0-9]' AND position(word IN normalize(c.value, NFKC)) > 0
               OR c.name = 'name_kana' AND position(kana IN portal.kana_plain(c.value)) > 0);
    END IF;
    SELECT array_agg(f.row_no) INTO found_rows FROM (
        SELECT r.row_no
        FROM credit.upload_row r
        WHERE r.upload_no = no AND r.row_no > after_row
          AND (wanted_outcome IS NULL OR r.outcome = wanted_outcome)
          AND (wanted_reason IS NULL OR r.reason = wanted_reason)
          AND (word IS NULL OR r.row_no::text = word OR r.line_no::text = word
               OR r.row_no = ANY (mended_rows)
               OR position(word IN r.register_no) > 0
               OR position(kana IN portal.kana_plain(r.name_kana)) > 0
               OR word ~ '[0-9]' AND EXISTS (
                   SELECT FROM jsonb_array_elements(r.problems) AS p (one)
                   WHERE position(word IN normalize(p.one ->> 'value', NFKC)) > 0))
        UNION ALL
        SELECT p.row_no
        FROM credit.upload_chunk c
        CROSS JOIN LATERAL unnest(c.posted_row, c.posted_line, c.posted_doctor)
            AS p (row_no, line_no, doctor_id)
        JOIN credit.doctor d ON d.doctor_id = p.doctor_id
        WHERE wanted_reason IS NULL AND (wanted_outcome IS NULL OR wanted_outcome = 'posted')
          AND c.upload_no = no AND c.first_row + c.row_count > after_row AND p.row_no > after_row
          AND (p.row_no::text = word OR p.line_no::text = word
               OR p.row_no = ANY (mended_rows)
               OR position(word IN d.register_no::text) > 0 OR position(kana IN d.kana_folded) > 0)
        ORDER BY row_no LIMIT most) AS f;
    RETURN QUERY
        SELECT r.* FROM portal.upload_row r
        WHERE r.upload_id = wanted_upload AND r.row_no = ANY (found_rows) ORDER BY r.row_no;
END $$;
