-- renewal corrects its copy of the ledger when mamisctl tells entries again: credits.state.

GRANT UPDATE (kind, half_units) ON renewal.credit TO mamis_renewal;
