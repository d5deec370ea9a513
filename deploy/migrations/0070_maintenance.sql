-- maintenance: when nobody but administrators may use the system. registration keeps the calendar,
-- the gateway reads it, notification tells people.

SET LOCAL ROLE mamis_owner;

CREATE TABLE registration.maintenance (
    window_id  uuid PRIMARY KEY,
    version    bigint NOT NULL DEFAULT 1,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL, -- while it runs: when it will end; called off before: as planned
    note       text NOT NULL CHECK (note <> ''),
    note_en    text NOT NULL DEFAULT '',
    called_off boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX maintenance_ends ON registration.maintenance (ends_at);

-- Who planned, moved and ended it. Append-only. `actor` NULL: by mamisctl.
CREATE TABLE registration.maintenance_history (
    window_id uuid NOT NULL,
    version   bigint NOT NULL,
    at        timestamptz NOT NULL,
    actor     uuid,
    action    text NOT NULL CHECK (action IN ('plan', 'change', 'end')),
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    PRIMARY KEY (window_id, version)
);

-- Windows do not overlap: whoever changes one has read all, as they were at this version.
CREATE TABLE registration.maintenance_calendar (
    the_one bool PRIMARY KEY DEFAULT true CHECK (the_one),
    version bigint NOT NULL
);
INSERT INTO registration.maintenance_calendar (version) VALUES (0);

GRANT SELECT, INSERT, UPDATE ON registration.maintenance TO mamis_registration, mamis_operator;
GRANT SELECT, UPDATE ON registration.maintenance_calendar TO mamis_registration, mamis_operator;
GRANT SELECT, INSERT ON registration.maintenance_history TO mamis_registration, mamis_operator;
GRANT SELECT ON registration.maintenance TO mamis_portal;

-- What notification knows of it, and how far each of its mails (M41) has come: to everybody, a lot of
-- accounts at a time.
CREATE TABLE notification.maintenance (
    window_id  uuid PRIMARY KEY,
    version    bigint NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    note       text NOT NULL,
    called_off boolean NOT NULL
);
CREATE TABLE notification.maintenance_mail (
    window_id    uuid NOT NULL REFERENCES notification.maintenance,
    stage        text NOT NULL CHECK (stage IN ('ahead14', 'ahead1', 'end', 'called_off')),
    starts_at    timestamptz NOT NULL, -- the times that people are told; others are told anew
    ends_at      timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    begun        boolean NOT NULL DEFAULT false,
    done         boolean NOT NULL DEFAULT false,
    last_account uuid,
    PRIMARY KEY (window_id, stage)
);
CREATE INDEX maintenance_mail_due ON notification.maintenance_mail (due_at) WHERE NOT done;
GRANT SELECT, INSERT, UPDATE ON notification.maintenance, notification.maintenance_mail
    TO mamis_notification, mamis_operator;

RESET ROLE;

-- Everybody may know of it: no scope.
--   view portal.maintenance          the calendar of the last year and to come
--   portal.maintenance_json(id, at)  one window as the API shows it at that time
CREATE VIEW portal.maintenance AS
SELECT window_id, version, starts_at, ends_at, note, note_en, called_off, changed_at
FROM registration.maintenance;
ALTER VIEW portal.maintenance OWNER TO mamis_portal;

CREATE FUNCTION portal.maintenance_state(starts_at timestamptz, ends_at timestamptz,
                                         called_off boolean, at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN called_off THEN 'called_off' WHEN at < starts_at THEN 'planned'
                WHEN at < ends_at THEN 'running' ELSE 'ended' END
$$;

CREATE FUNCTION portal.maintenance_json(id uuid, at timestamptz) RETURNS json
    LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT json_build_object(
        'window_id', m.window_id, 'starts_at', portal.rfc3339(m.starts_at),
        'ends_at', portal.rfc3339(m.ends_at), 'note', m.note, 'note_en', m.note_en,
        'state', portal.maintenance_state(m.starts_at, m.ends_at, m.called_off, at),
        'changed_at', portal.rfc3339(m.changed_at))
    FROM portal.maintenance m WHERE m.window_id = id
$$;
GRANT SELECT ON portal.maintenance TO mamis_gateway;
