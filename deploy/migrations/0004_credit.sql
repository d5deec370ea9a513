-- credit: seminars, uploads, the ledger.

-- What `credit` knows of doctors, from doctor.state and certificate.state events.
CREATE TABLE credit.doctor (
    doctor_id        bigint PRIMARY KEY,
    version          bigint NOT NULL,
    register_no      int,              -- without leading zeros, R-ACC-12
    mamis_no         bigint,
    name_kana        text NOT NULL,
    kana_folded      text NOT NULL,    -- R-TXT-05, for comparison only
    former_folded    text NOT NULL DEFAULT '',
    my_page          text NOT NULL CHECK (my_page IN ('none', 'temp_issued', 'link_pending', 'active', 'closed'))
);
CREATE INDEX doctor_register_no ON credit.doctor (register_no) WHERE register_no IS NOT NULL;
CREATE INDEX doctor_mamis_no ON credit.doctor (mamis_no) WHERE mamis_no IS NOT NULL;

-- The days on which a doctor's certificate was in force; decides between alternatives (R-SEM-09).
CREATE TABLE credit.certificate (
    doctor_id  bigint NOT NULL,
    programme  text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,
    first_from date NOT NULL,
    valid_to   date NOT NULL,
    PRIMARY KEY (doctor_id, programme)
);

CREATE TABLE credit.organiser (
    organiser_code text PRIMARY KEY,
    name           text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('l1', 'l2', 'l3', 'other')),
    l1_code        text,
    l2_code        text
);

CREATE TABLE credit.seminar (
    seminar_no     text PRIMARY KEY,
    version        bigint NOT NULL DEFAULT 1,
    title          text NOT NULL,
    organiser_code text NOT NULL REFERENCES credit.organiser,
    status         text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'cancelled'))
);
CREATE INDEX seminar_organiser ON credit.seminar (organiser_code, seminar_no);

CREATE TABLE credit.session (
    session_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seminar_no       text NOT NULL REFERENCES credit.seminar,
    session_no       text NOT NULL,
    title            text NOT NULL,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    held_on          date NOT NULL,    -- day of starts_at in Japan, R-SEM-03
    delivery         text NOT NULL CHECK (delivery IN ('venue', 'web', 'visit')),
    grace_minutes    int NOT NULL CHECK (grace_minutes BETWEEN 0 AND 600),
    capacity         int,
    offers           text NOT NULL,    -- as in the import: "OPB-K:2|OPL-S:2;CME-015:2"
    leader_register_no int,
    UNIQUE (seminar_no, session_no)
);

-- One upload of attendance. The gateway inserts it, complete, with the last part of the bytes; from
-- then on the seminar's partition is its only writer.
CREATE TABLE credit.upload (
    upload_id      uuid PRIMARY KEY,
    upload_no      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    seminar_no     text NOT NULL,
    organiser_code text NOT NULL,
    account_id     uuid,               -- NULL when a token sent it
    token_id       uuid,
    file_name      text NOT NULL,
    sha256         bytea NOT NULL,
    bytes          bigint NOT NULL,
    received_at    timestamptz NOT NULL,
    dry_run        boolean NOT NULL DEFAULT false,
    status         text NOT NULL DEFAULT 'received' CHECK (status IN
                       ('received', 'reading', 'posting', 'done', 'refused', 'undone')),
    version        bigint NOT NULL DEFAULT 0,
    encoding       text,
    delimiter      text,
    ignored_columns jsonb NOT NULL DEFAULT '[]',
    problem        jsonb,
    scan_state     bytea,              -- the reading step's place in the file
    header         bytea,              -- what the reading step found of the header
    rows_total     bigint,
    chunks_total   int,
    next_chunk     int NOT NULL DEFAULT 0,
    early_chunk    int,                -- a chunk message that came before its turn
    posted         bigint NOT NULL DEFAULT 0,
    already_posted bigint NOT NULL DEFAULT 0,
    waiting        bigint NOT NULL DEFAULT 0,
    unmatched      bigint NOT NULL DEFAULT 0,
    absent         bigint NOT NULL DEFAULT 0,
    rejected       bigint NOT NULL DEFAULT 0,
    done_at        timestamptz
) WITH (fillfactor = 50);
CREATE INDEX upload_seminar ON credit.upload (seminar_no, upload_no DESC);
CREATE INDEX upload_organiser ON credit.upload (organiser_code, upload_no DESC);
CREATE INDEX upload_open ON credit.upload (organiser_code)
    WHERE status IN ('received', 'reading', 'posting');

