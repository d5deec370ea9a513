-- Workers look rows up by an index, whatever is known of a table's size when their statements are
-- first planned: a plan made while a table was empty reads it whole for the life of a connection.
DO $$
DECLARE
    role_name text;
    setting text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['mamis_registration', 'mamis_credit', 'mamis_renewal',
                                     'mamis_notification']
    LOOP
        FOREACH setting IN ARRAY ARRAY['enable_seqscan = off', 'jit = off',
                                       'plan_cache_mode = force_generic_plan']
        LOOP
            EXECUTE format('ALTER ROLE %I IN DATABASE %I SET %s', role_name, current_database(),
                           setting);
        END LOOP;
    END LOOP;
END $$;

-- Attendance files shrink to a fifth; reading a chunk's bytes unpacks 256 KiB at most.
ALTER TABLE credit.upload_part ALTER COLUMN bytes SET STORAGE EXTENDED,
    ALTER COLUMN bytes SET COMPRESSION lz4;
