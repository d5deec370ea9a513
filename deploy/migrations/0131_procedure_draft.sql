-- A form of membership that a doctor has not sent yet (domain 4.2: DRAFT), one of a kind. Nobody but
-- the doctor sees it. The gateway keeps it; the transaction that files the procedure removes it.

SET LOCAL ROLE mamis_owner;
CREATE TABLE gateway.procedure_draft (
    draft_id  uuid PRIMARY KEY,
    doctor_id bigint NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('admission', 'withdrawal_all', 'withdrawal_l2_l3',
                                            'withdrawal_l3', 'change', 'transfer')),
    version   bigint NOT NULL DEFAULT 1, -- rises with each other content
    form      jsonb NOT NULL CHECK (jsonb_typeof(form) = 'object' AND octet_length(form::text) <= 16384),
    saved_at  timestamptz NOT NULL,
    UNIQUE (doctor_id, kind)
);
CREATE INDEX procedure_draft_saved ON gateway.procedure_draft (saved_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.procedure_draft TO mamis_gateway;
GRANT SELECT ON gateway.procedure_draft TO mamis_portal;
-- How old they are, for `mamisctl retention`; not what stands in them.
GRANT SELECT (saved_at) ON gateway.procedure_draft TO mamis_operator;

-- The doctor's transactions see the doctor's own; the sweep, which acts for nobody, sees all.
ALTER TABLE gateway.procedure_draft ENABLE ROW LEVEL SECURITY;
CREATE POLICY procedure_draft_self ON gateway.procedure_draft FOR SELECT TO mamis_portal
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
CREATE POLICY procedure_draft_own ON gateway.procedure_draft FOR ALL TO mamis_gateway
    USING (doctor_id = (SELECT portal.scope_id('doctor')));
CREATE POLICY procedure_draft_find ON gateway.procedure_draft FOR SELECT TO mamis_gateway
    USING (nullif(current_setting('app.scope', true), '') IS NULL);
CREATE POLICY procedure_draft_tidy ON gateway.procedure_draft FOR DELETE TO mamis_gateway
    USING (nullif(current_setting('app.scope', true), '') IS NULL);

-- Its doctor has filed a procedure of that kind.
CREATE FUNCTION registration.draft_filed(doctor bigint, filed text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DELETE FROM gateway.procedure_draft WHERE doctor_id = doctor AND kind = filed
$$;
REVOKE EXECUTE ON FUNCTION registration.draft_filed(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registration.draft_filed(bigint, text) TO mamis_registration;
RESET ROLE;

CREATE VIEW portal.procedure_draft AS
SELECT draft_id, doctor_id, kind, version, form, saved_at FROM gateway.procedure_draft;
ALTER VIEW portal.procedure_draft OWNER TO mamis_portal;
GRANT SELECT ON portal.procedure_draft TO mamis_gateway;

CREATE FUNCTION portal.draft_json(d portal.procedure_draft, days bigint) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object('draft_id', d.draft_id, 'kind', d.kind, 'version', d.version,
        'saved_at', portal.rfc3339(d.saved_at),
        'expires_at', portal.rfc3339(d.saved_at + days * interval '1 day'), 'form', d.form)
$$;
ALTER FUNCTION portal.draft_json(portal.procedure_draft, bigint) OWNER TO mamis_portal;
REVOKE EXECUTE ON FUNCTION portal.draft_json(portal.procedure_draft, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal.draft_json(portal.procedure_draft, bigint) TO mamis_gateway;
