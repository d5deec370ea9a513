-- The numbers a doctor had before, for the copy of his own data: those of records that were merged into
-- his, and register numbers he had before another one.

CREATE VIEW portal.my_former_number AS
SELECT f.closed_id, f.since, json_build_object(
    'register_no', f.register_no, 'mamis_no', f.mamis_no, 'licensed_on', c.licensed_on,
    'until', portal.rfc3339(f.since)) AS json
FROM registration.former_number f JOIN registration.doctor c ON c.doctor_id = f.closed_id
WHERE f.doctor_id = (SELECT portal.scope_id('doctor'));
ALTER VIEW portal.my_former_number OWNER TO mamis_owner;
GRANT SELECT ON portal.my_former_number TO mamis_gateway;
