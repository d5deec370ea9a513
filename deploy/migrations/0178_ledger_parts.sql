-- The ledger in parts, so that posting costs the same however many credits there are: an index that
-- new entries fall into stays small. A part holds a range of session_id, not a year: the key that
-- stops double posting has the session, so it stays one key. Sessions are numbered as they are
-- announced; a new part begins with the next session once the youngest part is large enough.

ALTER TABLE credit.ledger RENAME TO ledger_0;
ALTER INDEX credit.ledger_pkey RENAME TO ledger_0_pkey;
ALTER INDEX credit.ledger_doctor RENAME TO ledger_0_doctor;

CREATE TABLE credit.ledger (LIKE credit.ledger_0 INCLUDING COMMENTS INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (session_id);
ALTER TABLE credit.ledger ADD PRIMARY KEY (session_id, doctor_id, programme, revision);
CREATE INDEX ledger_doctor ON credit.ledger (doctor_id);
ALTER TABLE credit.ledger OWNER TO mamis_owner;
COMMENT ON TABLE credit.ledger IS
    'Append-only: revision 0 posts, 1 cancels, 2 posts again; an even highest revision stands';

ALTER TABLE credit.ledger ATTACH PARTITION credit.ledger_0 FOR VALUES FROM (MINVALUE) TO (1000000000);

-- The planner goes by the key as long as it knows nothing of a part. Were it told that one is empty, it
-- would read the whole of it, and go on while a million entries are posted there.
ALTER TABLE credit.ledger_0 SET (autovacuum_analyze_threshold = 100000,
    autovacuum_vacuum_threshold = 100000, autovacuum_vacuum_insert_threshold = 100000);

-- What was said of the table is said of the whole; nobody goes to a part.
GRANT SELECT, INSERT ON credit.ledger TO mamis_credit;
GRANT SELECT ON credit.ledger TO mamis_operator, mamis_portal;
REVOKE ALL ON credit.ledger_0 FROM mamis_credit, mamis_operator, mamis_portal;

DO $$
DECLARE
    policy record;
    view regclass;
BEGIN
    FOR policy IN SELECT polname, pg_get_expr(polqual, polrelid) AS qual FROM pg_policy
                  WHERE polrelid = 'credit.ledger_0'::regclass LOOP
        EXECUTE format('CREATE POLICY %I ON credit.ledger FOR SELECT TO mamis_portal USING (%s)',
                       policy.polname, replace(policy.qual, 'ledger_0.', 'ledger.'));
        EXECUTE format('DROP POLICY %I ON credit.ledger_0', policy.polname);
    END LOOP;
    FOR view IN SELECT DISTINCT r.ev_class FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
                WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = 'credit.ledger_0'::regclass LOOP
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', view,
                       replace(pg_get_viewdef(view), 'credit.ledger_0', 'credit.ledger'));
    END LOOP;
END $$;
ALTER TABLE credit.ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit.ledger_0 DISABLE ROW LEVEL SECURITY;

-- Sessions are numbered in the youngest part, and once that has `bytes`, the next part is made: two
-- calls, as numbers are given at once, but a part is there only when it is committed. Statistics of
-- the whole, which autovacuum does not make, are made when a fifth has come, unless the youngest part
-- is not looked at yet. Gives the number of the youngest part.
CREATE FUNCTION credit.ledger_tend(bytes bigint) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    mine CONSTANT boolean := pg_try_advisory_xact_lock(hashtext('credit.ledger_tend'));
    youngest int;
    part text;
    width CONSTANT bigint := 1000000000; -- more sessions than a part will ever have
BEGIN
    SELECT count(*) - 1 INTO youngest FROM pg_inherits WHERE inhparent = 'credit.ledger'::regclass;
    IF NOT mine THEN
        RETURN youngest; -- another worker is at it
    END IF;
    IF (SELECT last_value < youngest * width FROM credit.session_session_id_seq) THEN
        PERFORM setval('credit.session_session_id_seq', youngest * width);
    END IF;
    IF pg_relation_size(format('credit.ledger_%s', youngest)) >= bytes THEN
        youngest := youngest + 1;
        part := format('ledger_%s', youngest);
        -- Attached, as this lets the others go on posting meanwhile.
        EXECUTE format('CREATE TABLE credit.%I (LIKE credit.ledger INCLUDING ALL)'
                       ' WITH (autovacuum_analyze_threshold = 100000,'
                       ' autovacuum_vacuum_threshold = 100000,'
                       ' autovacuum_vacuum_insert_threshold = 100000)', part);
        EXECUTE format('ALTER TABLE credit.ledger ATTACH PARTITION credit.%I FOR VALUES FROM (%s) TO (%s)',
                       part, youngest * width, (youngest + 1) * width);
    ELSIF (SELECT min(p.reltuples) >= 0 AND sum(p.reltuples) > 1.2 * w.reltuples FROM pg_class AS w
           JOIN pg_inherits AS i ON i.inhparent = w.oid JOIN pg_class AS p ON p.oid = i.inhrelid
           WHERE w.oid = 'credit.ledger'::regclass GROUP BY w.reltuples) THEN
        ANALYZE credit.ledger;
    END IF;
    RETURN youngest;
END $$;
ALTER FUNCTION credit.ledger_tend(bigint) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION credit.ledger_tend(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION credit.ledger_tend(bigint) TO mamis_credit;
