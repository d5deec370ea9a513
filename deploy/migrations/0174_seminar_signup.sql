-- Sign-ups to seminars: first come, first served. A seminar's sign-ups have one writer, the worker that
-- has its partition; `line_no` is the order in which people asked.

CREATE TABLE credit.signup (
    seminar_no    text NOT NULL REFERENCES credit.seminar,
    doctor_id     bigint NOT NULL,
    version       bigint NOT NULL,
    state         text NOT NULL CHECK (state IN ('applied', 'waitlist', 'cancelled_by_doctor')),
    line_no       bigint NOT NULL,
    asked_at      timestamptz NOT NULL,
    actor         uuid NOT NULL,     -- account that asked last
    delegation_id uuid,              -- by which; NULL: the doctor
    PRIMARY KEY (seminar_no, doctor_id)
);
CREATE UNIQUE INDEX signup_line ON credit.signup (seminar_no, line_no);
CREATE INDEX signup_doctor ON credit.signup (doctor_id, asked_at);
CREATE INDEX session_starts ON credit.session (starts_at);
ALTER TABLE credit.signup OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON credit.signup TO mamis_credit;
GRANT SELECT ON credit.signup TO mamis_operator, mamis_portal;

-- What delegates asked for stands beside what they looked at. ---------------------------------------

ALTER TABLE gateway.delegate_look ADD COLUMN seminar_no text;
ALTER TABLE gateway.delegate_look DROP CONSTRAINT IF EXISTS delegate_look_what_check;
ALTER TABLE gateway.delegate_look ADD CONSTRAINT delegate_look_what_check
    CHECK (what IN ('credits', 'seminars', 'asked_sign_up', 'asked_cancellation'));

CREATE OR REPLACE VIEW portal.delegation_deed AS
SELECT delegation_id, at, action, NULL::text AS seminar_no FROM registration.delegation_history
UNION ALL
SELECT delegation_id, at, CASE WHEN what IN ('credits', 'seminars') THEN 'looked_at_' || what
                               ELSE what END, seminar_no
FROM gateway.delegate_look;

CREATE OR REPLACE FUNCTION portal.delegate_json(d portal.delegation) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'delegation_id', d.delegation_id, 'name', d.name, 'email', d.email, 'state', d.state,
        'invited_at', portal.rfc3339(d.invited_at), 'link_until', portal.rfc3339(d.link_until),
        'accepted_at', portal.rfc3339(d.accepted_at), 'ended_at', portal.rfc3339(d.ended_at),
        'history', (
            SELECT coalesce(json_agg(json_build_object('at', portal.rfc3339(h.at), 'action', h.action,
                                                       'seminar_no', h.seminar_no)
                                     ORDER BY h.at DESC), '[]')
            FROM (SELECT at, action, seminar_no FROM portal.delegation_deed
                  WHERE delegation_id = d.delegation_id ORDER BY at DESC LIMIT 100) AS h))
$$;

ALTER POLICY delegation_scope ON registration.delegation
    USING (doctor_id = (SELECT portal.reach_own('delegate_manage'))
           OR delegate_id = (SELECT portal.reach_delegate('delegated_read', 'delegated_end',
                                                          'delegated_signup')));

-- As portal.delegate_begin(), for what a doctor may do before certification data is linked, too. The
-- row is the doctor.
CREATE FUNCTION portal.delegate_begin_signup(wanted uuid) RETURNS SETOF bigint
    LANGUAGE sql VOLATILE AS $$
    SELECT split_part(set_config('app.scope', 'delegated:' || d.doctor_id::text, true), ':', 2)::bigint
    FROM portal.delegation d, portal.delegation_doctor(d.doctor_id) AS p
    WHERE d.delegation_id = wanted AND d.state = 'active' AND p.my_page IS NOT NULL
      AND d.delegate_id = (SELECT portal.reach_delegate('delegated_signup'))
$$;
GRANT EXECUTE ON FUNCTION portal.delegate_begin_signup(uuid) TO mamis_gateway, mamis_portal;

-- In the transaction that accepts a delegate's command: notes it, unless the delegation has ended since
-- it was looked at. 40001 as mamis.changed() does: the caller asks again, and is told.
CREATE FUNCTION portal.delegate_ask(wanted uuid, who uuid, at timestamptz, what text, seminar_no text)
    RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM registration.delegation d
                   WHERE d.delegation_id = wanted AND d.delegate_id = who AND d.state = 'active'
                     AND NOT EXISTS (SELECT FROM gateway.delegation_stop s
                                     WHERE s.delegation_id = wanted)) THEN
        RAISE EXCEPTION 'ended meanwhile' USING ERRCODE = '40001';
    END IF;
    INSERT INTO gateway.delegate_look (delegation_id, account_id, at, what, seminar_no)
    VALUES (wanted, who, at, what, seminar_no);
END $$;
ALTER FUNCTION portal.delegate_ask(uuid, uuid, timestamptz, text, text) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION portal.delegate_ask(uuid, uuid, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.delegate_ask(uuid, uuid, timestamptz, text, text) TO mamis_gateway;

-- Who sees a sign-up: the doctor, a delegate, and who looks after the seminar. -----------------------

ALTER TABLE credit.signup ENABLE ROW LEVEL SECURITY;
CREATE POLICY signup_own ON credit.signup FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.reach_own('seminar_signup'))
           OR doctor_id = (SELECT portal.scope_id('delegated')));
