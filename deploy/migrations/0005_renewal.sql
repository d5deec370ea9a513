-- renewal: certificates, standing towards renewal, applications and their review. Credits are a
-- copy of what credit posted (OP and SP only); handbook declarations never enter that copy.

SET LOCAL ROLE mamis_owner;

-- Projection of doctor.state events.
CREATE TABLE renewal.doctor (
    doctor_id   bigint PRIMARY KEY,
    version     bigint NOT NULL,
    register_no text NOT NULL,
    mamis_no    text NOT NULL,
    name        text NOT NULL,
    name_kana   text NOT NULL,
    my_page     text NOT NULL,
    l1_code     text NOT NULL,
    l2_code     text NOT NULL
);

-- The newest certificate period of a doctor in a programme. `first_from`: since when the doctor
-- holds it without a gap; so it was in force on a day from first_from to valid_to.
CREATE TABLE renewal.certificate (
    doctor_id  bigint NOT NULL,
    programme  text NOT NULL CHECK (programme IN ('OP', 'SP')),
    version    bigint NOT NULL DEFAULT 1,
    number     text NOT NULL CHECK (length(number) BETWEEN 1 AND 12),
    first_from date NOT NULL,
    valid_from date NOT NULL,
    valid_to   date NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (doctor_id, programme),
    UNIQUE (programme, number),
    CHECK (first_from <= valid_from AND valid_from <= valid_to)
);
CREATE INDEX certificate_valid_to ON renewal.certificate (valid_to);

-- Every period, kept by the trigger below, so that imports and approvals cannot forget it.
CREATE TABLE renewal.certificate_period (
    doctor_id  bigint NOT NULL,
    programme  text NOT NULL,
    valid_from date NOT NULL,
    valid_to   date NOT NULL,
    number     text NOT NULL,
    PRIMARY KEY (doctor_id, programme, valid_from)
);

CREATE FUNCTION renewal.note_period() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- A corrected period takes the place of what it overlaps.
    DELETE FROM renewal.certificate_period AS gone
     WHERE gone.doctor_id = NEW.doctor_id AND gone.programme = NEW.programme
       AND gone.valid_from <= NEW.valid_to AND gone.valid_to >= NEW.valid_from;
    INSERT INTO renewal.certificate_period (doctor_id, programme, valid_from, valid_to, number)
    VALUES (NEW.doctor_id, NEW.programme, NEW.valid_from, NEW.valid_to, NEW.number);
    RETURN NULL;
END $$;
CREATE TRIGGER certificate_period AFTER INSERT OR UPDATE ON renewal.certificate
    FOR EACH ROW EXECUTE FUNCTION renewal.note_period();

-- Sessions that gave OP or SP credits, as their latest event described them.
CREATE TABLE renewal.session (
    session_id    bigint PRIMARY KEY,
    seminar_no    text NOT NULL,
    seminar_title text NOT NULL,
    session_no    text NOT NULL,
    title         text NOT NULL,
    held_on       date NOT NULL,
    delivery      text NOT NULL
);

-- Copy of the ledger, same key: an even highest revision stands. Append-only.
CREATE TABLE renewal.credit (
    doctor_id  bigint NOT NULL,
    session_id bigint NOT NULL,
    programme  text NOT NULL,
    revision   int NOT NULL,
    kind       text NOT NULL,
    half_units int NOT NULL,
    PRIMARY KEY (doctor_id, session_id, programme, revision)
);

-- What the doctor declares from the paper handbook (to 2025-03-31), one line a kind. `verified`
-- holds what the prefectural association read in the handbook; NULL: not yet looked at.
CREATE TABLE renewal.handbook (
    doctor_id           bigint NOT NULL,
    programme           text NOT NULL,
    kind                text NOT NULL,
    declared_half_units int NOT NULL CHECK (declared_half_units BETWEEN 0 AND 1000),
    verified_half_units int CHECK (verified_half_units BETWEEN 0 AND 1000),
    last_on             date CHECK (last_on <= '2025-03-31'), -- newest stamp of this kind
    declared_at         timestamptz NOT NULL,
    verified_at         timestamptz,
    PRIMARY KEY (doctor_id, programme, kind)
);

