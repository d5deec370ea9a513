"""What deploy/ says is true to the code: settings that exist, metrics that are made, files that are
there. A process takes no notice of an environment variable that it does not know."""

import json
import pathlib
import re
import sys
import unittest

import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = TOP / "deploy"
SERVICES = ["gateway", "registration", "credit", "renewal", "notification"]
SETTING = re.compile(r'^SETTING\((\w+), (\w+), "([^"]*)", (\d+), (\d+),', re.M)
METRIC = re.compile(r'metric_(histogram_)?add\(\s*&?\w+,\s*"(\w+)"')


def settings_of(program):
    """{MAMIS_NAME: (type, least, most)} of a program's tables."""
    tables = [TOP / "services" / program / f"{program}_settings.def"]
    if program != "mamisctl":
        tables.append(TOP / "services" / "lib" / "proc" / "proc_settings.def")
    return {f"MAMIS_{name.upper()}": (kind, int(least), int(most))
            for table in tables if table.exists()
            for name, kind, _, least, most in SETTING.findall(table.read_text(encoding="utf-8"))}


def program_of(command):
    """mamis-credit -> credit; mamisctl, alone or in a shell's words, -> mamisctl."""
    words = " ".join(command)
    return "mamisctl" if "mamisctl" in words else words.removeprefix("mamis-")


class Deploy(unittest.TestCase):
    def check_settings(self, where, program, environment):
        known = settings_of(program)
        for name, value in environment.items():
            self.assertIn(name, known, f"{where}: {program} has no such setting")
            kind, least, most = known[name]
            if value is not None and "$" not in str(value):
                self.assertIsInstance(value, str, f"{where}: {name} is to be quoted")
                if kind == "U32":
                    self.assertTrue(least <= int(value) <= most, f"{where}: {name}")
                elif kind == "BOOL":
                    self.assertIn(value, ("true", "false"), f"{where}: {name}")

    def test_compose(self):
        compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
        seen = set()
        for name, service in compose["services"].items():
            image = service["image"]
            self.assertNotRegex(image.split("/")[0], r"[.:]\S*/", f"{name}: a registry's host")
            if image != "mamis":
                continue
            program = program_of(service["command"])
            seen.add(program)
            self.check_settings(f"compose {name}", program, service["environment"])
            for file in re.findall(r"(?m)^  *- \./(\S+?):", yaml.safe_dump(service)):
                self.assertTrue(file in ("keys", "anchors") or (DEPLOY / file).exists(), file)
        self.assertEqual(seen, {*SERVICES, "mamisctl"})
        self.assertIn("mamisctl anchor", " ".join(compose["services"]["anchor"]["command"]))

    def test_kubernetes(self):
        common = {}
        containers = []
        for path in sorted((DEPLOY / "k8s").glob("*.yaml")):
            for part in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                if part["kind"] == "CronJob":
                    part = {**part["spec"]["jobTemplate"], "kind": "Job", "metadata": part["metadata"]}
                if part["kind"] == "ConfigMap":
                    common = part["data"]
                elif part["kind"] in ("Deployment", "Job") and part["metadata"]["name"] != "any":
                    containers += [(path.name, each)
                                   for each in part["spec"]["template"]["spec"]["containers"]
                                   if each["name"] in ("process", "mamisctl")]
        seen = set()
        for where, container in containers:
            program = program_of(container["command"])
            seen.add(program)
            values = dict(common) if program != "mamisctl" else {}
            values.update({each["name"]: each.get("value") for each in container["env"]})
            self.check_settings(where, program, values)
        self.assertEqual(seen, {*SERVICES, "mamisctl"})

    def test_kustomization_names_what_is_there(self):
        text = (DEPLOY / "kustomization.yaml").read_text(encoding="utf-8")
        named = set(re.findall(r"k8s/\w+\.yaml", text))
        self.assertEqual(named, {f"k8s/{path.name}" for path in (DEPLOY / "k8s").glob("*.yaml")})

    def test_samples(self):
        for path in (DEPLOY / "settings").glob("*.conf.sample"):
            program = path.name.removesuffix(".conf.sample").partition("-")[0]
            lines = [line for line in path.read_text(encoding="utf-8").splitlines()
                     if line and not line.startswith("#")]
            values = dict((part.strip() for part in line.split("=", 1)) for line in lines)
            self.check_settings(path.name, program,
                                {f"MAMIS_{name.upper()}": value for name, value in values.items()})

    def test_dashboards_show_metrics_that_are_made(self):
        made = set()
        for path in (TOP / "services").glob("**/*.c"):
            if "node_modules" in path.parts:
                continue
            for histogram, name in METRIC.findall(path.read_text(encoding="utf-8")):
                made.add(f"mamis_{name}_seconds_bucket" if histogram else f"mamis_{name}")
        for path in (DEPLOY / "dashboards").glob("*.json"):
            panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
            shown = {name for panel in panels for target in panel["targets"]
                     for name in re.findall(r"mamis_\w+", target["expr"])}
            self.assertTrue(shown)
            self.assertEqual(shown - made, set(), path.name)


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
