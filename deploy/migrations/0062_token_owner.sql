-- Tokens are also made and revoked in the portal: by whom. NULL: by an operator.
ALTER TABLE gateway.token ADD COLUMN created_by uuid, ADD COLUMN revoked_by uuid;
