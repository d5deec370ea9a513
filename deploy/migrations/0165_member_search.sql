-- A member is found however the name is typed (R-TXT-05, domain 10, 86 and 87). For looking only:
-- nobody is matched by a name.

-- Width, voicing marks, hiragana and katakana, dashes, spaces, case, selectors of variants and the
-- variants of characters that names are written with all count as one.
CREATE FUNCTION mamis.search_text(words text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(lower(normalize(words, NFKC)),
        'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖ'
        || 'ー‐‑‒–—―−'
        || '髙﨑邉邊齋斎齊德栁𠮷濵濱澤嶋嶌瀨眞國廣櫻惠圓藏條增壽榮關鐵淵渕'
        || ' ' || chr(160) || chr(917760) || chr(917761) || chr(917762) || chr(917763)
        || chr(917764) || chr(917765) || chr(65024) || chr(65025) || chr(65026),
        'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ'
        || '--------'
        || '高崎辺辺斉斉斉徳柳吉浜浜沢島島瀬真国広桜恵円蔵条増寿栄関鉄渕渕')
$$;

CREATE OR REPLACE FUNCTION portal.member_list(on_day date, q text, after bigint, most int)
    RETURNS TABLE (membership_id bigint, item json) LANGUAGE sql STABLE AS $$
    SELECT m.membership_id, m.item
    FROM portal.member m
    WHERE (m.valid_from IS NULL OR m.valid_from <= on_day)
      AND (m.valid_to IS NULL OR m.valid_to >= on_day)
      AND m.membership_id > after
      AND (q IS NULL OR position(mamis.search_text(q) IN mamis.search_text(m.name)) > 0
           OR position(mamis.search_text(q) IN mamis.search_text(m.name_kana)) > 0
           OR m.register_no = ltrim(mamis.search_text(q), '0')
           OR m.mamis_no = mamis.search_text(q))
    ORDER BY m.membership_id
    LIMIT most
$$;
