-- The kinds that a doctor chose at sign-up where a session offers alternatives (R-SEM-09).

ALTER TABLE credit.signup ADD COLUMN choices jsonb; -- {session_no: "OPB-K/SPR"}; NULL: nothing is chosen

CREATE OR REPLACE VIEW portal.seminar_signup AS
SELECT seminar_no, doctor_id, version, state, line_no, asked_at,
       delegation_id IS NOT NULL AS by_delegate, choices
FROM credit.signup;

-- Where there is a choice, what the doctor of the scope chose, and whether it is too late to choose.
-- `names`: name of each kind by its code.
CREATE FUNCTION portal.kind_choices(wanted text, names jsonb) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(json_build_object(
        'session_no', n.session_no, 'session_title', n.title,
        'kinds', (SELECT json_agg(json_build_object(
                      'kind', k.kind, 'kind_name', names ->> k.kind, 'half_units', k.half_units)
                      ORDER BY k.place)
                  FROM (SELECT split_part(o, ':', 1) AS kind, place,
                               (split_part(o, ':', 2)::numeric * 2)::int AS half_units
                        FROM unnest(a.list) WITH ORDINALITY AS u (o, place)) AS k),
        'chosen', (SELECT c FROM string_to_table(g.choices ->> n.session_no, '/') AS c
                   JOIN unnest(a.list) AS o ON split_part(o, ':', 1) = c),
        'posted', EXISTS (SELECT FROM portal.credit p WHERE p.session_id = n.session_id
                          AND p.doctor_id = portal.credit_doctor() AND p.status = 'posted'))
        ORDER BY n.starts_at, n.session_id, a.place), '[]')
    FROM portal.session n
    CROSS JOIN LATERAL (
        SELECT string_to_array(offers, '|') AS list, place
        FROM unnest(string_to_array(replace(n.offers, ' ', ''), ';')) WITH ORDINALITY
            AS w (offers, place)
        WHERE position('|' IN offers) > 0) AS a
    LEFT JOIN portal.seminar_signup g
        ON g.seminar_no = n.seminar_no AND g.doctor_id = portal.credit_doctor()
        AND g.state <> 'cancelled_by_doctor'
    WHERE n.seminar_no = wanted
$$;

CREATE FUNCTION portal.open_seminar_json(wanted text, now timestamptz, names jsonb) RETURNS jsonb
    LANGUAGE sql STABLE AS $$
    SELECT portal.open_seminar_json(wanted, now)::jsonb
        || jsonb_build_object('choices', portal.kind_choices(wanted, names))
$$;
GRANT EXECUTE ON FUNCTION portal.kind_choices(text, jsonb),
    portal.open_seminar_json(text, timestamptz, jsonb) TO mamis_gateway, mamis_portal;
