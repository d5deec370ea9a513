-- Policies of procedures, memberships and their doctors ask the rights of access.yaml, as the others do.

-- app.scope itself, when its role may do the action to what came to its own desk; NULL otherwise.
CREATE FUNCTION portal.reach_desk(VARIADIC actions text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.scope', true), '')
    WHERE EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                  AND a.action = ANY (actions) AND a.scope = 'organisation')
$$;
GRANT EXECUTE ON FUNCTION portal.reach_desk(text[]) TO mamis_gateway, mamis_portal, mamis_operator;

ALTER POLICY procedure_scope ON registration.procedure
    USING (doctor_id = (SELECT portal.reach_own('procedure_read_own'))
           OR offices @> ARRAY[(SELECT coalesce(portal.reach_desk('procedure_read'), '-'))]
           OR confirm_desk = (SELECT portal.reach_desk('procedure_read'))
           OR (SELECT portal.reach_all('procedure_read')));
ALTER POLICY membership_scope ON registration.membership
    USING (doctor_id = (SELECT portal.reach_own('procedure_read_own'))
           OR (layer = 1 AND code = (SELECT portal.reach_code('l1', 'member_read')))
           OR (layer = 2 AND code = (SELECT portal.reach_code('l2', 'member_read')))
           OR (layer = 3 AND (SELECT portal.reach_kind('l3', 'member_read')))
           OR (SELECT portal.reach_all('member_read')));
-- Whom a membership or a procedure names that one sees.
ALTER POLICY doctor_member ON registration.doctor
    USING ((SELECT portal.reach_desk('member_read', 'procedure_read') IS NOT NULL
                   OR portal.reach_all('member_read', 'procedure_read'))
           AND (EXISTS (SELECT FROM registration.membership m WHERE m.doctor_id = doctor.doctor_id)
                OR EXISTS (SELECT FROM registration.procedure p
                           WHERE p.doctor_id = doctor.doctor_id)));
-- Whoever may see an upload sees the entries that it posted; a doctor need not look through them.
ALTER POLICY ledger_upload ON credit.ledger
    USING ((SELECT portal.reach_desk('upload_read') IS NOT NULL OR portal.reach_all('upload_read'))
           AND EXISTS (SELECT FROM credit.upload u WHERE u.upload_no = ledger.upload_no));
