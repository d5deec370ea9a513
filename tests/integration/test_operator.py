"""mamisctl for operators: verify finds what was planted, replay and republish mend what was lost."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import time
import urllib.request
import uuid

import pytest

from running.process import Failure, wait_for
from stack import DATA, PASSWORD, TOP

DONE_S = 30


@pytest.fixture(scope="module")
def posted(stack):
    """The stack with one file posted."""
    client = stack.organiser_client("S2026-0001")
    data = (DATA / "attendance" / "01-clean-utf8.csv").read_bytes()
    upload_id = client.post_attendance("S2026-0001", data, "a.csv").expect(202).json["upload_id"]
    until = time.monotonic() + DONE_S
    while client.upload(upload_id)["status"] != "done":
        assert time.monotonic() < until, "the sample was not posted"
        time.sleep(0.05)
    stack.upload_id = upload_id
    stack.copy.mamisctl("verify")
    return stack


def execute(stack, *statements):
    with stack.sql() as cursor:
        for statement in statements:
            cursor.execute(statement)


def differences(stack, *words, wait="0"):
    """The lines in which verify reports a difference."""
    try:
        told = stack.copy.mamisctl("verify", "--wait", wait, *words)
    except Failure as failure:
        told = failure.text
    return [line for line in told.splitlines() if line.startswith("DIFF")]


PLANTED = [
    ("revisions alternate",
        "UPDATE credit.ledger SET revision = 2 WHERE row_no = 1 AND programme = 'CME'",
        "UPDATE credit.ledger SET revision = 0 WHERE row_no = 1 AND programme = 'CME'"),
    ("counts add up",
        "UPDATE credit.upload SET rows_total = rows_total + 1",
        "UPDATE credit.upload SET rows_total = rows_total - 1"),
    ("rows that did not post",
        "UPDATE credit.upload SET rejected = rejected + 1, rows_total = rows_total + 1",
        "UPDATE credit.upload SET rejected = rejected - 1, rows_total = rows_total - 1"),
    ("every posted row has its ledger entry",
        "UPDATE credit.upload SET posted = posted + 1, rows_total = rows_total + 1",
        "UPDATE credit.upload SET posted = posted - 1, rows_total = rows_total - 1"),
    ("of those undone nothing stands",
        "UPDATE credit.upload SET status = 'undone', undo_at = done_at",
        "UPDATE credit.upload SET status = 'done', undo_at = NULL"),
    ("counter-entries say why",
        "INSERT INTO credit.ledger SELECT doctor_id, session_id, upload_no, posted_at, row_no,"
        " held_on, -half_units, 1, programme, kind FROM credit.ledger WHERE row_no = 1"
        " AND programme = 'CME'",
        "DELETE FROM credit.ledger WHERE revision = 1"),
    ("every entry belongs to an upload",
        "INSERT INTO credit.ledger SELECT 999999999, session_id, 999999999, posted_at, row_no,"
        " held_on, half_units, revision, programme, kind FROM credit.ledger WHERE row_no = 1"
        " AND programme = 'CME'",
        "DELETE FROM credit.ledger WHERE doctor_id = 999999999"),
    ("all were sent",
        "INSERT INTO registration.outbox (event_id, type, topic, key, body, parked) VALUES"
        " ('00000000-0000-7000-8000-000000000001', 'x', 'x', 'x', 'x', 'too large')",
        "DELETE FROM registration.outbox WHERE type = 'x'"),
    ("each was applied by every receiver",
        "DELETE FROM credit.inbox WHERE event_id = (SELECT event_id FROM registration.outbox"
        " WHERE type = 'doctors.state.v1' ORDER BY event_id LIMIT 1)",
        "INSERT INTO credit.inbox (event_id, topic) SELECT event_id, topic FROM registration.outbox"
        " WHERE type = 'doctors.state.v1' ORDER BY event_id LIMIT 1"),
    ("dead letter",
        "INSERT INTO renewal.dead_letter (topic, part, \"offset\", key, body, body_sha256, reason,"
        " detail) VALUES ('x', 0, 0, '', '', '', 'schema', 'planted')",
        "DELETE FROM renewal.dead_letter WHERE topic = 'x'"),
    ("copy of the credits",
        "UPDATE renewal.credit SET half_units = half_units + 2 WHERE ctid = (SELECT ctid"
        " FROM renewal.credit WHERE kind = 'OPB-K' ORDER BY doctor_id LIMIT 1)",
        "UPDATE renewal.credit AS c SET half_units = l.half_units FROM credit.ledger AS l"
        " WHERE (c.doctor_id, c.session_id, c.programme, c.revision)"
        " = (l.doctor_id, l.session_id, l.programme, l.revision)"),
    ("doctors are as registration",
        "UPDATE renewal.doctor SET version = version + 1 WHERE doctor_id = 1",
        "UPDATE renewal.doctor SET version = version - 1 WHERE doctor_id = 1"),
    ("certificates are as renewal",
        "UPDATE credit.certificate SET valid_to = valid_to + 1",
        "UPDATE credit.certificate SET valid_to = valid_to - 1"),
    ("the layer below is there",
        "UPDATE registration.membership SET valid_from = '2026-10-01' WHERE layer = 1 AND doctor_id"
        " = (SELECT min(doctor_id) FROM registration.membership WHERE layer = 2)",
        "UPDATE registration.membership SET valid_from = NULL WHERE layer = 1 AND doctor_id"
        " = (SELECT min(doctor_id) FROM registration.membership WHERE layer = 2)"),
    ("accounts are as registration",
        "UPDATE notification.account SET version = version + 1",
        "UPDATE notification.account SET version = version - 1"),
    ("revisions alternate",
        "INSERT INTO credit.ledger SELECT doctor_id, session_id, upload_no, posted_at, row_no,"
        " held_on, -half_units - 1, 1, programme, kind, 'why', gen_random_uuid(), 'organiser'"
        " FROM credit.ledger WHERE row_no = 1 AND programme = 'CME'",
        "DELETE FROM credit.ledger WHERE revision = 1"),
    ("every posted row has its ledger entry",  # one row's credits among another's
        "UPDATE credit.ledger SET row_no = 2 WHERE row_no = 1",
        "UPDATE credit.ledger AS l SET row_no = p.row_no FROM credit.upload_chunk AS c,"
        " unnest(c.posted_row, c.posted_doctor) AS p (row_no, doctor_id)"
        " WHERE c.upload_no = l.upload_no AND p.doctor_id = l.doctor_id"),
    ("copy of the credits",  # two credits among each other's doctors
        "UPDATE renewal.credit SET kind = CASE kind WHEN 'OPB-K' THEN 'OPL-S' ELSE 'OPB-K' END"
        " WHERE doctor_id IN ((SELECT min(doctor_id) FROM renewal.credit WHERE kind = 'OPB-K'),"
        " (SELECT min(doctor_id) FROM renewal.credit WHERE kind = 'OPL-S'))",
        "UPDATE renewal.credit AS c SET kind = l.kind FROM credit.ledger AS l"
        " WHERE (c.doctor_id, c.session_id, c.programme, c.revision)"
        " = (l.doctor_id, l.session_id, l.programme, l.revision)"),
]


@pytest.mark.parametrize("words, plant, undo", PLANTED)
def test_verify_finds_what_was_planted(posted, words, plant, undo):
    execute(posted, plant)
    try:
        found = differences(posted)
        books = [line for line in found if "chain: " not in line]
        assert len(books) == 1 and words in books[0], found
        assert "e.g. " in books[0]
        # What is planted in the ledger itself is no secret to its chain either.
        assert len(found) - len(books) == (" credit.ledger" in plant.split("SELECT")[0]), found
    finally:
        execute(posted, undo)
    assert differences(posted) == []


@contextlib.contextmanager
def tampered(stack, tables, *statements):
    """What whoever owns the server can do to these tables, unseen by triggers; put back at the end."""
    silent = "SET session_replication_role = replica"
    kept = {table: "mamis.kept_" + table.replace(".", "_") for table in tables}
    execute(stack, *(f"CREATE TABLE {kept[table]} AS TABLE {table}" for table in tables))
    try:
        execute(stack, silent, *statements)
        yield
    finally:
        for table in tables:
            execute(stack, silent, f"DELETE FROM {table}",
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {kept[table]}",
                    f"DROP TABLE {kept[table]}")


ENTRIES = "the ledger is as it was posted"
ROWS = "histories and audit are as they were written"
LINKS = "links follow one another"
ONE_MORE = ("INSERT INTO credit.ledger SELECT 999999999, session_id, upload_no, posted_at{}, row_no,"
            " held_on, half_units, revision, programme, kind FROM credit.ledger WHERE row_no = 1"
            " AND programme = 'CME'")
LAST = "(SELECT max(chain_rows_no) FROM registration.account_history)"
FIRST = "(SELECT min(chain_rows_no) FROM registration.account_history)"
# In which check it is found, how its place is named, in which table, what was done.
TAMPERED = [
    (ENTRIES, "entries were changed (mamis.credit.work/", "credit.ledger",
        "UPDATE credit.ledger SET held_on = held_on - 1 WHERE row_no = 1 AND programme = 'CME'"),
    (ENTRIES, "entries were changed (mamis.credit.work/", "credit.ledger",  # two exchanged
        "UPDATE credit.ledger SET row_no = 3 - row_no WHERE row_no IN (1, 2)"),
    (ENTRIES, "entries are gone (mamis.credit.work/", "credit.ledger",
        "DELETE FROM credit.ledger WHERE row_no = 1"),
    (ENTRIES, "all entries of a transaction are gone (mamis.credit.work/", "credit.ledger",
        "DELETE FROM credit.ledger"),
    (ENTRIES, "entries were added (mamis.credit.work/", "credit.ledger", ONE_MORE.format("")),
    (ENTRIES, "entries that nobody linked", "credit.ledger",
        ONE_MORE.format(" + interval '1 s'")),
    (ROWS, "registration.account_history: rows were changed", "registration.account_history",
        f"UPDATE registration.account_history SET action = 'no' WHERE chain_rows_no = {FIRST}"),
    (ROWS, "registration.account_history: rows are gone", "registration.account_history",
        f"DELETE FROM registration.account_history WHERE chain_rows_no = {LAST}"),
    (ROWS, "registration.account_history: rows were added", "registration.account_history",
        "INSERT INTO registration.account_history (account_id, version, at, action, chain_rows_no)"
        f" SELECT gen_random_uuid(), 1, now(), 'import', {LAST}"),
    (ROWS, "credit.audit: rows that nobody linked", "credit.audit",
        "INSERT INTO credit.audit (at, action, subject) VALUES (now(), 'planted', '')"),
    (LINKS, "its hash does not fit", "registration.chain_rows",  # two exchanged
        "UPDATE registration.chain_rows AS r SET digest = o.digest FROM registration.chain_rows AS"
        f" o WHERE (r.chain_rows_no, o.chain_rows_no) IN (({FIRST}, {LAST}), ({LAST}, {FIRST}))"),
    (LINKS, "what it binds is gone", "registration.chain_rows",
        f"DELETE FROM registration.chain_rows WHERE chain_rows_no = {LAST}"),
    (LINKS, "the link before it is gone", "registration.chain_link",
        "DELETE FROM registration.chain_link WHERE (topic, part, seq) ="
        " (SELECT topic, part, seq - 1 FROM registration.chain_link WHERE seq > 1 LIMIT 1)"),
    (LINKS, "the link before it is another", "registration.chain_link",
        "UPDATE registration.chain_link SET prev = sha256(prev) WHERE (topic, part, seq) ="
        " (SELECT topic, part, seq FROM registration.chain_link WHERE seq > 1 LIMIT 1)"),
    (LINKS, "no link binds it", "credit.chain_link", "DELETE FROM credit.chain_link"),
    (LINKS, "its table is unknown", "mamis.chained",
        "DELETE FROM mamis.chained WHERE table_name = 'account_history'"),
]


@pytest.fixture(scope="module")
def linked(posted):
    """A chain of registration has two links more: one connection always writes to the same."""
    with posted.sql("mamis_operator") as cursor:
        for version in (1, 2):
            cursor.execute("SELECT registration.note_change(%s, %s, now(), 'import')",
                           (str(uuid.UUID(int=1)), version))
    return posted


@pytest.mark.parametrize("check, words, table, plant", TAMPERED)
def test_verify_finds_tampering(linked, check, words, table, plant):
    with tampered(linked, [table], plant):
        found = [line for line in differences(linked) if check in line]
        assert len(found) == 1 and words in found[0], found


def test_anchors_find_what_was_cut_off(linked, tmp_path):
    path = tmp_path / "anchors"
    told = linked.copy.mamisctl("anchor", "--file", str(path))
    chains = linked.one("SELECT sum(n) FROM (SELECT count(DISTINCT (topic, part)) AS n FROM"
                        " registration.chain_link UNION ALL SELECT count(DISTINCT (topic, part))"
                        " FROM credit.chain_link) AS c")[0]
    assert f"{chains} chains anchored, 0 unchanged" in told
    assert path.stat().st_mode & 0o777 == 0o600
    public = told.split()[-1]
    path.write_text(path.read_text() + "mamis-anchor 1 20")  # somebody died while writing
    assert f"0 chains anchored, {chains} unchanged" in linked.copy.mamisctl(
        "anchor", "--file", str(path))
    assert path.read_text().endswith("\n")
    assert differences(linked, "--anchors", str(path)) == []
    assert differences(linked, "--anchors", str(path), "--anchor-public", public) == []
    # Everything of the newest link of a chain goes, and nothing hints at it but the anchor.
    newest = ("(SELECT rows FROM registration.chain_link WHERE seq > 1 ORDER BY seq DESC, part"
              " LIMIT 1)")
    tables = ["registration.account_history", "registration.chain_rows", "registration.chain_link"]
    with tampered(linked, tables,
                  f"DELETE FROM registration.account_history WHERE chain_rows_no = ANY ({newest}::bigint[])",
                  f"DELETE FROM registration.chain_rows WHERE chain_rows_no = ANY ({newest}::bigint[])",
                  f"DELETE FROM registration.chain_link WHERE rows = {newest}"):
        assert differences(linked) == []
        found = differences(linked, "--anchors", str(path))
        assert len(found) == 1 and "registration /" in found[0] and "was cut off" in found[0]
        with pytest.raises(Failure, match="anchors do not hold"):
            linked.copy.mamisctl("anchor", "--file", str(path))
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) > 1
    path.write_text("".join(lines[1:]))  # nor can an anchor be taken out
    found = differences(linked, "--anchors", str(path))
    assert len(found) == 1 and "anchors:1 was not signed" in found[0]


def test_verify_says_what_it_takes(posted):
    told = posted.copy.mamisctl("verify", "--wait", "0", "--timing").splitlines()[-1]
    entries, all_ms, pass_ms, bare_ms = (int(word) for word in told.split() if word.isdigit())
    assert entries == posted.one("SELECT count(*) FROM credit.ledger")[0]
    assert all_ms >= pass_ms and "only reads" in told and bare_ms >= 0


def test_the_books_are_verified_alone(posted):
    whole = posted.copy.mamisctl("verify", "--wait", "0").splitlines()
    books = posted.copy.mamisctl("verify", "--wait", "0", "--books").splitlines()
    assert [line.split("(")[0] for line in books[:-1]] == [
        line.split("(")[0] for line in whole[:-1] if "chain" not in line]
    with tampered(posted, ["credit.ledger"], "DELETE FROM credit.ledger"):
        assert differences(posted, "--books") != []
    with pytest.raises(Failure, match="usage"):
        posted.copy.mamisctl("verify", "--books", "--anchors", "anchors")


def test_a_migration_that_changed_is_refused(stack, tmp_path, monkeypatch):
    shutil.copytree(TOP / "deploy" / "migrations", tmp_path / "deploy" / "migrations")
    monkeypatch.setenv("MAMIS_DATA_DIR", str(tmp_path))
    assert "0 applied now" in stack.copy.mamisctl("migrate")
    path = tmp_path / "deploy" / "migrations" / "0002_gateway.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- more\n", encoding="utf-8")
    with pytest.raises(Failure, match="0002_gateway.sql was changed after it was applied"):
        stack.copy.mamisctl("migrate")


def test_a_failing_migration_leaves_nothing(stack, tmp_path, monkeypatch):
    shutil.copytree(TOP / "deploy" / "migrations", tmp_path / "deploy" / "migrations")
    monkeypatch.setenv("MAMIS_DATA_DIR", str(tmp_path))
    (tmp_path / "deploy" / "migrations" / "9999_broken.sql").write_text(
        "CREATE TABLE mamis.half (x int);\nSELECT 1 / 0;\n", encoding="utf-8")
    with pytest.raises(Failure, match="9999_broken.sql: .*division by zero"):
        stack.copy.mamisctl("migrate")
    assert stack.one("SELECT to_regclass('mamis.half')") == (None,)


def test_topics_again_change_nothing(stack):
    assert stack.copy.mamisctl("topics").endswith("0 made now\n")


def test_a_revoked_token_opens_nothing(stack):
    told = stack.copy.mamisctl("token", "create", "--organiser", "P13", "--scope",
                               "attendance:write", "--label", "試験")
    token_id, token = told.split()[1], told.split()[-1]
    client = stack.client(token=token)
    client.get("/seminars/S2026-0001").expect(200, 403)
    client.get("/uploads").expect(200)
    assert token not in stack.copy.mamisctl("token", "list", "--organiser", "P13")
    stack.copy.mamisctl("token", "revoke", token_id)
    client.get("/uploads").expect(401)


def test_a_new_password_ends_sessions(stack):
    client = stack.staff_client("call_centre")
    login = client.session["account"]["login_id"]
    client.get("/me").expect(200)
    stack.copy.mamisctl("account", "reset-password", "--login", login, "--password",
                        PASSWORD + "-new")
    until = time.monotonic() + 70  # a cached session lives at most 60 s
    while client.get("/me").status != 401:
        assert time.monotonic() < until, "the session goes on"
        time.sleep(0.5)
    stack.client().sign_in(login, PASSWORD + "-new")


def test_a_second_account_with_a_login_is_refused(stack):
    client = stack.staff_client("auditor")
    login = client.session["account"]["login_id"]
    with pytest.raises(Failure, match="already"):
        stack.copy.mamisctl("account", "create", "--role", "auditor", "--login", login,
                            "--password", PASSWORD, "--name", "二人目")
    assert login in stack.copy.mamisctl("account", "list", "--role", "auditor")


def test_replay_changes_nothing_that_was_applied(posted):
    before = posted.one("SELECT count(*), max(version) FROM credit.doctor")
    for topic in ("mamis.doctor.events", "mamis.credit.events", "mamis.credit.work"):
        told = posted.copy.mamisctl("replay", "--topic", topic, seconds=200)
        assert "published again" in told and not told.startswith("0 ")
    assert posted.one("SELECT count(*) FROM mamis.pause") == (0,)
    assert posted.one("SELECT count(*), max(version) FROM credit.doctor") == before
    assert differences(posted, "10") == []


def test_republish_mends_a_projection(posted):
    execute(posted, "UPDATE credit.doctor SET kana_folded = 'broken' WHERE doctor_id <= 10")
    posted.copy.mamisctl("republish", "doctors", seconds=200)
    assert posted.one("SELECT count(*) FROM credit.doctor WHERE kana_folded = 'broken'") == (0,)
    for what in ("accounts", "certificates", "seminars"):
        posted.copy.mamisctl("republish", what, seconds=200)
    assert differences(posted, "10") == []


def test_republish_mends_the_copy_of_the_credits(posted):
    mails = "SELECT count(*) FROM notification.mail"
    entries = posted.one("SELECT count(*) FROM credit.ledger WHERE programme IN ('OP', 'SP')")[0]
    marks = "SELECT sum(mark - done), sum(mark) FROM renewal.dirty"
    wait_for(lambda: posted.one(marks)[0] == 0, DONE_S, "the standing of all")
    before, marked = posted.one(mails), posted.one(marks)[1]
    execute(posted,
            "UPDATE renewal.credit SET half_units = half_units + 2, kind = 'OPB-K'"
            " WHERE doctor_id = (SELECT max(doctor_id) FROM renewal.credit)",
            "DELETE FROM renewal.credit WHERE doctor_id IN"
            " (SELECT doctor_id FROM renewal.credit ORDER BY doctor_id LIMIT 3)",
            "DELETE FROM renewal.session")
    assert any("copy of the credits" in line for line in differences(posted))
    assert f"{entries} credits" in posted.copy.mamisctl("republish", "credits", seconds=200)
    assert differences(posted, "10") == []
    assert posted.one("SELECT count(*) FROM renewal.credit")[0] == entries > 4
    # What sessions are called comes back too, and standing follows.
    assert posted.one("SELECT count(*), count(*) FILTER (WHERE (r.seminar_no, r.seminar_title,"
                      " r.session_no, r.title, r.held_on, r.delivery) IS DISTINCT FROM"
                      " (s.seminar_no, m.title, s.session_no, s.title, s.held_on, s.delivery))"
                      " FROM (SELECT DISTINCT session_id FROM renewal.credit) AS c"
                      " LEFT JOIN renewal.session AS r USING (session_id)"
                      " JOIN credit.session AS s USING (session_id)"
                      " JOIN credit.seminar AS m ON m.seminar_no = s.seminar_no")[1] == 0
    assert posted.one(marks)[1] > marked
    wait_for(lambda: posted.one(marks)[0] == 0, DONE_S, "the standing of all")
    assert posted.one(mails) == before, "nobody is told of it"


def produce(stack, topic, value):
    subprocess.run(["kcat", "-P", "-b", stack.copy.bootstrap, "-t", topic, "-p", "0", "-k", "planted"],
                   input=value, check=True, timeout=20)


def letters(stack):
    return stack.copy.mamisctl("dead-letters", "list", "--service", "renewal").splitlines()[1:]


def wait_for_letters(stack, count):
    until = time.monotonic() + DONE_S
    while len(letters(stack)) < count:
        assert time.monotonic() < until, "no dead letter came"
        time.sleep(0.2)
    return letters(stack)


def figure(stack, service, name):
    """One figure of a service's metrics; None when it has none of that name."""
    with urllib.request.urlopen(stack.copy.service(service).admin_url + "/metrics") as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines()]
    return next((float(value) for key, value in lines if key == name), None)


