-- What mamisctl needs beside the services' tables.

-- Ends a transaction that found other rows than it had read: somebody changed them meanwhile. The
-- caller reads again and tries anew, as after any serialization failure.
CREATE FUNCTION mamis.expect_rows(wanted bigint, got bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
BEGIN
    IF got IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'expected % rows, found %', wanted, got USING ERRCODE = '40001';
    END IF;
END $$;

-- An import gives ids of its own choice, so that events can name them before the rows are there.
GRANT USAGE ON SEQUENCE registration.doctor_doctor_id_seq TO mamis_operator;

GRANT SELECT ON mamis.migration TO mamis_operator;
