-- Copies of licences are kept while somebody has to look at them, and a while after: ids and days of
-- decided sign-ups, for the gateway, which deletes the copies. The sign-up itself stays.
CREATE INDEX signup_decided ON registration.signup (decided_at) WHERE decided_at IS NOT NULL;
CREATE VIEW portal.licence_over AS
SELECT signup_id, decided_at FROM registration.signup WHERE decided_at IS NOT NULL;
ALTER VIEW portal.licence_over OWNER TO mamis_owner;
GRANT SELECT ON portal.licence_over TO mamis_gateway;
