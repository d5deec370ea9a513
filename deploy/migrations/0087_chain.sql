-- Tamper evidence: one link per transaction, one chain per partition.
--
-- What a transaction wrote to a covered table is one row of `chain_rows`: how many rows, and SHA-256
-- of their canonical bytes. At its commit one row of `chain_link` binds these to the link before. A chain
-- is a partition's: the compare-and-set of its offset holds that row until the commit, so links
-- follow one another in the order of commits, also where a message overtook others. What is written
-- outside of a partition (mamisctl, the gateway) takes one of eight chains of its own, topic ''.
--
-- `mamisctl verify` computes everything again, outside of the database; the bytes are described in
-- services/lib/chain/chain.h.

CREATE SEQUENCE mamis.chain_rows_no_seq;
ALTER SEQUENCE mamis.chain_rows_no_seq OWNER TO mamis_owner;

-- Tables whose rows carry the number of their chain_rows, with the columns that are hashed. Columns
-- that come later are not covered before another migration says so.
CREATE TABLE mamis.chained (
    schema_name text COLLATE "C",
    table_name  text COLLATE "C",
    columns     text[] NOT NULL,
    PRIMARY KEY (schema_name, table_name)
);
ALTER TABLE mamis.chained OWNER TO mamis_owner;
GRANT SELECT ON mamis.chained TO mamis_operator;

-- As before; the transaction's link belongs to the chain of this partition.
CREATE OR REPLACE FUNCTION mamis.advance(schema_name text, topic_name text, part_no int,
                                         expected bigint, next_offset bigint) RETURNS void
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
    PERFORM set_config('mamis.chain', topic_name || '/' || part_no, true);
END $$;

