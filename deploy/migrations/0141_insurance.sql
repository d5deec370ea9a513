-- Leaving the national association altogether ends the liability insurance of category A (R-MEM-07):
-- those that are under way say so, as new ones do.

UPDATE registration.procedure AS p SET loses_insurance = true
WHERE p.kind IN ('withdrawal_all', 'withdrawal_l2_l3', 'withdrawal_l3', 'revocation')
  AND p.stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')
  AND EXISTS (SELECT FROM registration.membership m WHERE m.doctor_id = p.doctor_id AND m.layer = 3
              AND m.valid_to IS NULL AND m.category IN ('A1', 'A2B', 'A2C'));
