"""proto/curl.md is true: its lines run in their order and answer with the statuses they name."""

import csv
import json
import re
import subprocess

from stack import DATA, PASSWORD, TOP

PAGE = TOP / "proto" / "curl.md"
SEMINAR = "S2026-0001"
RUN_S = 300
# Every curl of the page tells its status and address on a line of its own.
PRELUDE = """
set -euo pipefail
curl() { command curl -sS -w '%{stderr}\\n= %{http_code} %{url_effective}\\n' "$@" 2>>"$TOLD"; }
"""


def script():
    return "\n".join(re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M))


def staff_account(stack, role):
    stack.copy.mamisctl("account", "create", "--role", role, "--login", role, "--password", PASSWORD,
                        "--name", "試験用")
    return {"login_id": role, "password": PASSWORD}


def test_every_line_answers_as_the_page_says(stack, tmp_path):
    with open(DATA / "seminars.csv", encoding="utf-8", newline="") as file:
        code = next(row["organiser_code"] for row in csv.DictReader(file)
                    if row["seminar_no"] == SEMINAR)
    demo = {"base_url": stack.copy.base_url, "organiser_token": stack.organiser_token(code),
            "accounts": {"doctor": {"password": PASSWORD}}
            | {role: staff_account(stack, role) for role in ("office_l3", "call_centre")}}
    (tmp_path / "demo.json").write_text(json.dumps(demo), encoding="utf-8")
    told = tmp_path / "told"
    lines = script()
    done = subprocess.run(["bash", "-c", PRELUDE + lines], stdin=subprocess.DEVNULL, check=False,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TOLD": str(told),
                               "TMPDIR": str(tmp_path), "MAMIS_RUN_DIR": str(tmp_path)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUN_S)
    answered = re.findall(r"^= (\d+) (.*)$", told.read_text(encoding="utf-8"), re.M)
    log = told.read_text(encoding="utf-8") + done.stdout.decode("utf-8", "replace")[-4000:]
    wanted = re.findall(r"# (\d{3})$", lines, re.M)
    assert len(wanted) == len(re.findall(r"\bcurl -|\bcurl \"?\$", lines)), "each curl names its status"
    assert [status for status, _ in answered] == wanted, log
    assert done.returncode == 0, log
    assert "null" not in {address.split("/")[-2] for _, address in answered}, "ids were found"
    assert stack.one("SELECT count(*) FROM gateway.transcript")[0] == 2
