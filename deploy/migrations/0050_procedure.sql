-- registration: memberships by date in three layers, and the procedures that change them (domain
-- 4.2). Row security and what people may read stands in 0051.

SET LOCAL ROLE mamis_owner;

-- The associations. Prefectural ones are known from the start, municipal ones come with the list of
-- organisers or with the first member.
CREATE TABLE registration.association (
    layer   smallint NOT NULL CHECK (layer IN (1, 2)),
    code    text NOT NULL CHECK (code <> ''),
    l2_code text NOT NULL CHECK (l2_code ~ '^[0-9]{2}$'), -- of layer 2 its own
    name    text NOT NULL DEFAULT '',
    PRIMARY KEY (layer, code)
);
INSERT INTO registration.association (layer, code, l2_code)
SELECT 2, lpad(n::text, 2, '0'), lpad(n::text, 2, '0') FROM generate_series(1, 47) AS n;

-- Who was a member of what from which day to which. A row is never changed but for its last day.
CREATE TABLE registration.membership (
    membership_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    doctor_id     bigint NOT NULL REFERENCES registration.doctor,
    layer         smallint NOT NULL CHECK (layer BETWEEN 1 AND 3),
    code          text NOT NULL CHECK ((layer = 3) = (code = '')),
    category      text NOT NULL DEFAULT '',
    is_primary    boolean NOT NULL DEFAULT true, -- of several L1 the one that counts
    valid_from    date, -- NULL: since before the records begin
    valid_to      date, -- last day; NULL: it goes on
    began_by      text NOT NULL, -- 'import' or the kind of procedure
    ended_by      text,
    began_with    uuid, -- procedure
    ended_with    uuid,
    CHECK (valid_to >= valid_from),
    CHECK ((valid_to IS NULL) = (ended_by IS NULL)),
    CHECK (layer <> 3 OR category IN ('', 'A1', 'A2B', 'A2C', 'B', 'C'))
);
CREATE INDEX membership_doctor ON registration.membership (doctor_id, layer);
CREATE INDEX membership_office ON registration.membership (layer, code, doctor_id);
-- One membership goes on in each layer; of L1 one primary and others at other associations.
CREATE UNIQUE INDEX membership_now ON registration.membership (doctor_id, layer)
    WHERE valid_to IS NULL AND is_primary;
CREATE UNIQUE INDEX membership_beside ON registration.membership (doctor_id, layer, code)
    WHERE valid_to IS NULL;

-- One row a procedure. `desk` and `offices` are written as app.scope is: 'l1:13001', 'l2:13', 'l3'.
CREATE TABLE registration.procedure (
    procedure_id    uuid PRIMARY KEY,
    version         bigint NOT NULL DEFAULT 1,
    doctor_id       bigint NOT NULL REFERENCES registration.doctor,
    kind            text NOT NULL,
    family          text NOT NULL, -- one open procedure of it per doctor
    stage           text NOT NULL,
    back_to         text NOT NULL DEFAULT '', -- where a returned one goes on
    route           text[] NOT NULL, -- the stages it goes through when nothing stops it
    depth           smallint NOT NULL CHECK (depth BETWEEN 0 AND 3),
    granted         smallint NOT NULL CHECK (granted BETWEEN 0 AND 3),
    member_mask     smallint NOT NULL, -- bit n: was a member of layer n
    touch_mask      smallint NOT NULL, -- bit n: a field of layer n changes
    l1_code         text NOT NULL,
    l2_code         text NOT NULL,
    new_l1_code     text NOT NULL,
    new_l2_code     text NOT NULL,
    effective_on    date NOT NULL,
    asked           jsonb NOT NULL, -- {field: what it is to be}
    before          jsonb NOT NULL, -- {field: what it was}, of the same fields
    loses_insurance boolean NOT NULL,
    filed_role      text NOT NULL,
    filed_layer     smallint NOT NULL, -- 0: the doctor
    filed_code      text NOT NULL,
    filed_account   uuid NOT NULL,
    filed_reason    text,
    desk            text NOT NULL, -- whose turn it is; '' nobody's or the doctor's
    offices         text[] NOT NULL, -- whose desk it was on, or who entered it
    submitted_at    timestamptz NOT NULL,
    stage_at        timestamptz NOT NULL, -- since when it stands where it stands
    due_on          date, -- overdue after this day
    told_reason     text, -- of the last return or rejection
    confirm_desk    text NOT NULL DEFAULT '', -- who has to see an automatic withdrawal
    confirmed_at    timestamptz,
    applied_on      date, -- the day from which memberships follow it; NULL: not yet
    reminded_on     date -- the applicant was last asked to answer a return
);
CREATE UNIQUE INDEX procedure_open ON registration.procedure (doctor_id, family)
    WHERE stage NOT IN ('effective', 'partial', 'rejected', 'cancelled');
