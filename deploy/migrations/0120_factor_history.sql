-- What was done to an account's second factors, by its owner or by an operator. Append-only, and
-- linked as all histories are.

SET LOCAL ROLE mamis_owner;
CREATE TABLE gateway.factor_history (
    entry_no   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    at         timestamptz NOT NULL,
    -- reset: all of them, by an operator; forgotten: all of them, with a first login begun anew
    action     text NOT NULL CHECK (action IN ('totp_added', 'totp_removed', 'passkey_added',
                                               'passkey_removed', 'recovery_codes', 'reset',
                                               'forgotten')),
    by_owner   boolean NOT NULL
);
CREATE INDEX factor_history_account ON gateway.factor_history (account_id, entry_no);
GRANT SELECT, INSERT ON gateway.factor_history TO mamis_gateway, mamis_operator;
RESET ROLE;

SELECT mamis.chain_table('gateway', 'factor_history');
