-- The list that is imported names the primary L1 only and says nothing of a second one (domain 10, 79):
-- that one goes on, unless it is the primary one from now on or the doctor is nobody's member any more.
-- The rest is as in 0050.

CREATE OR REPLACE FUNCTION registration.note_members() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO registration.association (layer, code, l2_code)
    SELECT DISTINCT 1, l1_code, l2_code FROM new_rows WHERE l1_code <> '' AND l2_code <> ''
    ON CONFLICT (layer, code) DO NOTHING;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registration.membership (doctor_id, layer, code, category, began_by)
        SELECT n.doctor_id, want.layer, want.code, want.category, 'import'
        FROM new_rows AS n CROSS JOIN LATERAL (VALUES
            (1, n.l1_code, '', n.l1_code <> ''),
            (2, n.l2_code, '', n.l1_code <> '' AND n.l2_code <> ''),
            (3, '', n.l3_category, n.l1_code <> '' AND n.l2_code <> '' AND n.l3_category <> '')
        ) AS want (layer, code, category, wanted)
        WHERE want.wanted;
        RETURN NULL;
    END IF;
    CREATE TEMPORARY TABLE wanted_membership ON COMMIT DROP AS
    SELECT n.doctor_id, (n.changed_at AT TIME ZONE '+09:00'::interval)::date AS day, want.layer,
           want.code, want.category
    FROM new_rows AS n JOIN old_rows AS o USING (doctor_id) CROSS JOIN LATERAL (VALUES
        (0, '', '', true), -- stands for the doctor, also when nothing is left
        (1, n.l1_code, '', n.l1_code <> ''),
        (2, n.l2_code, '', n.l1_code <> '' AND n.l2_code <> ''
            AND (n.l3_category <> '' OR (n.l1_code, n.l2_code) <> (o.l1_code, o.l2_code)
                 OR EXISTS (SELECT FROM registration.membership AS m WHERE m.doctor_id = n.doctor_id
                            AND m.layer = 2 AND m.valid_to IS NULL))),
        (3, '', n.l3_category, n.l1_code <> '' AND n.l2_code <> '' AND n.l3_category <> '')
    ) AS want (layer, code, category, wanted)
    WHERE want.wanted AND (n.l1_code, n.l2_code, n.l3_category)
                          <> (o.l1_code, o.l2_code, o.l3_category);
    -- What began today and is not so was never so.
    DELETE FROM registration.membership AS m USING wanted_membership AS w
    WHERE w.doctor_id = m.doctor_id AND w.layer = 0 AND m.valid_to IS NULL
      AND m.valid_from >= w.day
      AND NOT EXISTS (SELECT FROM wanted_membership AS k WHERE k.doctor_id = m.doctor_id
                      AND k.layer = m.layer AND (k.code = m.code) = m.is_primary
                      AND (k.layer < 3 OR k.category = m.category));
    UPDATE registration.membership AS m SET valid_to = w.day - 1, ended_by = 'import'
    FROM wanted_membership AS w
    WHERE w.doctor_id = m.doctor_id AND w.layer = 0 AND m.valid_to IS NULL
      AND NOT EXISTS (SELECT FROM wanted_membership AS k WHERE k.doctor_id = m.doctor_id
                      AND k.layer = m.layer AND (k.code = m.code) = m.is_primary
                      AND (k.layer < 3 OR k.category = m.category));
    INSERT INTO registration.membership (doctor_id, layer, code, category, valid_from, began_by)
    SELECT w.doctor_id, w.layer, w.code, w.category, w.day, 'import'
    FROM wanted_membership AS w
    WHERE w.layer > 0
      AND NOT EXISTS (SELECT FROM registration.membership AS m WHERE m.doctor_id = w.doctor_id
                      AND m.layer = w.layer AND m.valid_to IS NULL AND m.is_primary);
    DROP TABLE wanted_membership;
    RETURN NULL;
END $$;