CREATE INDEX procedure_doctor ON registration.procedure (doctor_id, submitted_at);
CREATE INDEX procedure_desk ON registration.procedure (desk, stage_at, procedure_id) WHERE desk <> '';
CREATE INDEX procedure_confirm ON registration.procedure (confirm_desk)
    WHERE confirm_desk <> '' AND confirmed_at IS NULL;
CREATE INDEX procedure_offices ON registration.procedure USING gin (offices);
CREATE INDEX procedure_due ON registration.procedure (effective_on)
    WHERE stage IN ('done', 'partial') AND applied_on IS NULL;
CREATE INDEX procedure_returned ON registration.procedure (due_on) WHERE stage = 'returned';

-- Who did what. Append-only.
CREATE TABLE registration.procedure_history (
    procedure_id uuid NOT NULL REFERENCES registration.procedure,
    version      bigint NOT NULL, -- of the procedure after the action
    at           timestamptz NOT NULL,
    action       text NOT NULL,
    stage_from   text NOT NULL,
    stage        text NOT NULL,
    actor_role   text NOT NULL, -- '' when the day came by itself
    actor_id     uuid,
    reason       text,
    PRIMARY KEY (procedure_id, version)
);

-- Desks that were told what waits there, once a day.
CREATE TABLE registration.digest (
    day  date NOT NULL,
    desk text NOT NULL,
    PRIMARY KEY (day, desk)
);

GRANT SELECT ON registration.association TO mamis_registration;
GRANT SELECT, INSERT, UPDATE ON registration.association TO mamis_operator;
GRANT SELECT, INSERT, UPDATE ON registration.membership, registration.procedure TO mamis_registration;
GRANT SELECT, INSERT ON registration.procedure_history TO mamis_registration;
GRANT SELECT, INSERT, DELETE ON registration.digest TO mamis_registration;
GRANT SELECT ON registration.membership, registration.procedure, registration.procedure_history,
    registration.digest TO mamis_operator;

