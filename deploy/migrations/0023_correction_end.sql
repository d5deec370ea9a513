-- Corrections whose last slice was told: what still comes late of one goes out at once.
CREATE TABLE notification.correction (
    correction_id uuid PRIMARY KEY,
    ended_at      timestamptz NOT NULL
);
CREATE INDEX correction_ended ON notification.correction (ended_at);
ALTER TABLE notification.correction OWNER TO mamis_owner;
GRANT SELECT, INSERT, DELETE ON notification.correction TO mamis_notification;
GRANT SELECT ON notification.correction TO mamis_operator;
