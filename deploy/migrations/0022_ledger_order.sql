-- Entries of one session side by side: posting a seminar, and looking what stands in it, touches few
-- pages, however large the ledger is. A doctor's page has an index of its own, which keeps a doctor's
-- number once for many entries; in a ledger of ten million it is a sixth of the key's size.
ALTER TABLE credit.ledger DROP CONSTRAINT ledger_pkey,
    ADD PRIMARY KEY (session_id, doctor_id, programme, revision);
CREATE INDEX ledger_doctor ON credit.ledger (doctor_id);
COMMENT ON TABLE credit.ledger IS
    'Append-only: revision 0 posts, 1 cancels, 2 posts again; an even highest revision stands';
