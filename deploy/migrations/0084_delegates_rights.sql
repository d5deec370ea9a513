-- Policies of delegations and corrections ask access.yaml, as those of staff do.

-- The delegate's account whose things the role may do it to; NULL otherwise.
CREATE FUNCTION portal.reach_delegate(VARIADIC actions text[]) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(portal.scope_text('delegate'), '')::uuid
    WHERE EXISTS (SELECT FROM portal.access a WHERE a.role = portal.scope_role()
                  AND a.action = ANY (actions) AND a.scope = 'delegated')
$$;
GRANT EXECUTE ON FUNCTION portal.reach_delegate(text[]) TO mamis_gateway, mamis_portal, mamis_operator;

ALTER POLICY delegation_scope ON registration.delegation
    USING (doctor_id = (SELECT portal.reach_own('delegate_manage'))
           OR delegate_id = (SELECT portal.reach_delegate('delegated_read')));
ALTER POLICY correction_scope ON registration.correction
    USING (doctor_id = (SELECT portal.reach_own('correction_ask'))
           OR l2_code = (SELECT portal.reach_code('l2', 'correction_answer'))
           OR (SELECT portal.reach_all('correction_answer')));
