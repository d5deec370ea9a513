-- A delegate ends a delegation by itself.

ALTER TABLE registration.delegation_history DROP CONSTRAINT IF EXISTS delegation_history_action_check;
ALTER TABLE registration.delegation_history ADD CONSTRAINT delegation_history_action_check
    CHECK (action IN ('invited', 'accepted', 'revoked', 'resigned'));

ALTER POLICY delegation_scope ON registration.delegation
    USING (doctor_id = (SELECT portal.reach_own('delegate_manage'))
           OR delegate_id = (SELECT portal.reach_delegate('delegated_read', 'delegated_end')));
