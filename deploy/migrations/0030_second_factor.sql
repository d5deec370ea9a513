-- Second factors, the owner's view of sessions, and proof that somebody is still who they were.
-- No secret stands here in clear: that of an authenticator app is sealed under a key outside the
-- database, recovery codes are HMACs under the same key, passkeys are public keys.

-- Known to the owner by `session_id`, never by the token. `proved_at`: when password, second factor
-- or passkey were given last; sensitive changes want that to be recent.
ALTER TABLE gateway.session
    ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN factor_pending boolean NOT NULL DEFAULT false,
    ADD COLUMN proved_at timestamptz;
UPDATE gateway.session SET proved_at = created_at;
ALTER TABLE gateway.session ALTER COLUMN proved_at SET NOT NULL;

-- An authenticator app (RFC 6238). `last_step`: the time step whose code was used last; that code
-- and those before it are never taken again. Not in use until it was confirmed by a code.
CREATE TABLE gateway.totp (
    account_id   uuid PRIMARY KEY,
    sealed       bytea NOT NULL CHECK (length(sealed) = 60),
    begun_at     timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

CREATE TABLE gateway.recovery_code (
    account_id uuid NOT NULL,
    hmac       bytea NOT NULL CHECK (length(hmac) = 32),
    made_at    timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, hmac)
);

-- WebAuthn credentials: the public key as the browser gives it (SubjectPublicKeyInfo).
CREATE TABLE gateway.passkey (
    passkey_id    uuid PRIMARY KEY,
    account_id    uuid NOT NULL,
    credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 16 AND 1023),
    public_key    bytea NOT NULL CHECK (length(public_key) <= 1024),
    algorithm     int NOT NULL CHECK (algorithm IN (-7, -257)),
    sign_count    bigint NOT NULL,
    label         text NOT NULL,
    created_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX passkey_account ON gateway.passkey (account_id);

-- Challenges that were answered: each once. They are made without a row, so that asking for one
-- costs nothing; a row outlives its challenge.
CREATE TABLE gateway.challenge_used (
    challenge_sha256 bytea PRIMARY KEY CHECK (length(challenge_sha256) = 32),
    used_at          timestamptz NOT NULL
);
CREATE INDEX challenge_used_at ON gateway.challenge_used (used_at);

-- Whether a password alone is not enough for an account.
CREATE FUNCTION gateway.has_factor(account uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT FROM gateway.totp t WHERE t.account_id = account AND t.confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM gateway.passkey p WHERE p.account_id = account)
$$;
ALTER FUNCTION gateway.has_factor(uuid) OWNER TO mamis_owner;
GRANT EXECUTE ON FUNCTION gateway.has_factor(uuid) TO mamis_gateway, mamis_operator;

-- The mail about many failed sign-ins brings a link to get in, at most one a day.
ALTER TABLE gateway.link DROP CONSTRAINT link_purpose_check;
ALTER TABLE gateway.link ADD CONSTRAINT link_purpose_check
    CHECK (purpose IN ('email_confirm', 'password_reset', 'get_in'));

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['totp', 'recovery_code', 'passkey', 'challenge_used']
    LOOP
        EXECUTE format('ALTER TABLE gateway.%I OWNER TO mamis_owner', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.%I '
                       'TO mamis_gateway, mamis_operator', name);
    END LOOP;
END $$;