-- The member list that is imported says who is a member: L2 with a code of L1 and of L2, L3 with a
-- category. What it changes begins on the day of the import.
CREATE FUNCTION registration.note_members() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO registration.association (layer, code, l2_code)
    SELECT DISTINCT 1, l1_code, l2_code FROM new_rows WHERE l1_code <> '' AND l2_code <> ''
    ON CONFLICT (layer, code) DO NOTHING;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registration.membership (doctor_id, layer, code, category, began_by)
        SELECT n.doctor_id, want.layer, want.code, want.category, 'import'
        FROM new_rows AS n CROSS JOIN LATERAL (VALUES
            (1, n.l1_code, '', n.l1_code <> ''),
            (2, n.l2_code, '', n.l1_code <> '' AND n.l2_code <> ''),
            (3, '', n.l3_category, n.l1_code <> '' AND n.l2_code <> '' AND n.l3_category <> '')
        ) AS want (layer, code, category, wanted)
        WHERE want.wanted;
        RETURN NULL;
    END IF;
    CREATE TEMPORARY TABLE wanted_membership ON COMMIT DROP AS
    SELECT n.doctor_id, (n.changed_at AT TIME ZONE '+09:00'::interval)::date AS day, want.layer,
           want.code, want.category
    FROM new_rows AS n JOIN old_rows AS o USING (doctor_id) CROSS JOIN LATERAL (VALUES
        (0, '', '', true), -- stands for the doctor, also when nothing is left
        (1, n.l1_code, '', n.l1_code <> ''),
        (2, n.l2_code, '', n.l1_code <> '' AND n.l2_code <> ''
            AND (n.l3_category <> '' OR (n.l1_code, n.l2_code) <> (o.l1_code, o.l2_code)
                 OR EXISTS (SELECT FROM registration.membership AS m WHERE m.doctor_id = n.doctor_id
                            AND m.layer = 2 AND m.valid_to IS NULL))),
        (3, '', n.l3_category, n.l1_code <> '' AND n.l2_code <> '' AND n.l3_category <> '')
    ) AS want (layer, code, category, wanted)
    WHERE want.wanted AND (n.l1_code, n.l2_code, n.l3_category)
                          <> (o.l1_code, o.l2_code, o.l3_category);
    -- What began today and is not so was never so.
    DELETE FROM registration.membership AS m USING wanted_membership AS w
    WHERE w.doctor_id = m.doctor_id AND w.layer = 0 AND m.valid_to IS NULL
      AND m.valid_from >= w.day
      AND NOT EXISTS (SELECT FROM wanted_membership AS k WHERE k.doctor_id = m.doctor_id
                      AND k.layer = m.layer AND k.code = m.code
                      AND (k.layer < 3 OR k.category = m.category));
    UPDATE registration.membership AS m SET valid_to = w.day - 1, ended_by = 'import'
    FROM wanted_membership AS w
    WHERE w.doctor_id = m.doctor_id AND w.layer = 0 AND m.valid_to IS NULL
      AND NOT EXISTS (SELECT FROM wanted_membership AS k WHERE k.doctor_id = m.doctor_id
                      AND k.layer = m.layer AND k.code = m.code
                      AND (k.layer < 3 OR k.category = m.category));
    INSERT INTO registration.membership (doctor_id, layer, code, category, valid_from, began_by)
    SELECT w.doctor_id, w.layer, w.code, w.category, w.day, 'import'
    FROM wanted_membership AS w
    WHERE w.layer > 0
      AND NOT EXISTS (SELECT FROM registration.membership AS m WHERE m.doctor_id = w.doctor_id
                      AND m.layer = w.layer AND m.valid_to IS NULL AND m.is_primary);
    DROP TABLE wanted_membership;
    RETURN NULL;
END $$;

-- The service's own procedures write their memberships themselves.
CREATE TRIGGER members_added AFTER INSERT ON registration.doctor
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (session_user <> 'mamis_registration') EXECUTE FUNCTION registration.note_members();
CREATE TRIGGER members_changed AFTER UPDATE ON registration.doctor
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    WHEN (session_user <> 'mamis_registration') EXECUTE FUNCTION registration.note_members();

-- Those who are there already.
INSERT INTO registration.association (layer, code, l2_code)
SELECT DISTINCT ON (l1_code) 1, l1_code, l2_code FROM registration.doctor
WHERE l1_code <> '' AND l2_code <> '' ORDER BY l1_code, l2_code;
INSERT INTO registration.membership (doctor_id, layer, code, category, began_by)
SELECT d.doctor_id, want.layer, want.code, want.category, 'import'
FROM registration.doctor AS d CROSS JOIN LATERAL (VALUES
    (1, d.l1_code, '', d.l1_code <> ''),
    (2, d.l2_code, '', d.l1_code <> '' AND d.l2_code <> ''),
    (3, '', d.l3_category, d.l1_code <> '' AND d.l2_code <> '' AND d.l3_category <> '')
) AS want (layer, code, category, wanted)
WHERE want.wanted;

RESET ROLE;
