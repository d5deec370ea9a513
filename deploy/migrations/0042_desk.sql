-- The call centre's desk: an account by its number alone, and no more of it than the work needs.

-- The first letter of both halves: enough to be recognised by its owner.
CREATE FUNCTION portal.mask_email(email text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT nullif(regexp_replace(email, '^(.)[^@]*@(.)[^.]*', '\1***@\2***'), '')
$$;

-- portal.desk_account: for the call centre and the national association. A doctor without an account
-- has no account_id. Passwords, credits, addresses and birth dates are not among it.
CREATE VIEW portal.desk_account AS
SELECT d.doctor_id, d.register_no, d.mamis_no, a.account_id, d.name, d.my_page, a.state, a.step,
       a.email_confirmed, portal.mask_email(a.email) AS email,
       portal.mask_email(a.pending_email) AS pending_email,
       a.pending_email <> '' AND EXISTS (
           SELECT FROM registration.account o
           WHERE lower(o.email) = lower(a.pending_email) AND o.email_confirmed AND o.role = 'doctor'
             AND o.state <> 'closed' AND o.account_id <> a.account_id) AS pending_shared
FROM registration.doctor d LEFT JOIN registration.account a USING (doctor_id)
WHERE (SELECT portal.scope_is('l3', 'call_centre'));
ALTER VIEW portal.desk_account OWNER TO mamis_owner;
GRANT SELECT ON portal.desk_account TO mamis_gateway;
