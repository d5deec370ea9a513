"""Sample data of a running copy: imports, accounts, a posted file, and .run/demo.json about it."""

import csv
import datetime
import json
import os
import secrets
import time

from . import paths as places
from . import services
from .api import ApiError, Client
from .demo_data import LACKING, READY, DemoData
from .process import Failure, wait_for

DATA = os.path.join(places.TOP, "tests", "data")
# Posted at the first start: the first whose sessions are over by the copy's time.
SAMPLES = [("01-clean-utf8.csv", "S2026-0001"), ("06-full-width-numbers.csv", "S2025-0001")]
STAFF = {
    "admin": ("システム管理者（見本）", []),
    "organiser": ("研修会担当者（見本）", ["--organiser"]),
    "office_l1": ("郡市区医師会事務局（見本）", ["--l1", "13001"]),
    "office_l2": ("都道府県医師会事務局（見本）", ["--l2", "13"]),
    "office_l3": ("全国医師会事務局（見本）", []),
    "call_centre": ("運営事務局（見本）", []),
}
POSTED_S, SEEN_S = 60, 30


def _seminars():
    with open(os.path.join(DATA, "seminars.csv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose_sample(now):
    """(file, seminar_no, organiser_code) of the sample to post at that time; file None: none."""
    for name, seminar_no in SAMPLES:
        sessions = [row for row in _seminars() if row["seminar_no"] == seminar_no]
        ends = max(row["ends_at"] for row in sessions)
        if ends <= now.strftime("%Y-%m-%d %H:%M"):
            return name, seminar_no, sessions[0]["organiser_code"]
    return None, SAMPLES[0][1], "P13"


def password():
    return "Demo-" + secrets.token_hex(6)


def passwords(copy):
    """One for each account, chosen once."""
    kept = copy.recall("passwords")
    if kept is None:
        kept = {role: password() for role in [*STAFF, "doctor"]}
        copy.remember("passwords", kept)
    return kept


def _fresh_name(folder, name):
    """A name that is not there yet: name.csv, name-2.csv, ..."""
    path, number = os.path.join(folder, name + ".csv"), 1
    while os.path.exists(path):
        number += 1
        path = os.path.join(folder, f"{name}-{number}.csv")
    return path


def import_samples(copy):
    """Sample files, and people and seminars that suit the copy's day."""
    told = []
    secret = passwords(copy)["doctor"]
    folder = copy.paths.run
    members = ["--password-for-tests", secret, "--postcards", _fresh_name(folder, "postcards")]
    for kind, extra in (("organisers", []), ("members", members), ("seminars", [])):
        copy.mamisctl("import", kind, os.path.join(DATA, kind + ".csv"), *extra, seconds=300)
    data = DemoData(copy.now(), choose_sample(copy.now())[2])
    for kind, text, extra in (("members", data.members(), ["--password-for-tests", secret]),
                              ("seminars", data.seminars(), [])):
        if kind == "seminars" and not data.possible:
            continue
        path = os.path.join(copy.paths.state, f"demo-{kind}.csv")
        places.write_private(path, text)
        copy.mamisctl("import", kind, path, *extra)
    for kind in ("organisers", "members", "seminars"):
        with open(os.path.join(DATA, kind + ".csv"), encoding="utf-8") as file:
            told.append(f"{sum(1 for _ in file) - 1} lines of {kind}")
    return ", ".join(told)


# ---- accounts ----

def make_account(copy, role, secret, organiser):
    """An account of staff; one that an interrupted run made gets its password again."""
    login = role.replace("_", "-")
    name, extra = STAFF[role]
    words = [*extra, organiser] if role == "organiser" else extra
    try:
        copy.mamisctl("account", "create", "--role", role, "--login", login, "--password", secret,
                      "--name", name, "--email", f"{login}@example.jp", *words)
    except Failure:
        copy.mamisctl("account", "reset-password", "--login", login, "--password", secret)
    return {"login_id": login, "password": secret}


def mamis_no(copy, register_no):
    connection = copy.postgres.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT mamis_no FROM registration.doctor WHERE register_no = %s",
                           (register_no,))
            return cursor.fetchone()[0]
    finally:
        connection.close()


def _postcard(copy):
    """Somebody who has not begun first login: what the printer got for the first postcard."""
    path = os.path.join(copy.paths.run, "postcards.csv")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file), None)
    return row and {"login_id": row["login_id"], "password": row["temporary_password"]}


# ---- posting ----

def post(client, seminar_no, data, name):
    """Send a file and wait until it is done. Gives the upload and the seconds it took. The key
    makes a repeated run get the first answer."""
    begun = time.monotonic()
    answer = client.post_attendance(seminar_no, data, name, key=f"scripts-run-{seminar_no}")
    upload_id = answer.expect(202).json["upload_id"]

    def done():
        upload = client.upload(upload_id)
        return upload if upload["status"] in ("done", "refused") else None

    upload = wait_for(done, POSTED_S, f"posting {name}")
    if upload["status"] != "done":
        raise Failure(f"{name} was refused: {upload['problem']}")
    return upload, time.monotonic() - begun


