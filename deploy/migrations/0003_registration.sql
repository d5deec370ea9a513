-- registration: persons, accounts and the steps of first login. No secret of any kind is here.

-- For updates that rely on a version read before: somebody else was quicker, so nothing of this
-- transaction may stay. 40001 makes the caller read again.
CREATE FUNCTION mamis.changed(rows bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF rows = 0 THEN
        RAISE EXCEPTION 'changed by somebody else meanwhile' USING ERRCODE = '40001';
    END IF;
    RETURN rows;
END $$;

SET LOCAL ROLE mamis_owner;

-- Versions of the terms of use; the newest one in force has to be agreed to at first login.
CREATE TABLE registration.terms (
    version     text PRIMARY KEY CHECK (version <> ''),
    in_force_on date NOT NULL,
    text        text NOT NULL
);

-- One row a doctor, with or without a My Page. Numbers are kept as text without leading zeros.
CREATE TABLE registration.doctor (
    doctor_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version            bigint NOT NULL DEFAULT 1,
    register_no        text NOT NULL UNIQUE CHECK (register_no ~ '^[1-9][0-9]{0,6}$'),
    mamis_no           text UNIQUE CHECK (mamis_no ~ '^[0-9]{10}$'),
    licensed_on        date,
    name               text NOT NULL CHECK (name <> ''),
    name_kana          text NOT NULL,
    former_name        text NOT NULL DEFAULT '',
    former_name_kana   text NOT NULL DEFAULT '',
    sex                text NOT NULL DEFAULT '' CHECK (sex IN ('', 'M', 'F')),
    birth_on           date,
    email              text NOT NULL DEFAULT '', -- confirmed, or as imported
    l1_code            text NOT NULL DEFAULT '',
    l2_code            text NOT NULL DEFAULT '' CHECK (l2_code ~ '^([0-9]{2})?$'),
    l3_category        text NOT NULL DEFAULT ''
                       CHECK (l3_category IN ('', 'A1', 'A2B', 'A2C', 'B', 'C')),
    my_page            text NOT NULL
                       CHECK (my_page IN ('none', 'temp_issued', 'link_pending', 'active', 'closed')),
    workplace_name     text NOT NULL DEFAULT '',
    workplace_postcode text NOT NULL DEFAULT '',
    workplace_address  text NOT NULL DEFAULT '',
    phone              text NOT NULL DEFAULT '',
    my_page_at         timestamptz, -- when My Page was completed
    changed_at         timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row an account: doctors, organisers' people, offices. `step` is '' when first login is over.
CREATE TABLE registration.account (
    account_id      uuid PRIMARY KEY,
    version         bigint NOT NULL DEFAULT 1,
    role            text NOT NULL CHECK (role IN ('doctor', 'organiser', 'office_l1', 'office_l2',
                                                  'office_l3', 'call_centre', 'admin', 'auditor')),
    doctor_id       bigint UNIQUE REFERENCES registration.doctor,
    name            text NOT NULL DEFAULT '',
    email           text NOT NULL DEFAULT '',
    email_confirmed boolean NOT NULL DEFAULT false,
    pending_email   text NOT NULL DEFAULT '', -- entered, its link not yet used
    state           text NOT NULL CHECK (state IN ('temp_issued', 'active', 'suspended', 'closed')),
    step            text NOT NULL DEFAULT ''
                    CHECK (step IN ('', 'terms', 'email', 'email_confirm', 'profile', 'password')),
    organiser_code  text NOT NULL DEFAULT '',
    l1_code         text NOT NULL DEFAULT '',
    l2_code         text NOT NULL DEFAULT '',
    terms_version   text NOT NULL DEFAULT '',
    terms_agreed_at timestamptz,
    -- Wrong birth dates at first login: a postcard alone must not make an account.
    birth_tries     int NOT NULL DEFAULT 0,
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((role = 'doctor') = (doctor_id IS NOT NULL)),
    CHECK (role <> 'organiser' OR organiser_code <> ''),
    CHECK (role <> 'office_l1' OR l1_code <> ''),
    CHECK (role <> 'office_l2' OR l2_code <> '')
);
-- "Who else uses this address" and password resets.
CREATE INDEX account_email ON registration.account (lower(email)) WHERE email <> '';

-- What was done to an account, by which command. Append-only; values of fields are not kept here.
CREATE TABLE registration.account_history (
    account_id uuid NOT NULL,
    version    bigint NOT NULL,
    at         timestamptz NOT NULL,
    action     text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, version)
);

-- Present and former names stay findable: one row whenever a name changes. Append-only.
CREATE TABLE registration.name_history (
    doctor_id        bigint NOT NULL REFERENCES registration.doctor,
    version          bigint NOT NULL, -- of the doctor, before the change
    name             text NOT NULL,
    name_kana        text NOT NULL,
    former_name      text NOT NULL,
    former_name_kana text NOT NULL,
    until            timestamptz NOT NULL,
    PRIMARY KEY (doctor_id, version)
);

CREATE SEQUENCE registration.mamis_no_seq;

-- A MAMIS number never given before: nine digits from a sequence, spread by a multiplication that
-- meets every value once (the factor has no 2 and no 5), and the check digit of ISO/IEC 7064
-- MOD 11,10. Numbers that an import brought along are stepped over.
CREATE FUNCTION registration.new_mamis_no() RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    body text;
    rest int;
    number text;
BEGIN
    LOOP
        body := lpad(((nextval('registration.mamis_no_seq') * 387420489 + 271828183)
                      % 1000000000)::text, 9, '0');
        rest := 10;
        FOR place IN 1 .. 9 LOOP
            rest := (rest + substr(body, place, 1)::int) % 10;
            IF rest = 0 THEN
                rest := 10;
            END IF;
            rest := (rest * 2) % 11;
        END LOOP;
        number := body || ((11 - rest) % 10)::text;
        PERFORM 1 FROM registration.doctor WHERE mamis_no = number;
        IF NOT FOUND THEN
            RETURN number;
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION registration.new_mamis_no() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registration.new_mamis_no() TO mamis_registration, mamis_operator;
GRANT USAGE ON SEQUENCE registration.mamis_no_seq TO mamis_registration, mamis_operator;
GRANT SELECT, INSERT, UPDATE ON registration.doctor, registration.account
    TO mamis_registration, mamis_operator;
GRANT SELECT ON registration.terms TO mamis_registration;
GRANT SELECT, INSERT, UPDATE ON registration.terms TO mamis_operator;
GRANT SELECT, INSERT ON registration.account_history, registration.name_history
    TO mamis_registration, mamis_operator;

INSERT INTO registration.terms (version, in_force_on, text) VALUES
('2025-04-01', '2025-04-01',
'会員情報システム利用規約（見本）

第1条（目的）この規約は、医師会会員情報システム（以下「本システム」といいます）の利用の条件を定めます。
第2条（利用者）利用者は、本人として登録した医師および医師会・研修会主催者の担当者です。
第3条（ログインID等の管理）利用者は、ログインIDとパスワードを自分で管理し、他人に使わせません。
第4条（登録情報）利用者は、登録情報を正しく保ち、変更があったときは速やかに直します。
第5条（共同利用）登録情報は、利用者が所属する医師会の間で、会員管理と研修・認定の事務のために共同で利用します。
第6条（研修の記録）研修会の受講の記録と単位は、主催者が登録します。誤りに気付いたときは主催者に連絡してください。
第7条（停止）本システムは、保守のために止まることがあります。
第8条（変更）この規約を変えるときは、本システムで知らせ、次のログインのときに改めて同意を求めます。');

RESET ROLE;
