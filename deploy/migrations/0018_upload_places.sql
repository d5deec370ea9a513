-- Files that come in now, at whichever gateway: with the uploads that are being worked on they make
-- up what an organiser may have under way at once. A gateway renews `seen_at` of its own while it
-- lives; what it left behind counts for a minute.
CREATE TABLE gateway.upload_place (
    upload_id      uuid PRIMARY KEY,
    organiser_code text NOT NULL,
    seen_at        timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX upload_place_organiser ON gateway.upload_place (organiser_code);

ALTER TABLE gateway.upload_place OWNER TO mamis_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.upload_place TO mamis_gateway, mamis_operator;