def test_what_operators_watch_is_there(posted):
    """Rows by outcome, lag, time to visible, dead letters, waits for connections and threads."""
    assert figure(posted, "credit", 'mamis_rows_total{outcome="posted"}') > 0
    assert figure(posted, "credit", "mamis_upload_visible_seconds_count") > 0
    for service in ("registration", "credit", "renewal", "notification"):
        assert figure(posted, service, "mamis_work_lag") is not None
        assert figure(posted, service, "mamis_work_dead_total") is not None
        wait_for(lambda one=service: figure(posted, one, "mamis_work_dead_waiting") == 0, DONE_S,
                 f"the count of dead letters of {service}")
    for service in ("gateway", "credit"):
        assert figure(posted, service, "mamis_db_wait_seconds_count") > 0
        assert figure(posted, service, "mamis_db_deadlocks_total") == 0
    assert figure(posted, "gateway", 'mamis_pool_wait_seconds_count{pool="hashes"}') is not None


def test_dead_letters_are_shown_and_retried(posted):
    """One that is no event, and one whose data is wrong; the partition goes on behind them."""
    before = len(letters(posted))
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/mamis/registration",
             "type": "doctor.state.v1", "time": "2026-11-22T12:00:00+09:00",
             "datacontenttype": "application/json",
             "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
             "data": {"doctor_id": "one"}}
    produce(posted, "mamis.doctor.events", b"no event at all")
    produce(posted, "mamis.doctor.events", json.dumps(event).encode())
    rows = wait_for_letters(posted, before + 2)
    wait_for(lambda: figure(posted, "renewal", "mamis_work_dead_waiting") == before + 2, DONE_S,
             "the gauge of waiting letters")
    assert any("dead letter" in line for line in differences(posted))
    wrong = next(row.split("\t") for row in rows if "doctor.state.v1" in row)
    nothing = next(row.split("\t") for row in rows if "doctor.state.v1" not in row)
    assert json.dumps(event) in posted.copy.mamisctl("dead-letters", "show", "renewal", wrong[1])
    with pytest.raises(Failure, match="no event at all"):
        posted.copy.mamisctl("dead-letters", "retry", "renewal", nothing[1])
    assert "1 messages" in posted.copy.mamisctl("dead-letters", "retry", "renewal", wrong[1])
    wait_for_letters(posted, before + 3)  # it is as wrong as before
    execute(posted, "DELETE FROM renewal.dead_letter", "DELETE FROM credit.dead_letter",
            "DELETE FROM notification.dead_letter",
            f"DELETE FROM renewal.outbox WHERE event_id = '{event['id']}'")
    posted.copy.mamisctl("republish", "doctors", seconds=200)
    assert differences(posted, "10") == []


