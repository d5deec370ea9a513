-- As 0165 finds members, at the price of one regular expression a member: folding every name of a large
-- association took longer than anybody waits. What is looked for is folded instead, once, and made
-- a pattern of all ways to write it.

-- For ~*. Between two characters spaces and selectors of variants may stand.
CREATE FUNCTION mamis.search_pattern(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH ways AS MATERIALIZED (
        SELECT way, mamis.search_text(way) AS folded FROM (
            SELECT chr(n) FROM generate_series(x'3041'::int, x'3096'::int) AS n -- hiragana
            UNION SELECT chr(n) FROM generate_series(x'ff01'::int, x'ff5e'::int) AS n -- wide Latin
            UNION SELECT normalize(chr(n), NFD) -- kana and their voicing marks, apart
                  FROM generate_series(x'3041'::int, x'30f6'::int) AS n
            UNION SELECT chr(n) || mark FROM generate_series(x'ff66'::int, x'ff9d'::int) AS n, -- half-width
                         (VALUES (''), (chr(x'ff9e'::int)), (chr(x'ff9f'::int))) AS m (mark)
            UNION SELECT regexp_split_to_table('ー‐‑‒–—―−ｰ髙﨑邉邊齋斎齊德栁𠮷濵濱澤嶋嶌瀨眞國廣櫻惠圓藏條增壽榮關鐵淵', '')
        ) AS w (way)),
    sought AS (
        SELECT place, letter FROM regexp_split_to_table(mamis.search_text(words), '')
            WITH ORDINALITY AS s (letter, place) WHERE letter <> '')
    SELECT coalesce(string_agg(
        '(?:' || concat_ws('|', CASE WHEN letter ~ '[[:alnum:]]' THEN letter ELSE '\' || letter END,
                           (SELECT string_agg(CASE WHEN way ~ '^[[:alnum:]]' THEN way
                                                   ELSE '\' || way END, '|' ORDER BY way)
                            FROM ways WHERE folded = letter AND way <> letter)) || ')',
        '[ \u00a0\u3000\ufe00-\ufe0f\U000e0100-\U000e01ef]*' ORDER BY place), '')
    FROM sought
$$;

CREATE OR REPLACE FUNCTION portal.member_list(on_day date, q text, after bigint, most int)
    RETURNS TABLE (membership_id bigint, item json) LANGUAGE sql STABLE AS $$
    SELECT m.membership_id, m.item
    FROM portal.member m
    WHERE (m.valid_from IS NULL OR m.valid_from <= on_day)
      AND (m.valid_to IS NULL OR m.valid_to >= on_day)
      AND m.membership_id > after
      AND (q IS NULL OR m.name ~* (SELECT mamis.search_pattern(q))
           OR m.name_kana ~* (SELECT mamis.search_pattern(q))
           OR m.register_no = (SELECT ltrim(mamis.search_text(q), '0'))
           OR m.mamis_no = (SELECT mamis.search_text(q)))
    ORDER BY m.membership_id
    LIMIT most
$$;
