-- Histories and audit that came beside the chains are chained too: who looked at whom, what was done
-- with procedures and delegations. What stands there already becomes one link of its table.
DO $$
DECLARE
    name text[];
BEGIN
    FOREACH name SLICE 1 IN ARRAY ARRAY[['gateway', 'read_audit'],
                                        ['registration', 'procedure_history'],
                                        ['registration', 'delegation_history']]
    LOOP
        IF to_regclass(format('%I.%I', name[1], name[2])) IS NOT NULL
            AND NOT EXISTS (SELECT FROM mamis.chained AS c
                            WHERE c.schema_name = name[1] AND c.table_name = name[2]) THEN
            PERFORM mamis.chain_table(name[1], name[2]);
        END IF;
    END LOOP;
END $$;
