-- Who was a member since before the records begin was none before the licence: a list of a day long ago
-- names nobody who was not a doctor yet.

CREATE OR REPLACE VIEW portal.member AS
SELECT m.membership_id, m.layer, m.code, m.valid_from, m.valid_to, d.name, d.name_kana,
       d.register_no, d.mamis_no,
       json_build_object('layer', m.layer, 'code', m.code, 'category', m.category,
                         'primary', m.is_primary, 'valid_from', m.valid_from,
                         'valid_to', m.valid_to, 'mamis_no', d.mamis_no,
                         'register_no', d.register_no, 'name', d.name,
                         'name_kana', d.name_kana) AS item,
       coalesce(m.valid_from, d.licensed_on) AS member_from
FROM registration.membership m JOIN registration.doctor d USING (doctor_id);

CREATE OR REPLACE FUNCTION portal.member_list(on_day date, q text, after bigint, most int)
    RETURNS TABLE (membership_id bigint, item json) LANGUAGE sql STABLE AS $$
    SELECT m.membership_id, m.item
    FROM portal.member m
    WHERE (m.member_from IS NULL OR m.member_from <= on_day)
      AND (m.valid_to IS NULL OR m.valid_to >= on_day)
      AND m.membership_id > after
      AND (q IS NULL OR m.name ~* (SELECT mamis.search_pattern(q))
           OR m.name_kana ~* (SELECT mamis.search_pattern(q))
           OR m.register_no = (SELECT ltrim(mamis.search_text(q), '0'))
           OR m.mamis_no = (SELECT mamis.search_text(q)))
    ORDER BY m.membership_id
    LIMIT most
$$;