-- A number for what a statement writes to a table, also kept for its other rows: the default of the
-- column chain_rows_no.
CREATE FUNCTION mamis.chain_rows_no(schema_name text, table_name text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    no bigint := nextval('mamis.chain_rows_no_seq');
BEGIN
    PERFORM set_config('mamis.rows_' || schema_name || '_' || table_name, no::text, true);
    RETURN no;
END $$;
ALTER FUNCTION mamis.chain_rows_no(text, text) OWNER TO mamis_owner;

-- Chain tables of one schema, and the functions that fill them. Nobody but these functions writes
-- there.
CREATE FUNCTION mamis.make_chain(schema_name text, worker text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS $make$
BEGIN
    EXECUTE format($sql$
        CREATE TABLE %1$I.chain_rows (
            chain_rows_no bigint PRIMARY KEY,
            relation     text COLLATE "C" NOT NULL, -- "credit.audit"
            rows         bigint NOT NULL,
            digest       bytea NOT NULL,
            -- Rows without a number are found by these two: the ledger's upload_no and posted_at.
            ref          bigint,
            at           timestamptz,
            CHECK ((ref IS NULL) = (at IS NULL))
        );
        CREATE UNIQUE INDEX chain_rows_ref ON %1$I.chain_rows (ref, at) WHERE ref IS NOT NULL;
        CREATE TABLE %1$I.chain_link (
            topic text COLLATE "C",
            part  int,
            seq   bigint,
            at    timestamptz NOT NULL,
            rows  bigint[] NOT NULL, -- chain_rows_no, in the order they were written
            prev  bytea NOT NULL,
            hash  bytea NOT NULL,
            PRIMARY KEY (topic, part, seq)
        );

        CREATE FUNCTION %1$I.chain_put(no bigint, relation text, rows bigint, digest bytea,
                                      ref bigint, at timestamptz) RETURNS void
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
        BEGIN
            no := coalesce(no, nextval('mamis.chain_rows_no_seq'));
            INSERT INTO %1$I.chain_rows (chain_rows_no, relation, rows, digest, ref, at)
            VALUES (no, relation, rows, digest, ref, at);
            PERFORM set_config('mamis.chain_%1$s',
                               concat_ws(',', nullif(current_setting('mamis.chain_%1$s', true), ''),
                                         no), true);
        END $$;

        -- At the commit, once for all that the transaction wrote.
        CREATE FUNCTION %1$I.chain_commit() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
        DECLARE
            written bigint[] := string_to_array(
                nullif(current_setting('mamis.chain_%1$s', true), ''), ',');
            chain text := coalesce(current_setting('mamis.chain', true), '');
            link %1$I.chain_link;
        BEGIN
            IF written IS NULL THEN
                RETURN NULL;
            END IF;
            PERFORM set_config('mamis.chain_%1$s', '', true);
            IF chain <> '' THEN
                link.topic := split_part(chain, '/', 1);
                link.part := split_part(chain, '/', 2);
            ELSE
                link.topic := '';
                link.part := pg_backend_pid() %% 8;
                PERFORM pg_advisory_xact_lock(hashtext('%1$s.chain_link'), link.part);
            END IF;
            SELECT l.seq, l.hash INTO link.seq, link.prev FROM %1$I.chain_link AS l
            WHERE l.topic = link.topic AND l.part = link.part ORDER BY l.seq DESC LIMIT 1;
            link.seq := coalesce(link.seq, 0) + 1;
            link.prev := coalesce(link.prev, decode(repeat('00', 32), 'hex'));
            link.at := clock_timestamp();
            link.rows := written;
            SELECT sha256(link.prev || convert_to('%1$s', 'UTF8') || '\x00'
                          || convert_to(link.topic, 'UTF8') || '\x00' || int4send(link.part)
                          || int8send(link.seq) || timestamptz_send(link.at)
                          || string_agg(int8send(r.chain_rows_no) || convert_to(r.relation, 'UTF8')
                                        || '\x00' || int8send(r.rows) || r.digest
                                        || coalesce('\x01' || int8send(r.ref)
                                                    || timestamptz_send(r.at), '\x00'),
                                        '' ORDER BY r.chain_rows_no))
            INTO link.hash FROM %1$I.chain_rows AS r WHERE r.chain_rows_no = ANY (written);
            INSERT INTO %1$I.chain_link SELECT link.*;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER chain_commit AFTER INSERT ON %1$I.chain_rows
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %1$I.chain_commit();

        ALTER TABLE %1$I.chain_rows OWNER TO mamis_owner;
        ALTER TABLE %1$I.chain_link OWNER TO mamis_owner;
        ALTER FUNCTION %1$I.chain_put(bigint, text, bigint, bytea, bigint, timestamptz)
            OWNER TO mamis_owner;
        ALTER FUNCTION %1$I.chain_commit() OWNER TO mamis_owner;
        REVOKE ALL ON FUNCTION %1$I.chain_put(bigint, text, bigint, bytea, bigint, timestamptz)
            FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION %1$I.chain_put(bigint, text, bigint, bytea, bigint, timestamptz)
            TO %2$I;
        GRANT SELECT ON %1$I.chain_rows, %1$I.chain_link TO mamis_operator;
    $sql$, schema_name, worker);
END $make$;

-- Whatever is written to a table of the schema from now on is linked, whoever writes it. What stands
-- there already becomes one link.
CREATE FUNCTION mamis.chain_table(schema_name text, table_name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS $make$
DECLARE
    relation text := schema_name || '.' || table_name;
    names text[];
    head text;  -- begins what is hashed: the table, and which columns in which order
    bytes text; -- canonical bytes of the row w
BEGIN
    SELECT array_agg(attname::text ORDER BY attnum) INTO names FROM pg_attribute
    WHERE attrelid = format('%I.%I', schema_name, table_name)::regclass AND attnum > 0
        AND NOT attisdropped;
    INSERT INTO mamis.chained VALUES (schema_name, table_name, names);
    head := format('convert_to(%L, ''UTF8'') || ''\x00''',
                   relation || ' ' || array_to_string(names, ','));
    bytes := format('record_send(ROW(%s))', (SELECT string_agg(format('w.%I', name), ', ')
                                             FROM unnest(names) AS name));
    EXECUTE format($sql$
        ALTER TABLE %1$I.%2$I ADD COLUMN chain_rows_no bigint NOT NULL
            DEFAULT coalesce(nullif(current_setting('mamis.rows_%1$s_%2$s', true), '')::bigint,
                             mamis.chain_rows_no('%1$s', '%2$s'));
        CREATE INDEX %3$I ON %1$I.%2$I (chain_rows_no);
        SELECT %1$I.chain_put(nullif(current_setting('mamis.rows_%1$s_%2$s', true), '')::bigint,
                             '%1$s.%2$s', count(*),
                             sha256(%4$s || string_agg(bytes, '' ORDER BY bytes)), NULL, NULL)
        FROM (SELECT %5$s AS bytes FROM %1$I.%2$I AS w) AS r HAVING count(*) > 0;
        SELECT set_config('mamis.rows_%1$s_%2$s', '', true);

        CREATE FUNCTION %1$I.%6$I() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
        DECLARE
            no text := current_setting('mamis.rows_%1$s_%2$s', true);
        BEGIN
            IF NOT EXISTS (SELECT FROM written) THEN
                RETURN NULL;
            END IF;
            IF coalesce(no, '') = ''
                OR EXISTS (SELECT FROM written WHERE chain_rows_no <> no::bigint) THEN
                RAISE EXCEPTION '%1$s.%2$s: chain_rows_no comes by its default';
            END IF;
            PERFORM set_config('mamis.rows_%1$s_%2$s', '', true);
            PERFORM %1$I.chain_put(no::bigint, '%1$s.%2$s', count(*),
                                  sha256(%4$s || string_agg(bytes, '' ORDER BY bytes)), NULL, NULL)
            FROM (SELECT %5$s AS bytes FROM written AS w) AS r;
            RETURN NULL;
        END $$;
        ALTER FUNCTION %1$I.%6$I() OWNER TO mamis_owner;
        CREATE TRIGGER chain AFTER INSERT ON %1$I.%2$I REFERENCING NEW TABLE AS written
            FOR EACH STATEMENT EXECUTE FUNCTION %1$I.%6$I();
    $sql$, schema_name, table_name, table_name || '_chain', head, bytes, 'chain_' || table_name);
END $make$;

SELECT mamis.make_chain('gateway', 'mamis_gateway');
SELECT mamis.make_chain('registration', 'mamis_registration');
SELECT mamis.make_chain('credit', 'mamis_credit');
SELECT mamis.make_chain('renewal', 'mamis_renewal');

SELECT mamis.chain_table('registration', 'account_history');
SELECT mamis.chain_table('registration', 'name_history');
SELECT mamis.chain_table('credit', 'audit');
SELECT mamis.chain_table('renewal', 'application_history');

-- The ledger's rows carry no number, and the worker that appends them hashes them itself: every byte
-- and every microsecond counts there. What stands there already, by upload and time.
SELECT credit.chain_put(
    NULL, 'credit.ledger', count(*),
    sha256(convert_to('credit.ledger', 'UTF8') || '\x00' || int8send(upload_no)
           || timestamptz_send(posted_at)
           || string_agg(int8send(session_id) || int8send(doctor_id)
                         || convert_to(programme, 'UTF8') || '\x00' || int2send(revision)
                         || int4send(row_no) || date_send(held_on) || int2send(half_units)
                         || convert_to(kind, 'UTF8') || '\x00'
                         || coalesce('\x01' || convert_to(reason, 'UTF8') || '\x00', '\x00')
                         || coalesce('\x01' || uuid_send(actor), '\x00')
                         || coalesce('\x01' || convert_to(actor_role, 'UTF8') || '\x00', '\x00')
                         || coalesce('\x01' || convert_to(actor_code, 'UTF8') || '\x00', '\x00'),
                         '' ORDER BY session_id, doctor_id, programme, revision)),
    upload_no, posted_at)
FROM credit.ledger GROUP BY upload_no, posted_at ORDER BY upload_no, posted_at;
