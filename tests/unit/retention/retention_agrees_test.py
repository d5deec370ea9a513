"""What deletes rows agrees with deploy/rules/retention.json: the gateway's sweep reads its days from
there and has a statement for each of its rules; the days that stand in other sweeps are the same."""

import json
import pathlib
import re
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
SERVICES = ["gateway", "registration", "credit", "renewal", "notification"]


def text(path):
    return (TOP / path).read_text(encoding="utf-8")


class Agrees(unittest.TestCase):
    def setUp(self):
        self.rules = {rule["table"]: rule
                      for rule in json.loads(text("deploy/rules/retention.json"))["rules"]}

    def by(self, name):
        return {table: rule for table, rule in self.rules.items() if rule.get("by") == name}

    def test_every_rule_has_its_sweep(self):
        known = {"gateway_sweep", "notification_upkeep", "procedure_clock", "work"}
        self.assertEqual({rule["by"] for rule in self.rules.values() if rule["days"]}, known)

    def test_gateway(self):
        found = re.findall(r'TIDY\("([\w.]+)", "(\w+)"\)', text("services/gateway/gateway_sweep.c"))
        wanted = {table: rule["since"] for table, rule in self.by("gateway_sweep").items()}
        self.assertEqual(dict(found), wanted)

    def test_notification(self):
        rules = self.by("notification_upkeep")
        days = int(re.search(r'SETTING\(mail_keep_days, U32, "(\d+)"',
                             text("services/notification/notification_settings.def")).group(1))
        self.assertEqual({rules["notification.mail"]["days"],
                          rules["notification.correction"]["days"]}, {days})
        upkeep = text("services/notification/notification_upkeep.c")
        sender = re.search(r"notification\.sender WHERE seen_at < clock_timestamp\(\) - interval"
                           r" '(\d+) day'", upkeep)
        self.assertEqual(rules["notification.sender"]["days"], int(sender.group(1)))
        for table, rule in rules.items():
            self.assertRegex(upkeep, rf"(?s){re.escape(table)}.*?{rule['since']} <")

    def test_registration(self):
        days = re.search(r"forget_refused\(\$1 - interval '(\d+) days'",
                         text("services/registration/registration_signup_store.c"))
        self.assertEqual({table: rule["days"] for table, rule in self.by("procedure_clock").items()},
                         {"registration.signup": int(days.group(1))})
        self.assertIn("store_forget_refused(", text("services/registration/procedure_clock.c"))

    def test_work(self):
        sql = text("services/lib/work/work_sql.c")
        rules = self.by("work")
        self.assertEqual(set(rules), {f"{service}.{table}" for service in SERVICES
                                      for table in ("outbox", "inbox")})
        for table, since in (("outbox", "created_at"), ("inbox", "applied_at")):
            days = re.search(rf"{since} < clock_timestamp\(\) - interval '(\d+) days'", sql)
            for service in SERVICES:
                rule = rules[f"{service}.{table}"]
                self.assertEqual((rule["since"], rule["days"]), (since, int(days.group(1))))

    def test_every_table_has_a_rule(self):
        made = set()
        for path in sorted((TOP / "deploy" / "migrations").glob("*.sql")):
            made |= set(re.findall(r"(?im)^\s*CREATE TABLE (?:IF NOT EXISTS )?(\w+\.\w+)",
                                   path.read_text(encoding="utf-8")))
        self.assertGreater(len(made), 30)
        for table in made:
            schema = table.split(".")[0]
            self.assertTrue(table in self.rules or f"{schema}.*" in self.rules,
                            f"deploy/rules/retention.json has no rule for {table}")
        for table in self.rules:
            if not table.endswith((".*", ".outbox", ".inbox")):
                self.assertIn(table, made)


if __name__ == "__main__":
    unittest.main()