-- Doctors whose standing has to be computed again: `mark` grows with each change that concerns the
-- doctor (in the transaction of the change), `done` is the mark that a computation has seen.
CREATE TABLE renewal.dirty (
    doctor_id bigint PRIMARY KEY,
    mark      bigint NOT NULL DEFAULT 1,
    done      bigint NOT NULL DEFAULT 0,
    since     timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE INDEX dirty_waiting ON renewal.dirty (since) WHERE mark > done;

-- Result of the last computation, which saw `mark`; an older one never replaces a newer. `lines`: [{kind, needed, posted, declared, verified, counted}],
-- `entries`: [[session_id, revision, counted, reason or null]], `missing`: [{kind, half_units}].
CREATE TABLE renewal.standing (
    doctor_id           bigint NOT NULL,
    programme           text NOT NULL,
    mark                bigint NOT NULL,
    rule_set            text NOT NULL,
    needed_half_units   int NOT NULL,
    counted_half_units  int NOT NULL,
    eligible            boolean NOT NULL,
    depends_on_declared boolean NOT NULL,
    opens_on            date NOT NULL, -- applications are taken from this day
    closes_on           date NOT NULL, -- to this day
    lines               jsonb NOT NULL,
    entries             jsonb NOT NULL,
    missing             jsonb NOT NULL,
    as_of               timestamptz NOT NULL,
    PRIMARY KEY (doctor_id, programme)
) WITH (fillfactor = 80);

CREATE TABLE renewal.application (
    application_id      uuid PRIMARY KEY,
    version             bigint NOT NULL DEFAULT 1,
    doctor_id           bigint NOT NULL,
    account_id          uuid NOT NULL,
    programme           text NOT NULL CHECK (programme IN ('OP', 'SP')),
    status              text NOT NULL CHECK (status IN ('submitted', 'l1_review', 'l2_review',
                            'returned', 'l3_queued', 'l3_review', 'approved', 'rejected_l2',
                            'rejected_l3', 'withdrawn', 'closed')),
    l2_code             text NOT NULL CHECK (l2_code <> ''), -- at submission; a move does not change it
    rule_set            text NOT NULL,
    cycle               text NOT NULL, -- 'OP-2025-05'
    submitted_at        timestamptz NOT NULL,
    handbook            text NOT NULL CHECK (handbook IN ('not_needed', 'awaited', 'received',
                                                          'returned')),
    fee                 text NOT NULL CHECK (fee IN ('awaited', 'paid', 'waived')),
    fee_yen             int NOT NULL,
    number              text NOT NULL,
    valid_from          date NOT NULL, -- of the period that ends
    valid_to            date NOT NULL,
    needed_half_units   int NOT NULL,
    counted_half_units  int NOT NULL,
    eligible            boolean NOT NULL,
    depends_on_declared boolean NOT NULL,
    lines               jsonb NOT NULL, -- as in standing
    missing             jsonb NOT NULL,
    return_reason       text,
    return_until        date,
    new_from            date,
    new_to              date,
    changed_at          timestamptz NOT NULL
);
-- One open application a programme; the reason why a second submission is refused.
CREATE UNIQUE INDEX application_open ON renewal.application (doctor_id, programme)
    WHERE status IN ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review');
CREATE INDEX application_doctor ON renewal.application (doctor_id, submitted_at);
CREATE INDEX application_office ON renewal.application (l2_code, submitted_at, application_id);
CREATE INDEX application_order ON renewal.application (submitted_at, application_id);

-- The credits an application relies on, frozen at submission or resubmission.
CREATE TABLE renewal.application_credit (
    application_id     uuid NOT NULL REFERENCES renewal.application,
    session_id         bigint NOT NULL,
    revision           int NOT NULL,
    kind               text NOT NULL,
    half_units         int NOT NULL,
    counted_half_units int NOT NULL,
    not_counted_reason text,
    PRIMARY KEY (application_id, session_id)
);

-- Who did what to an application. Append-only.
CREATE TABLE renewal.application_history (
    application_id uuid NOT NULL REFERENCES renewal.application,
    version        bigint NOT NULL, -- of the application after the action
    at             timestamptz NOT NULL,
    action         text NOT NULL,
    actor_role     text NOT NULL,
    actor_id       uuid NOT NULL, -- account
    reason         text,
    detail         jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (application_id, version)
);

GRANT SELECT, INSERT, UPDATE ON renewal.doctor, renewal.session TO mamis_renewal, mamis_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON renewal.certificate_period, renewal.handbook, renewal.dirty,
    renewal.standing TO mamis_renewal, mamis_operator;
GRANT SELECT, INSERT, UPDATE ON renewal.certificate TO mamis_renewal, mamis_operator;
GRANT SELECT, INSERT, UPDATE ON renewal.application TO mamis_renewal;
GRANT SELECT, INSERT, DELETE ON renewal.application_credit TO mamis_renewal;
GRANT SELECT, INSERT ON renewal.credit, renewal.application_history TO mamis_renewal;
GRANT SELECT ON renewal.application, renewal.application_credit, renewal.credit,
    renewal.application_history TO mamis_operator;

RESET ROLE;
