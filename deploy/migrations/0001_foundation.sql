-- Roles, and the tables that every service needs to turn events into transactions:
-- outbox, inbox, offsets, dead letters, answers to commands.

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('mamis_owner', 'NOLOGIN'),
            ('mamis_portal', 'NOLOGIN'),
            ('mamis_gateway', 'LOGIN'),
            ('mamis_registration', 'LOGIN BYPASSRLS'),
            ('mamis_credit', 'LOGIN BYPASSRLS'),
            ('mamis_renewal', 'LOGIN BYPASSRLS'),
            ('mamis_notification', 'LOGIN BYPASSRLS'),
            ('mamis_operator', 'LOGIN BYPASSRLS')
        ) AS list (name, options)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.options);
        EXCEPTION
            -- Roles belong to the whole server: another database, or one being migrated at the
            -- same time, may have made it.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA mamis TO mamis_gateway, mamis_registration, mamis_credit, mamis_renewal,
    mamis_notification, mamis_operator, mamis_portal, mamis_owner;

-- Moves a partition's offset by compare-and-set. Raises MA001 when somebody else moved it: the
-- caller lost the partition and its whole transaction ends without effect.
CREATE FUNCTION mamis.advance(schema_name text, topic_name text, part_no int, expected bigint,
                              next_offset bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    moved bigint;
BEGIN
    EXECUTE format('UPDATE %I.work_offset SET next = $4, attempts = 0, attempt_offset = NULL '
                   'WHERE topic = $1 AND part = $2 AND next = $3', schema_name)
        USING topic_name, part_no, expected, next_offset;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> 1 THEN
        RAISE EXCEPTION 'partition %/% is not at %', topic_name, part_no, expected
            USING ERRCODE = 'MA001';
    END IF;
END $$;

-- A topic that has a row here is not read: `mamisctl replay` puts it there, waits a moment, rewinds
-- and publishes again. Every worker looks once a second.
CREATE TABLE mamis.pause (
    topic text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE mamis.pause OWNER TO mamis_owner;
GRANT SELECT ON mamis.pause TO mamis_gateway, mamis_registration, mamis_credit, mamis_renewal,
    mamis_notification;
GRANT ALL ON mamis.pause TO mamis_operator;

-- Makes a service read a topic from the first record that Kafka still has. For a paused topic only;
-- `next = 0` would mean offset 0 exactly, which an old topic has not any more.
CREATE FUNCTION mamis.rewind(schema_name text, topic_name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mamis.pause WHERE topic = topic_name) THEN
        RAISE EXCEPTION 'topic % is not paused', topic_name;
    END IF;
    EXECUTE format('DELETE FROM %I.work_offset WHERE topic = $1', schema_name) USING topic_name;
END $$;

-- Makes the work tables of one service. `worker` may use them; the operator may look and repair.
CREATE FUNCTION mamis.make_work(schema_name text, worker text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION mamis_owner', schema_name);
    -- One row an event that this service sent or has to send. Kept 35 days.
    EXECUTE format($sql$
        CREATE TABLE %1$I.outbox (
            event_id    uuid PRIMARY KEY,
            type        text NOT NULL,
            topic       text NOT NULL,
            key         text NOT NULL,
            body        text NOT NULL,
            created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
            next_try_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '5 seconds',
            sent_at     timestamptz,
            parked      text
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
        CREATE INDEX outbox_unsent ON %1$I.outbox (next_try_at)
            WHERE sent_at IS NULL AND parked IS NULL;
        CREATE INDEX outbox_created ON %1$I.outbox (created_at);
        -- Event ids that had their effect. Outlives the senders' outboxes.
        CREATE TABLE %1$I.inbox (
            event_id   uuid PRIMARY KEY,
            topic      text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        -- Rows come in order of time: a few pages say where the old ones lie.
        CREATE INDEX inbox_applied ON %1$I.inbox USING brin (applied_at);
        -- Where each partition goes on. `next` moves only by mamis.advance().
        CREATE TABLE %1$I.work_offset (
            topic          text NOT NULL,
            part           int NOT NULL,
            next           bigint NOT NULL,
            attempt_offset bigint,
            attempts       int NOT NULL DEFAULT 0,
            PRIMARY KEY (topic, part)
        ) WITH (fillfactor = 50);
        CREATE TABLE %1$I.dead_letter (
            dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            topic      text NOT NULL,
            part       int NOT NULL,
            "offset"   bigint NOT NULL,
            event_id   uuid,
            type       text,
            key        text NOT NULL,
            body       bytea NOT NULL,
            body_sha256 bytea NOT NULL,
            reason     text NOT NULL,
            detail     text NOT NULL,
            died_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
            retried_at timestamptz,
            -- A topic that was lost and made anew counts its offsets from 0 again.
            UNIQUE (topic, part, "offset", body_sha256)
        );
        -- The answer to each command, written with its effect.
        CREATE TABLE %1$I.operation (
            operation_id uuid PRIMARY KEY,
            status       text NOT NULL CHECK (status IN ('done', 'failed')),
            result       jsonb,
            problem      jsonb,
            done_at      timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        ALTER TABLE %1$I.outbox OWNER TO mamis_owner;
        ALTER TABLE %1$I.inbox OWNER TO mamis_owner;
        ALTER TABLE %1$I.work_offset OWNER TO mamis_owner;
        ALTER TABLE %1$I.dead_letter OWNER TO mamis_owner;
        ALTER TABLE %1$I.operation OWNER TO mamis_owner;
        GRANT USAGE ON SCHEMA %1$I TO %2$I, mamis_operator;
        GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.outbox, %1$I.inbox, %1$I.work_offset,
            %1$I.dead_letter, %1$I.operation TO %2$I, mamis_operator;
    $sql$, schema_name, worker);
END $$;

SELECT mamis.make_work('gateway', 'mamis_gateway');
SELECT mamis.make_work('registration', 'mamis_registration');
SELECT mamis.make_work('credit', 'mamis_credit');
SELECT mamis.make_work('renewal', 'mamis_renewal');
SELECT mamis.make_work('notification', 'mamis_notification');
