-- What the annual fee of a doctor depends on; the amounts are rules (deploy/rules/fees.json).

CREATE VIEW portal.fee_basis AS
SELECT doctor_id, birth_on, licensed_on, l3_category FROM registration.doctor;
-- Of a procedure: what is asked for counts, else what is.
CREATE VIEW portal.procedure_fee_basis AS
SELECT p.procedure_id, p.doctor_id, d.birth_on, d.licensed_on, p.effective_on,
       coalesce(nullif(p.asked ->> 'category_l3', ''), d.l3_category) AS category
FROM registration.procedure p JOIN registration.doctor d USING (doctor_id);
ALTER VIEW portal.fee_basis OWNER TO mamis_portal;
ALTER VIEW portal.procedure_fee_basis OWNER TO mamis_portal;
GRANT SELECT ON portal.fee_basis, portal.procedure_fee_basis TO mamis_gateway;
