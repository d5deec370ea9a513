-- Workers keep the doctors' numbers and names in memory. Before they match rows they ask what
-- changed since: every change of a doctor, whoever makes it, gets a number. The one row that counts
-- is locked until the commit, so that numbers become visible in their order.
CREATE TABLE credit.doctor_change (
    the_one   bool PRIMARY KEY DEFAULT true CHECK (the_one),
    change_no bigint NOT NULL
);
ALTER TABLE credit.doctor_change OWNER TO mamis_owner;
GRANT SELECT, UPDATE ON credit.doctor_change TO mamis_credit, mamis_operator;
INSERT INTO credit.doctor_change (change_no) VALUES (0);

ALTER TABLE credit.doctor ADD COLUMN change_no bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN credit.doctor.change_no IS 'of the last change; kept by triggers';
CREATE INDEX doctor_change_no ON credit.doctor (change_no, doctor_id);
-- Nobody looks doctors up by their numbers in the table any more.
DROP INDEX credit.doctor_register_no, credit.doctor_mamis_no;

CREATE FUNCTION credit.doctor_change_begin() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    UPDATE credit.doctor_change SET change_no = change_no + 1;
    RETURN NULL;
END $$;
ALTER FUNCTION credit.doctor_change_begin() OWNER TO mamis_owner;

CREATE FUNCTION credit.doctor_change_number() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    SELECT c.change_no INTO STRICT NEW.change_no FROM credit.doctor_change c;
    RETURN NEW;
END $$;
ALTER FUNCTION credit.doctor_change_number() OWNER TO mamis_owner;

CREATE TRIGGER doctor_change_begin BEFORE INSERT OR UPDATE ON credit.doctor
    FOR EACH STATEMENT EXECUTE FUNCTION credit.doctor_change_begin();
CREATE TRIGGER doctor_change_number BEFORE INSERT OR UPDATE ON credit.doctor
    FOR EACH ROW EXECUTE FUNCTION credit.doctor_change_number();
