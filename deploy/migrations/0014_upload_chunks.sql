-- notification: what a chunk posted is one row until its upload is complete; then it becomes mails,
-- lot by lot of doctors. Mails that are through have an end.

ALTER TABLE notification.upload
    ADD COLUMN seminar_no    text,
    ADD COLUMN seminar_title text,
    ADD COLUMN next_doctor   bigint NOT NULL DEFAULT 0, -- those before have their mail
    ADD COLUMN expanded_at   timestamptz,               -- the last lot
    ADD COLUMN suppressed    int NOT NULL DEFAULT 0;    -- doctors without an address

-- One row for each event of an upload that is not released yet: a chunk, or counter-entries. Entry i is doctor_ids[i] and the
-- line [held_on, kind, half_units, session_id, programme, revision] at line_index[i] of `lines`.
CREATE TABLE notification.upload_chunk (
    chunk_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    upload_id    uuid NOT NULL,
    first_doctor bigint NOT NULL,
    last_doctor  bigint NOT NULL,
    entries      int NOT NULL,
    doctor_ids   bigint[] NOT NULL,   -- ascending
    line_index   smallint[] NOT NULL, -- from 0
    lines        jsonb NOT NULL
);
CREATE INDEX upload_chunk_upload ON notification.upload_chunk (upload_id);

-- Mails that were gathering become rows of their uploads again: one for each doctor.
UPDATE notification.upload AS u SET seminar_no = m.data ->> 'seminar_no',
    seminar_title = m.data ->> 'seminar_title'
    FROM notification.mail AS m WHERE m.upload_id = u.upload_id AND m.state = 'gathering';
INSERT INTO notification.upload_chunk (upload_id, first_doctor, last_doctor, entries, doctor_ids,
                                       line_index, lines)
    SELECT upload_id, to_doctor, to_doctor, n,
           array_fill(to_doctor, ARRAY[n]), array(SELECT generate_series(0, n - 1)::smallint),
           (SELECT jsonb_agg(line || jsonb_build_array(-place, '', 0) ORDER BY place)
            FROM jsonb_array_elements(data -> 'lines') WITH ORDINALITY AS l (line, place))
    FROM (SELECT *, jsonb_array_length(data -> 'lines') AS n FROM notification.mail
          WHERE state = 'gathering') AS m;
DELETE FROM notification.mail WHERE state = 'gathering';

DROP INDEX notification.mail_gathering;
ALTER TABLE notification.mail
    DROP CONSTRAINT mail_state_check,
    ADD CONSTRAINT mail_state_check CHECK (state IN ('ready', 'active', 'deferred', 'delivered',
        'bounced', 'expired', 'suppressed'));
-- Those that a counter-entry may still change.
CREATE INDEX mail_of_upload ON notification.mail (upload_id, to_doctor)
    WHERE upload_id IS NOT NULL AND state = 'ready';
CREATE INDEX mail_finished ON notification.mail (finished_at) WHERE finished_at IS NOT NULL;

-- Whose mails do not arrive is told on the portal's pages.
GRANT SELECT ON notification.undeliverable TO mamis_portal;
CREATE VIEW portal.undeliverable AS SELECT address FROM notification.undeliverable;
ALTER VIEW portal.undeliverable OWNER TO mamis_portal;
GRANT SELECT ON portal.undeliverable TO mamis_gateway;

ALTER TABLE notification.upload_chunk OWNER TO mamis_owner;
GRANT SELECT, INSERT, DELETE ON notification.upload_chunk TO mamis_notification, mamis_operator;
GRANT DELETE ON notification.mail TO mamis_notification;
