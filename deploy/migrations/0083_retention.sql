-- Looks of delegates go after the time that deploy/rules/retention.json says.
CREATE INDEX delegate_look_at ON gateway.delegate_look (at);
GRANT DELETE ON gateway.delegate_look TO mamis_gateway;
CREATE POLICY delegate_look_find ON gateway.delegate_look FOR SELECT TO mamis_gateway USING (true);
CREATE POLICY delegate_look_tidy ON gateway.delegate_look FOR DELETE TO mamis_gateway USING (true);
