-- A sign-up that was refused ends 90 days later (deploy/rules/retention.json), as the copy of its licence
-- does. The gateway deletes the copy by its sign-up, so the sign-up outlives it.

SET LOCAL ROLE mamis_owner;

ALTER TABLE registration.signup ADD COLUMN refused_at timestamptz
    GENERATED ALWAYS AS (CASE WHEN status = 'refused' THEN decided_at END) STORED;
CREATE INDEX signup_refused ON registration.signup (refused_at) WHERE refused_at IS NOT NULL;

CREATE FUNCTION registration.forget_refused(before timestamptz, most int) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DELETE FROM registration.signup WHERE signup_id = ANY (ARRAY(
        SELECT s.signup_id FROM registration.signup s
        WHERE s.refused_at < before
          AND NOT EXISTS (SELECT FROM gateway.document d WHERE d.document_id = s.signup_id)
        LIMIT most))
$$;
REVOKE EXECUTE ON FUNCTION registration.forget_refused(timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registration.forget_refused(timestamptz, int) TO mamis_registration;

RESET ROLE;
