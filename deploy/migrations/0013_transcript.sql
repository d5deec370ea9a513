-- Transcripts of credits, and what an open My Page watches.

-- The Japanese fiscal year of a day, April to March, named by the year in which it begins.
CREATE FUNCTION portal.fiscal_year(day date) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT extract(year FROM day)::int - CASE WHEN extract(month FROM day) < 4 THEN 1 ELSE 0 END
$$;
GRANT EXECUTE ON FUNCTION portal.fiscal_year(date) TO mamis_gateway, mamis_portal, mamis_operator;

-- What was issued under each code: as much as whoever holds the paper may see, and nothing that
-- leads to the person. Of the code only its digest stands here.
CREATE TABLE gateway.transcript (
    code_sha256    bytea PRIMARY KEY CHECK (length(code_sha256) = 32),
    format         text NOT NULL CHECK (format IN ('pdf', 'csv')),
    content_sha256 bytea NOT NULL CHECK (length(content_sha256) = 32),
    name_masked    text NOT NULL,
    programme      text,              -- what was asked for; NULL: all
    held_from      date,
    held_to        date,
    entries        int NOT NULL CHECK (entries >= 0),
    totals         jsonb NOT NULL,    -- [{programme, kind, half_units}, ...]
    totals_by_year jsonb NOT NULL,    -- [{fiscal_year, programme, half_units}, ...]
    as_of          timestamptz NOT NULL,
    issued_at      timestamptz NOT NULL
);
ALTER TABLE gateway.transcript OWNER TO mamis_owner;
GRANT SELECT, INSERT ON gateway.transcript TO mamis_gateway;
GRANT SELECT ON gateway.transcript TO mamis_operator;

-- For the streams of open pages: how many entries the ledger has of each doctor (it only grows) and
-- the marks of the newest standings. `turns` moves on with each message that a credit process has
-- handled; while it is as seen, no ledger is looked at. The first doctor's row always comes, the
-- others' only when something moved.
CREATE FUNCTION portal.doctor_marks(doctors bigint[], seen_entries bigint[], seen_standing bigint[],
                                    seen_turns bigint)
    RETURNS TABLE (doctor_id bigint, entries bigint, standing bigint, turns bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH t AS MATERIALIZED (SELECT coalesce(sum(o.next), 0)::bigint AS turns
                            FROM credit.work_offset o),
    now AS MATERIALIZED (
        SELECT w.doctor_id, w.entries AS seen_entries, w.standing AS seen_standing, w.n, t.turns,
               CASE WHEN t.turns = seen_turns THEN w.entries
                    ELSE (SELECT count(*) FROM credit.ledger l WHERE l.doctor_id = w.doctor_id)
               END AS entries,
               (SELECT coalesce(sum(s.mark), 0)::bigint FROM renewal.standing s
                WHERE s.doctor_id = w.doctor_id) AS standing
        FROM unnest(doctors, seen_entries, seen_standing) WITH ORDINALITY
             AS w (doctor_id, entries, standing, n), t)
    SELECT now.doctor_id, now.entries, now.standing, now.turns FROM now
    WHERE now.n = 1 OR (now.entries, now.standing) <> (now.seen_entries, now.seen_standing)
$$;
ALTER FUNCTION portal.doctor_marks(bigint[], bigint[], bigint[], bigint) OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION portal.doctor_marks(bigint[], bigint[], bigint[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.doctor_marks(bigint[], bigint[], bigint[], bigint) TO mamis_gateway;

-- A doctor's own page need not look through the uploads: no doctor sees one.
ALTER POLICY ledger_upload ON credit.ledger
    USING ((SELECT NOT portal.scope_is('doctor'))
           AND EXISTS (SELECT FROM credit.upload u WHERE u.upload_no = ledger.upload_no));
