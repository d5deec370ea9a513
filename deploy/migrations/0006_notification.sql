-- notification: the little it needs of people, and every mail with its state.

CREATE TABLE notification.account (
    account_id     uuid PRIMARY KEY,
    version        bigint NOT NULL,
    role           text NOT NULL,
    state          text NOT NULL,
    name           text NOT NULL,
    email          text,
    email_confirmed boolean NOT NULL,
    doctor_id      bigint,
    organiser_code text,
    l1_code        text,
    l2_code        text
);
CREATE INDEX account_organiser ON notification.account (organiser_code) WHERE organiser_code IS NOT NULL;
CREATE INDEX account_office ON notification.account (role, l2_code);

CREATE TABLE notification.doctor (
    doctor_id bigint PRIMARY KEY,
    version   bigint NOT NULL,
    name      text NOT NULL,
    email     text
);

-- How far the events of an upload have come: its mails go out when all chunks were seen. What comes
-- later (rows that were mended) makes further mails.
CREATE TABLE notification.upload (
    upload_id    uuid PRIMARY KEY,
    chunks_seen  int NOT NULL DEFAULT 0,
    chunks_total int,                  -- known from upload.done
    complete     boolean GENERATED ALWAYS AS (coalesce(chunks_seen >= chunks_total, false)) STORED,
    released     boolean NOT NULL DEFAULT false
);
CREATE INDEX upload_to_release ON notification.upload (upload_id) WHERE complete AND NOT released;

-- One mail an occasion. `gathering` waits for its upload; `active` is in a sender's hands; the other
-- states are final or wait for `next_try_at`.
CREATE TABLE notification.mail (
    mail_id      uuid PRIMARY KEY,
    kind         text NOT NULL,        -- M01 .. M43
    occasion     text NOT NULL UNIQUE, -- kind, subject and version: the same event makes one mail
    message_id   text NOT NULL,        -- follows from the occasion, which is unique
    upload_id    uuid,
    to_doctor    bigint,               -- address looked up when it is sent,
    to_account   uuid,                 -- or this account's,
    to_address   text,                 -- or this one
    data         jsonb NOT NULL,
    state        text NOT NULL CHECK (state IN ('gathering', 'ready', 'active', 'deferred',
                     'delivered', 'bounced', 'expired', 'suppressed')),
    -- An attempt ended unanswered after the final dot, or nobody knows how: a copy may be out.
    ambiguous    boolean NOT NULL DEFAULT false,
    attempts     int NOT NULL DEFAULT 0,
    sender       uuid,                 -- the process that holds it while active
    handed_over  boolean NOT NULL DEFAULT false, -- while active: its text may be on its way
    created_at   timestamptz NOT NULL,
    next_try_at  timestamptz NOT NULL,
    finished_at  timestamptz,
    last_code    int,
    last_text    text
);
CREATE INDEX mail_due ON notification.mail (next_try_at) WHERE state IN ('ready', 'deferred');
CREATE INDEX mail_active ON notification.mail (sender) WHERE state = 'active';
CREATE INDEX mail_gathering ON notification.mail (upload_id) WHERE state = 'gathering';

-- Senders that live; mails in the hands of one that was not seen for 10 s are taken over.
CREATE TABLE notification.sender (
    sender  uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

-- Addresses that the smart host refused. The next mail that gets through takes one away.
CREATE TABLE notification.undeliverable (
    address text PRIMARY KEY,
    since   timestamptz NOT NULL,
    code    int NOT NULL,
    said    text NOT NULL
);

ALTER TABLE notification.account OWNER TO mamis_owner;
ALTER TABLE notification.doctor OWNER TO mamis_owner;
ALTER TABLE notification.upload OWNER TO mamis_owner;
ALTER TABLE notification.mail OWNER TO mamis_owner;
ALTER TABLE notification.sender OWNER TO mamis_owner;
ALTER TABLE notification.undeliverable OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE ON notification.account, notification.doctor, notification.upload,
    notification.mail TO mamis_notification, mamis_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification.sender, notification.undeliverable
    TO mamis_notification, mamis_operator;