def wait_until_seen(copy, register_no, secret, seminar_no):
    """Seconds until the doctor's page shows credits of the seminar."""
    client = Client(copy.base_url).sign_in(mamis_no(copy, register_no), secret)
    begun = time.monotonic()

    def seen():
        items = client.get("/me/credits").expect(200).json["items"]
        return any(item["seminar_no"] == seminar_no for item in items)

    wait_for(seen, SEEN_S, "credits on a doctor's page")
    return time.monotonic() - begun


def _first_register_no(data):
    return data.decode("utf-8-sig").splitlines()[1].split(",")[0].strip().translate(
        {ord(wide): str(digit) for digit, wide in enumerate("０１２３４５６７８９")}).lstrip("0")


def post_sample(copy, organiser, secret):
    """The sample file, and how long it took until a doctor saw it."""
    name, seminar_no, _ = choose_sample(copy.now())
    if name is None:
        return {"file": None, "seminar_no": seminar_no, "upload_id": None, "rows": 0,
                "counts": {}, "seconds": 0.0, "seen_s": None}
    with open(os.path.join(DATA, "attendance", name), "rb") as file:
        data = file.read()
    upload, seconds = post(organiser, seminar_no, data, name)
    seen_s = wait_until_seen(copy, _first_register_no(data), secret, seminar_no)
    return {"file": name, "seminar_no": seminar_no, "upload_id": upload["upload_id"],
            "rows": upload["rows_total"], "counts": upload["counts"],
            "seconds": round(seconds, 3), "seen_s": round(seen_s, 3)}


def post_renewals(copy, organiser, secret):
    """Credits and the handbook of the doctors whose certificates end soon."""
    data = DemoData(copy.now(), choose_sample(copy.now())[2])
    if not data.possible:
        return
    for seminar_no, content in data.attendance().items():
        post(organiser, seminar_no, content, seminar_no.lower() + ".csv")
    wait_until_seen(copy, READY["register_no"], secret, "DEMO-1")
    if data.handbook_lines is not None:
        doctor = Client(copy.base_url).sign_in(mamis_no(copy, READY["register_no"]), secret)
        doctor.put("/me/handbook", {"programme": "OP", "lines": data.handbook_lines}
                   ).expect(200, 202)


def make(copy):
    if copy.recall("demo") is not None:
        return "there already"
    secrets_of = passwords(copy)
    organiser_code = choose_sample(copy.now())[2]
    try:
        accounts = {role: make_account(copy, role, secrets_of[role], organiser_code)
                    for role in STAFF}
        token = copy.mamisctl("token", "create", "--organiser", organiser_code, "--scope",
                              "attendance:write", "--label", "scripts/run").split()[-1]
        organiser = Client(copy.base_url).sign_in(**accounts["organiser"])
        posted = post_sample(copy, organiser, secrets_of["doctor"])
        post_renewals(copy, organiser, secrets_of["doctor"])
    except (ApiError, OSError) as error:
        raise Failure(f"the gateway did not do what it should: {error}",
                      copy.paths.log("gateway-1")) from None
    accounts["doctor"] = {"login_id": mamis_no(copy, READY["register_no"]),
                          "password": secrets_of["doctor"]}
    more = {"lacks 実地": {"login_id": mamis_no(copy, LACKING["register_no"]),
                         "password": secrets_of["doctor"]}}
    postcard = _postcard(copy)
    if postcard:
        more["first login"] = postcard
    copy.remember("demo", {"accounts": accounts, "organiser_token": token, "posted": posted,
                           "more_accounts": more,
                           "made_at": datetime.datetime.now().isoformat(timespec="seconds")})
    return f"{posted['rows']} rows posted"


def write(copy):
    """demo.json, anew at each start: ports may have changed."""
    told = copy.recall("demo")
    admin_urls = {f"{name}-1": f"http://127.0.0.1:{copy.port(f'{name}-1')}"
                  for name in services.NAMES}
    places.write_private(os.path.join(copy.paths.run, "demo.json"), json.dumps({
        "base_url": copy.base_url,
        "admin_urls": admin_urls,
        "postgres_dsn": copy.postgres.operator_dsn(),
        "kafka_bootstrap": copy.bootstrap,
        "redis_url": copy.redis.operator_url(),
        "mail_dir": copy.mail.folder,
        "accounts": told["accounts"],
        "organiser_token": told["organiser_token"],
        "sample": {key: told["posted"][key] for key in ("seminar_no", "upload_id")},
        "more_accounts": told["more_accounts"],
    }, indent=1, ensure_ascii=False) + "\n")
