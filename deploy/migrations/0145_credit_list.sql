-- What a doctor's list of credits is read from. Whether an entry was cancelled is seen from the one
-- that follows it, without a look-up for each; sessions are looked up for the page that is shown only.

CREATE VIEW portal.doctor_entry AS
SELECT l.doctor_id, l.session_id, l.held_on, l.programme, l.kind, l.half_units, l.posted_at, l.revision,
       CASE WHEN l.next IS NOT NULL THEN 'cancelled' ELSE 'posted' END AS status
FROM (SELECT e.*, lead(e.revision) OVER (PARTITION BY e.doctor_id, e.session_id, e.programme
                                         ORDER BY e.revision) AS next
      FROM credit.ledger e) AS l
WHERE l.revision % 2 = 0;
COMMENT ON VIEW portal.doctor_entry IS 'of one doctor: without his id it reads the whole ledger';

CREATE VIEW portal.session_title AS
SELECT s.session_id, s.seminar_no, m.title AS seminar_title, s.session_no, s.title AS session_title,
       s.delivery
FROM credit.session s JOIN credit.seminar m USING (seminar_no);

ALTER VIEW portal.doctor_entry OWNER TO mamis_portal;
ALTER VIEW portal.session_title OWNER TO mamis_portal;
GRANT SELECT ON portal.doctor_entry, portal.session_title TO mamis_gateway;