-- The bytes as they came, kept as evidence. Parts of 256 KiB (the last may be shorter), committed
-- singly while the request runs; parts without an upload go after an hour.
CREATE TABLE credit.upload_part (
    upload_id  uuid NOT NULL,
    part_no    int NOT NULL,
    bytes      bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (upload_id, part_no)
);
ALTER TABLE credit.upload_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
-- Parts come in the order of time: a few pages say where the young ones lie.
CREATE INDEX upload_part_created ON credit.upload_part USING brin (created_at);

-- Where each chunk lies in the file, and once it is posted, what became of its posted rows: the
-- parallel arrays lead to the ledger's key, so that the ledger needs no second index.
CREATE TABLE credit.upload_chunk (
    upload_no   bigint NOT NULL,
    chunk_no    int NOT NULL,
    first_row   bigint NOT NULL,
    first_line  bigint NOT NULL,
    row_count   int NOT NULL,
    byte_offset bigint NOT NULL,
    byte_length int NOT NULL,
    posted_row     int[],             -- row_no of each posted row
    posted_line    int[],
    posted_doctor  bigint[],
    posted_session bigint[],
    posted_kinds   text[],            -- of a dry run, which has no entries: "OPL-S/CME-015"
    reasons        jsonb,             -- of its other rows: [["rejected", "late_arrival", 12], ...]
    PRIMARY KEY (upload_no, chunk_no)
);

-- The credits. Append-only: revision 0 posts, 1 cancels, 2 posts again; an even highest revision
-- stands (R-SEM-18). The one index stops double posting and reads a doctor's page.
CREATE TABLE credit.ledger (
    doctor_id  bigint NOT NULL,
    session_id bigint NOT NULL,
    upload_no  bigint NOT NULL,
    posted_at  timestamptz NOT NULL,
    row_no     int NOT NULL,
    held_on    date NOT NULL,
    half_units smallint NOT NULL,
    revision   smallint NOT NULL,
    programme  text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    reason     text,
    actor      uuid,
    PRIMARY KEY (doctor_id, session_id, programme, revision),
    CHECK ((revision % 2 = 0) = (half_units > 0))
);

-- A row that did not post; posted rows are described by their ledger entries.
CREATE TABLE credit.upload_row (
    upload_no   bigint NOT NULL,
    row_no      int NOT NULL,
    line_no     int NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('already_posted', 'waiting', 'unmatched', 'absent', 'rejected')),
    reason      text,
    problems    jsonb NOT NULL DEFAULT '[]',
    register_no text,
    name_kana   text,
    same_as_row int,
    doctor_id   bigint,
    session_id  bigint,
    credits     jsonb,                 -- what a waiting row will post; NULL: nothing
    PRIMARY KEY (upload_no, row_no)
);
CREATE INDEX upload_row_doctor ON credit.upload_row (doctor_id, session_id) WHERE doctor_id IS NOT NULL;

-- Who did what. Append-only.
CREATE TABLE credit.audit (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    action     text NOT NULL,
    actor      uuid,
    subject    text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}'
);

ALTER TABLE credit.doctor OWNER TO mamis_owner;
ALTER TABLE credit.certificate OWNER TO mamis_owner;
ALTER TABLE credit.organiser OWNER TO mamis_owner;
ALTER TABLE credit.seminar OWNER TO mamis_owner;
ALTER TABLE credit.session OWNER TO mamis_owner;
ALTER TABLE credit.upload OWNER TO mamis_owner;
ALTER TABLE credit.upload_part OWNER TO mamis_owner;
ALTER TABLE credit.upload_chunk OWNER TO mamis_owner;
ALTER TABLE credit.ledger OWNER TO mamis_owner;
ALTER TABLE credit.upload_row OWNER TO mamis_owner;
ALTER TABLE credit.audit OWNER TO mamis_owner;

GRANT SELECT, INSERT, UPDATE ON credit.doctor, credit.certificate, credit.organiser, credit.seminar, credit.session,
    credit.upload_chunk, credit.upload_row TO mamis_credit, mamis_operator;
GRANT SELECT, UPDATE ON credit.upload TO mamis_credit;
GRANT SELECT, DELETE ON credit.upload_part TO mamis_credit;
-- Pointers of a file that is read anew or refused after all.
GRANT DELETE ON credit.upload_chunk TO mamis_credit;
GRANT SELECT, INSERT ON credit.ledger, credit.audit TO mamis_credit;
GRANT SELECT ON ALL TABLES IN SCHEMA credit TO mamis_operator;
GRANT USAGE ON SCHEMA credit TO mamis_gateway;
GRANT INSERT ON credit.upload, credit.upload_part TO mamis_gateway;
