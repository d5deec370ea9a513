"""schemathesis over all of proto/openapi.yaml, as a doctor, an organiser and the national office,
against a running copy: every check on, no failure.

    tests/security/test_schemathesis.py          (in ctest: security_schemathesis)
    MAMIS_ATTACK_EXAMPLES=200                    so many generated requests for each operation,
                                                 different ones each time
    MAMIS_ATTACK_SEED=N                          those of this seed, which a failing run prints

The tool is installed by the test itself, in the versions of requirements.txt, into build/schemathesis.
What it does not check, and why, stands in exclusions.yaml.
"""

import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import sys

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
OPENAPI = TOP / "proto" / "openapi.yaml"
REQUIREMENTS = HERE / "requirements.txt"
VENV = TOP / "build" / "schemathesis"
INSTALL_SECONDS, RUN_SECONDS = 300, 3600
EXCLUSIONS_MAX = 10
EXAMPLES = os.environ.get("MAMIS_ATTACK_EXAMPLES", "2")
# The short run is the same each time: what it finds was changed by the commit, not by chance.
SEED = os.environ.get("MAMIS_ATTACK_SEED") or (
    str(secrets.randbelow(2**31)) if "MAMIS_ATTACK_EXAMPLES" in os.environ else "1")

# 422: the request is as openapi.yaml wants it, but a rule that no schema can hold refuses a value
# (a common password, a birth date that is not the doctor's); what 409 is for states.
FITS = ["2xx", "401", "403", "404", "409", "422", "429"]

sys.path.insert(0, str(HERE))
from contenders import ROLES, Contenders  # noqa: E402


def exclusions():
    return yaml.safe_load((HERE / "exclusions.yaml").read_text(encoding="utf-8"))


def operations():
    paths = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["paths"]
    return {node["operationId"] for item in paths.values() for node in item.values()}


def test_few_things_are_left_out_and_each_has_its_reason():
    left_out = exclusions()
    assert len(left_out) <= EXCLUSIONS_MAX
    for entry in left_out:
        assert set(entry) == {"operation", "check", "reason"}
        assert entry["operation"] in operations()
        assert len(entry["reason"]) > 30


def config(known):
    """The tool's settings as TOML, which takes JSON's texts, numbers and lists."""
    lines = ["continue-on-failure = true", "max-stream-events = 1", "request-timeout = 20",
             "[checks.positive_data_acceptance]", f"expected-statuses = {json.dumps(FITS)}"]
    for name, values in known.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{dictionary = "{name}", probability = 0.5}}' for name in known]
    for entry in exclusions():
        lines += ["[[operations]]", f'include-operation-id = "{entry["operation"]}"',
                  f'checks.{entry["check"]}.enabled = false']
    return "\n".join([*lines, ""])


def install():
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = VENV / "installed"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
        for argv in (["/usr/bin/python3", "-m", "venv", "--clear", str(VENV)],
                     [str(VENV / "bin" / "pip"), "install", "--quiet", "--require-hashes",
                      "--only-binary", ":all:", "-r", str(REQUIREMENTS)]):
            done = subprocess.run(argv, capture_output=True, text=True, check=False,
                                  timeout=INSTALL_SECONDS)
            assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        stamp.write_text(wanted, encoding="ascii")
    return str(VENV / "bin" / "st")


def begin(tool, stack, account, folder, settings):
    """One role's run; it writes what it finds to folder/output."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                   "PYTHONDONTWRITEBYTECODE": "1", "MAMIS_ATTACK_URL": stack.copy.base_url,
                   "MAMIS_ATTACK_LOGIN": account["login_id"],
                   "MAMIS_ATTACK_PASSWORD": account["password"]}
    with open(folder / "output", "wb") as output:
        return subprocess.Popen(
            [tool, "--config-file", str(settings), "run", str(OPENAPI), "--url",
             stack.copy.base_url, "--checks", "all", "--phases",
             "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES, "--seed", SEED,
             "--generation-database", "none", "--no-color", "--warnings", "off"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def contenders(stack, tmp_path_factory):
    return Contenders(stack, tmp_path_factory.mktemp("contenders"))


@pytest.fixture(scope="module")
def runs(stack, contenders, tmp_path_factory):
    """All roles at once: each alone leaves a processor idle."""
    tool = install()
    folders, processes = {}, {}
    try:
        for role in ROLES:
            folders[role] = tmp_path_factory.mktemp(role)
            settings = folders[role] / "schemathesis.toml"
            settings.write_text(config(contenders.known), encoding="utf-8")
            processes[role] = begin(tool, stack, contenders.accounts[role], folders[role], settings)
        codes = {role: process.wait(RUN_SECONDS) for role, process in processes.items()}
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    return {role: (codes[role], (folders[role] / "output").read_text(encoding="utf-8"))
            for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_found(runs, role):
    code, output = runs[role]
    print(output[-1500:])
    assert code == 0, f"seed {SEED}\n{output}"


def test_all_servers_still_answer(runs, stack):
    assert stack.client().get("/site").status == 200