def test_parked_events_are_shown_and_published_again(posted):
    execute(posted, "UPDATE credit.outbox SET sent_at = NULL, parked = 'larger than the topic takes'"
            " WHERE event_id = (SELECT event_id FROM credit.outbox WHERE topic ="
            " 'mamis.credit.events' LIMIT 1)")
    told = posted.copy.mamisctl("parked", "list").splitlines()
    assert len(told) == 2 and told[1].startswith("credit\t")
    assert told[1].endswith("larger than the topic takes")
    assert "1 events" in posted.copy.mamisctl("parked", "retry")
    wait_for(lambda: posted.one("SELECT count(*) FROM credit.outbox WHERE sent_at IS NULL")[0] == 0,
             DONE_S, "the event's publication")
    assert len(posted.copy.mamisctl("parked", "list").splitlines()) == 1
    assert differences(posted, "10") == []


def test_status_tells_where_everybody_is(posted):
    told = posted.copy.mamisctl("status")
    assert "notification\tmamis.credit.events\t" in told
    assert "done\t1\t0" in told


def test_every_command_says_how_it_is_used(stack):
    program = pathlib.Path(stack.copy.build) / "bin" / "mamisctl"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("migrate", "topics", "import members", "account create", "token revoke", "verify",
                 "dead-letters retry", "parked retry", "strays pass", "replay --topic", "republish", "status"):
        assert word in told
    wrong = subprocess.run([program, "--settings", stack.copy.mamisctl_settings, "import", "people"],
                           capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "usage" in wrong.stderr
