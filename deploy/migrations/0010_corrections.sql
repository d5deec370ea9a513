-- Corrections by counter-entry: who took credits back, seen by those who may see the upload.

ALTER TABLE credit.ledger ADD COLUMN actor_role text, ADD COLUMN actor_code text;
COMMENT ON COLUMN credit.ledger.actor IS 'account, or token of an organiser''s program';
COMMENT ON COLUMN credit.ledger.actor_code IS 'of the organiser or association at that time';

-- Whoever may see an upload sees the entries that it posted.
CREATE POLICY ledger_upload ON credit.ledger FOR SELECT TO mamis_portal
    USING (EXISTS (SELECT FROM credit.upload u WHERE u.upload_no = ledger.upload_no));

-- Reads what portal.entry_id() made, but for the programme; nothing for anything else.
CREATE FUNCTION portal.entry_key(entry_id text, OUT doctor_id bigint, OUT session_id bigint,
                                 OUT revision smallint)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    bytes bytea;
BEGIN
    IF entry_id !~ '^[A-Za-z0-9_-]{26,40}$' OR length(entry_id) % 4 = 1 THEN
        RETURN;
    END IF;
    bytes := decode(rpad(translate(entry_id, '-_', '+/'), (length(entry_id) + 3) / 4 * 4, '='), 'base64');
    doctor_id := ('x' || encode(substr(bytes, 1, 8), 'hex'))::bit(64)::bigint;
    session_id := ('x' || encode(substr(bytes, 9, 8), 'hex'))::bit(64)::bigint;
    revision := (get_byte(bytes, 16) % 128) * 256 + get_byte(bytes, 17);
END $$;

-- A posting by its entry_id, in any scope that may see it; no row for anything else.
CREATE FUNCTION portal.credit_of(wanted text) RETURNS SETOF portal.credit LANGUAGE sql STABLE AS $$
    SELECT c.* FROM portal.entry_key(wanted) AS k
    JOIN portal.credit AS c ON c.doctor_id = k.doctor_id AND c.session_id = k.session_id
                           AND c.revision = k.revision AND c.entry_id = wanted
$$;

-- The upload that posted it.
CREATE VIEW portal.credit_upload AS
SELECT l.doctor_id, l.session_id, l.programme, l.revision, u.upload_id, u.upload_no, l.row_no
FROM credit.ledger l JOIN credit.upload u USING (upload_no);
ALTER VIEW portal.credit_upload OWNER TO mamis_portal;

GRANT SELECT ON portal.credit_upload TO mamis_gateway;
GRANT EXECUTE ON FUNCTION portal.entry_key(text), portal.credit_of(text)
    TO mamis_gateway, mamis_portal;