CREATE POLICY signup_office ON credit.signup FOR SELECT TO mamis_portal
    USING ((SELECT portal.reach_all('applicant_read'))
           OR seminar_no IN (
               SELECT s.seminar_no FROM credit.seminar s JOIN credit.organiser o USING (organiser_code)
               WHERE o.organiser_code = (SELECT portal.reach_code('organiser', 'applicant_read'))
                  OR o.l1_code = (SELECT portal.reach_code('l1', 'applicant_read'))
                  OR o.l2_code = (SELECT portal.reach_code('l2', 'applicant_read'))));

CREATE VIEW portal.seminar_signup AS
SELECT seminar_no, doctor_id, version, state, line_no, asked_at,
       delegation_id IS NOT NULL AS by_delegate
FROM credit.signup;
ALTER VIEW portal.seminar_signup OWNER TO mamis_portal;
GRANT SELECT ON portal.seminar_signup TO mamis_gateway;

-- Numbers alone, for everybody who may sign up: who the others are stays with the organiser.
-- `ahead`: how many wait longer than `line`.
CREATE FUNCTION portal.seminar_signup_counts(wanted text, line bigint, OUT capacity int,
                                             OUT applied bigint, OUT waiting bigint, OUT ahead bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT (SELECT min(n.capacity) FROM credit.session n WHERE n.seminar_no = wanted),
           count(*) FILTER (WHERE s.state = 'applied'), count(*) FILTER (WHERE s.state = 'waitlist'),
           count(*) FILTER (WHERE s.state = 'waitlist' AND s.line_no < line)
    FROM credit.signup s WHERE s.seminar_no = wanted
$$;
ALTER FUNCTION portal.seminar_signup_counts(text, bigint) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION portal.seminar_signup_counts(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.seminar_signup_counts(text, bigint) TO mamis_gateway, mamis_portal;

-- What an organiser has to know of an applicant. Only for a sign-up that the caller may see.
CREATE FUNCTION portal.applicant(wanted bigint, OUT name text, OUT name_kana text,
                                 OUT register_no text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT d.name, d.name_kana, d.register_no FROM registration.doctor d
    WHERE d.doctor_id = wanted AND EXISTS (SELECT FROM credit.signup s WHERE s.doctor_id = wanted)
$$;
ALTER FUNCTION portal.applicant(bigint) OWNER TO mamis_owner;
REVOKE ALL ON FUNCTION portal.applicant(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.applicant(bigint) TO mamis_gateway, mamis_portal;

-- A seminar as whoever signs up sees it; the doctor is that of the scope.
CREATE FUNCTION portal.open_seminar_json(wanted text, now timestamptz) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'seminar_no', s.seminar_no, 'title', s.title, 'organiser_name', s.organiser_name,
        'open', coalesce(s.status = 'published' AND n.starts_at > now, false),
        'starts_at', portal.rfc3339(n.starts_at), 'sessions', n.sessions,
        'places_left', CASE WHEN c.capacity IS NOT NULL
            THEN greatest(c.capacity - c.applied - c.waiting, 0) END,
        'waiting', c.waiting,
        'state', g.state, 'asked_at', portal.rfc3339(g.asked_at),
        'by_delegate', coalesce(g.by_delegate, false),
        'waiting_before', CASE WHEN g.state = 'waitlist' THEN c.ahead END,
        'overlaps', (
            SELECT coalesce(json_agg(json_build_object('seminar_no', o.seminar_no, 'title', o.title)
                                     ORDER BY o.seminar_no), '[]')
            FROM (SELECT x.seminar_no, x.title FROM portal.seminar_signup m
                  JOIN portal.seminar x USING (seminar_no)
                  WHERE m.doctor_id = portal.credit_doctor() AND m.state <> 'cancelled_by_doctor'
                    AND m.seminar_no <> wanted AND EXISTS (
                        SELECT FROM portal.session a JOIN portal.session b
                            ON a.starts_at < b.ends_at AND b.starts_at < a.ends_at
                        WHERE a.seminar_no = wanted AND b.seminar_no = m.seminar_no)
                  ORDER BY x.seminar_no LIMIT 100) AS o))
    FROM portal.seminar s
    LEFT JOIN portal.seminar_signup g
        ON g.seminar_no = s.seminar_no AND g.doctor_id = portal.credit_doctor()
    CROSS JOIN LATERAL portal.seminar_signup_counts(s.seminar_no, coalesce(g.line_no, 0)) AS c
    CROSS JOIN LATERAL (
        SELECT min(x.starts_at) AS starts_at, coalesce(json_agg(json_build_object(
                   'session_no', x.session_no, 'title', x.title,
                   'starts_at', portal.rfc3339(x.starts_at), 'ends_at', portal.rfc3339(x.ends_at),
                   'delivery', x.delivery) ORDER BY x.starts_at, x.session_id), '[]') AS sessions
        FROM portal.session x WHERE x.seminar_no = s.seminar_no) AS n
    WHERE s.seminar_no = wanted
$$;
GRANT EXECUTE ON FUNCTION portal.open_seminar_json(text, timestamptz) TO mamis_gateway, mamis_portal;
