-- What the gateway owns: credentials, sessions, links in mails, tokens of organisers' programs,
-- idempotency keys, accepted commands, coarse sign-in throttles. No secret stands here in clear:
-- passwords are Argon2id strings, temporary passwords HMACs under a key outside the database,
-- session and API tokens SHA-256. All times are business time, given by the writer.

-- A password that somebody chose. `login_id` is kept folded: NFKC, trimmed, lower case. A doctor's
-- is the MAMIS number; the confirmed e-mail address is looked up in registration's account.
CREATE TABLE gateway.credential (
    login_id      text PRIMARY KEY
                  CHECK (login_id = lower(login_id) AND length(login_id) BETWEEN 1 AND 254),
    account_id    uuid NOT NULL UNIQUE,
    password_hash text NOT NULL,
    changed_at    timestamptz NOT NULL
);

-- The sealed postcard: works until first login is done, for a few wrong tries, until its end date.
-- `login_id` is kept upper case, without blanks and hyphens. A new postcard replaces the row.
CREATE TABLE gateway.temp_credential (
    login_id   text PRIMARY KEY
               CHECK (login_id = upper(login_id) AND length(login_id) BETWEEN 1 AND 64),
    account_id uuid NOT NULL UNIQUE,
    hmac       bytea NOT NULL CHECK (length(hmac) = 32),
    tries_left smallint NOT NULL DEFAULT 5 CHECK (tries_left >= 0),
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    dead_at    timestamptz
);

-- The truth about sessions; Redis only remembers it for at most a minute.
CREATE TABLE gateway.session (
    token_sha256    bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    account_id      uuid NOT NULL,
    login_id        text NOT NULL,
    csrf            text NOT NULL,
    temporary       boolean NOT NULL,
    created_at      timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    -- Set together with ended_at, cleared when Redis has acknowledged the DEL.
    uncache         boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
CREATE INDEX session_account ON gateway.session (account_id) WHERE ended_at IS NULL;
CREATE INDEX session_expires ON gateway.session (expires_at);
CREATE INDEX session_uncache ON gateway.session (ended_at) WHERE uncache;

-- A link sent by mail. Its secret is computed from the id, so only the id stands here.
CREATE TABLE gateway.link (
    link_id    uuid PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('email_confirm', 'password_reset')),
    account_id uuid NOT NULL,
    email      text NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX link_account ON gateway.link (account_id, purpose, issued_at);

-- Organisers' programs. `scope` holds names such as attendance:write.
CREATE TABLE gateway.token (
    token_id       uuid PRIMARY KEY,
    token_sha256   bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    organiser_code text NOT NULL,
    scope          text[] NOT NULL,
    label          text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz,
    revoked_at     timestamptz
);
CREATE INDEX token_organiser ON gateway.token (organiser_code);

-- The first answer to a request that carried an Idempotency-Key. `owner` is account:<uuid> or
-- token:<uuid>, `route` the operationId with its path parameters. Kept 35 days.
CREATE TABLE gateway.idempotency (
    owner        text NOT NULL,
    route        text NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body_sha256  bytea NOT NULL CHECK (length(body_sha256) = 32),
    -- What was accepted: an operation or an upload.
    accepted_id  uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (owner, route, key)
);
CREATE INDEX idempotency_created ON gateway.idempotency (created_at);

-- Accepted commands: who may ask for /operations/{id}. Kept 35 days.
CREATE TABLE gateway.command (
    operation_id uuid PRIMARY KEY,
    account_id   uuid NOT NULL,
    type         text NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX command_created ON gateway.command (created_at);

-- Failed sign-ins, coarse: written from the fifth failure on, so that a flushed Redis is no gift
-- to a guesser. `subject` is account:<login id's SHA-256> or address:<prefix>.
CREATE TABLE gateway.throttle (
    subject     text PRIMARY KEY,
    failures    int NOT NULL,
    blocked_until timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX throttle_updated ON gateway.throttle (updated_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['credential', 'temp_credential', 'session', 'link', 'token',
                                'idempotency', 'command', 'throttle']
    LOOP
        EXECUTE format('ALTER TABLE gateway.%I OWNER TO mamis_owner', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.%I '
                       'TO mamis_gateway, mamis_operator', name);
    END LOOP;
END $$;
