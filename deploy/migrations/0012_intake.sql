-- Reading an upload: reasons counted over all of it, and rows found by reason, number or kana.
-- The functions belong to mamis_portal, which is not the tables' owner, so row security applies
-- inside them.

-- How often each reason stands in each chunk. `reason` NULL: the outcome needs none.
CREATE VIEW portal.upload_reason AS
SELECT u.upload_id, u.upload_no, c.chunk_no, c.first_row, c.first_row + c.row_count - 1 AS last_row,
       r.one ->> 0 AS outcome, r.one ->> 1 AS reason, (r.one ->> 2)::bigint AS rows
FROM credit.upload u
JOIN credit.upload_chunk c USING (upload_no)
CROSS JOIN LATERAL jsonb_array_elements(c.reasons) AS r (one);
ALTER VIEW portal.upload_reason OWNER TO mamis_portal;
GRANT SELECT ON portal.upload_reason TO mamis_gateway;

-- A kana name for searching: as R-TXT-05 folds it, but for marks that stand apart.
CREATE FUNCTION portal.kana_plain(kana text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(regexp_replace(normalize(kana, NFKC), '[[:space:]]', '', 'g'),
        'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねの'
        'はばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖゝゞ‐‑‒–—―−-~',
        'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノ'
        'ハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶヽヾーーーーーーーーー')
$$;

-- A page of portal.upload_row: the first `most` rows after row `after_row`, in their order. Each
-- wish may be NULL. `word`: the row's or line's number, or part of the register number or of a
-- value that is wrong; `kana`: part of the folded kana name. Planned for the wishes there are: then
-- rows of one reason are read in their order and no further than wanted.
CREATE FUNCTION portal.upload_rows_found(wanted_upload uuid, wanted_outcome text, wanted_reason text,
    word text, kana text, after_row bigint, most bigint)
    RETURNS SETOF portal.upload_row LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    no bigint;
    found_rows int[];
BEGIN
    IF wanted_reason IS NULL AND word IS NULL THEN
        RETURN QUERY SELECT * FROM portal.upload_rows(wanted_upload, wanted_outcome, after_row, most);
        RETURN;
    END IF;
    SELECT u.upload_no INTO no FROM credit.upload u WHERE u.upload_id = wanted_upload;
    SELECT array_agg(f.row_no) INTO found_rows FROM (
        SELECT r.row_no
        FROM credit.upload_row r
        WHERE r.upload_no = no AND r.row_no > after_row
          AND (wanted_outcome IS NULL OR r.outcome = wanted_outcome)
          AND (wanted_reason IS NULL OR r.reason = wanted_reason)
          AND (word IS NULL OR r.row_no::text = word OR r.line_no::text = word
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
               OR position(word IN d.register_no::text) > 0 OR position(kana IN d.kana_folded) > 0)
        ORDER BY row_no LIMIT most) AS f;
    RETURN QUERY
        SELECT r.* FROM portal.upload_row r
        WHERE r.upload_id = wanted_upload AND r.row_no = ANY (found_rows) ORDER BY r.row_no;
END $$;
ALTER FUNCTION portal.upload_rows_found(uuid, text, text, text, text, bigint, bigint)
    OWNER TO mamis_portal;
GRANT EXECUTE ON FUNCTION portal.upload_rows_found(uuid, text, text, text, text, bigint, bigint)
    TO mamis_gateway;
