-- A merge ends the delegations of the closed doctor, and nothing begins for him any more.

ALTER TABLE registration.delegation_history DROP CONSTRAINT IF EXISTS delegation_history_action_check;
ALTER TABLE registration.delegation_history ADD CONSTRAINT delegation_history_action_check
    CHECK (action IN ('invited', 'accepted', 'revoked', 'resigned', 'merged'));

-- Waits for a merge that is under way and is seen by one that comes later: both hold the doctor's
-- row. 40001 makes the caller read again, as mamis.changed() does.
CREATE FUNCTION registration.refuse_merged() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    into_whom bigint;
BEGIN
    SELECT d.merged_into INTO into_whom FROM registration.doctor d
    WHERE d.doctor_id = NEW.doctor_id FOR SHARE;
    IF into_whom IS NOT NULL THEN
        RAISE EXCEPTION 'merged meanwhile' USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$;
ALTER FUNCTION registration.refuse_merged() OWNER TO mamis_owner;
REVOKE EXECUTE ON FUNCTION registration.refuse_merged() FROM PUBLIC;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['procedure', 'correction', 'delegation']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OF doctor_id ON registration.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION registration.refuse_merged()',
                       name || '_merged', name);
    END LOOP;
END $$;
