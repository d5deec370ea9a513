"""SIGKILL to each process and server in turn while a large file posts; then plain SQL and the API
look whether every row is there once. None of the services' own code checks."""

import collections
import concurrent.futures
import email
import os
import pathlib
import signal
import time

import pytest

import crash_data
import restore
from running.api import Client
from running.process import Failure, Process, wait_for

PASSWORD = "crash-test-password"
TARGETS = ["gateway", "registration", "credit", "renewal", "notification", "redis", "kafka",
           "postgres"]
DRILL = ["moment-before", "moment-after", "end-before", "end-after"]
DONE_S = 120
MAILS_S = 120


@pytest.fixture(scope="module")
def loaded(stack, tmp_path_factory):
    """The stack with the doctors, and a seminar for each target."""
    folder = tmp_path_factory.mktemp("crash")
    files = {"organisers": crash_data.organisers(), "members": crash_data.members(),
             "seminars": crash_data.seminars([f"CR-{name}" for name in TARGETS + DRILL])}
    for what in ("organisers", "members", "seminars"):
        path = folder / f"{what}.csv"
        path.write_text(files[what], encoding="utf-8")
        extra = ["--password-for-tests", PASSWORD] if what == "members" else []
        stack.copy.mamisctl("import", what, str(path), *extra, seconds=300)
    stack.crash_token = stack.copy.mamisctl(
        "token", "create", "--organiser", crash_data.ORGANISER, "--scope", "attendance:write"
    ).strip().splitlines()[-1]
    return stack


def one(stack, statement, values=()):
    with stack.sql() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def freeze_while_posting(stack, upload_id, credit):
    """Stop `credit` with at least one chunk done and one not; gives (done, all)."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        status, done, total = one(stack, "SELECT status, next_chunk, chunks_total FROM credit.upload"
                                         " WHERE upload_id = %s", (upload_id,))
        if status == "posting" and done >= 1:
            os.kill(credit, signal.SIGSTOP)
            # A commit may have been on its way: look again now that nothing moves.
            status, done, total = one(
                stack, "SELECT status, next_chunk, chunks_total FROM credit.upload"
                       " WHERE upload_id = %s", (upload_id,))
            assert status == "posting" and 1 <= done < total, (status, done, total)
            return done, total
        assert status in ("received", "reading", "posting"), status
    pytest.fail("the upload never was posting")


def pid_of(stack, target):
    name = {"redis": "redis", "postgres": "postgres", "kafka": "kafka-1"}.get(target, f"{target}-1")
    return Process(stack.copy.paths, name).pid()


def kill(stack, target):
    pid = pid_of(stack, target)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    stack.wait_gone(pid)


def start(stack, target):
    if target in ("redis", "postgres", "kafka"):
        stack.copy.start_servers()
    else:
        stack.copy.start_services()


def wait_until_done(client, upload_id):
    """Time-outs and refusals are what a fault may cause meanwhile; the end must come by itself."""
    until = time.monotonic() + DONE_S
    state = None
    while time.monotonic() < until:
        try:
            answer = client.get(f"/uploads/{upload_id}")
            if answer.status == 200:
                state = answer.json
                if state["status"] == "done":
                    return state
            else:
                assert answer.status in (503, 504), answer.body
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"not done after {DONE_S} s: {state}")


def check_rows(stack, upload_id):
    """Each doctor once in each programme, nothing else, outcomes as they must be."""
    with stack.sql() as cursor:
        cursor.execute("SELECT d.register_no, l.programme, l.kind, l.half_units, l.revision, l.row_no"
                       " FROM credit.ledger l JOIN credit.doctor d USING (doctor_id)"
                       " JOIN credit.upload u USING (upload_no) WHERE u.upload_id = %s", (upload_id,))
        entries = cursor.fetchall()
        cursor.execute("SELECT outcome, count(*), count(DISTINCT row_no) FROM credit.upload_row r"
                       " JOIN credit.upload u USING (upload_no) WHERE u.upload_id = %s GROUP BY 1",
                       (upload_id,))
        others = cursor.fetchall()
    seen = collections.Counter((number, programme) for number, programme, *_ in entries)
    wanted = {(crash_data.register_no(n), programme)
              for n in range(crash_data.DOCTORS) for programme in ("OP", "CME")}
    assert set(seen) == wanted
    assert set(seen.values()) == {1}
    assert {(p, k, h, r) for _, p, k, h, r, _ in entries} == {("OP", "OPL-S", 4, 0),
                                                              ("CME", "CME-007", 3, 0)}
    assert len({row for *_, row in entries}) == crash_data.DOCTORS
    counts = {outcome: count for outcome, count, distinct in others if count == distinct}
    assert counts == {name: count for name, count in crash_data.COUNTS.items()
                      if count and name != "posted"}


def check_totals(stack, posted_files):
    """What the API shows a doctor is the sum of all files posted so far."""
    for number in (0, crash_data.DOCTORS // 2, crash_data.DOCTORS - 1):
        doctor = Client(stack.copy.base_url).sign_in(crash_data.mamis_no(number), PASSWORD)
        totals = doctor.get("/me/credits").expect(200).json["totals"]
        sums = {total["programme"]: total["half_units"] for total in totals}
        assert sums == {"OP": 4 * posted_files, "CME": 3 * posted_files}


def mails_of(stack):
    """{Message-ID: copies} and {(address, seminar): Message-IDs} of the mails about credits."""
    copies, occasions = collections.Counter(), collections.defaultdict(set)
    for path in pathlib.Path(stack.copy.mail.folder).glob("new/*"):
        message = email.message_from_bytes(path.read_bytes())
        body = message.get_payload(decode=True).decode("utf-8")
        if not message["Message-ID"].startswith("<M23."):
            continue
        seminar = next(word for word in body.replace("（", " ").replace("）", " ").split()
                       if word.startswith("CR-"))
        copies[message["Message-ID"]] += 1
        occasions[(message["To"].split("<")[-1].strip("> "), seminar)].add(message["Message-ID"])
    return copies, occasions


POSTED = []


@pytest.mark.parametrize("target", TARGETS)
def test_kill_while_posting(loaded, target):
    stack = loaded
    client = Client(stack.copy.base_url, token=stack.crash_token)
    answer = client.post_attendance(f"CR-{target}", crash_data.attendance(), f"{target}.csv")
    upload_id = answer.expect(202).json["upload_id"]
    credit = pid_of(stack, "credit")
    done, total = freeze_while_posting(stack, upload_id, credit)
    kill(stack, target)
    if target != "credit":
        os.kill(credit, signal.SIGCONT)
    start(stack, target)
    begun = time.monotonic()
    state = wait_until_done(client, upload_id)
    POSTED.append(target)
    print(f"{target}: killed at chunk {done} of {total}, done {time.monotonic() - begun:.1f} s later")
    assert state["counts"] == crash_data.COUNTS
    check_rows(stack, upload_id)
    check_totals(stack, len(POSTED))


def test_one_mail_for_each_doctor_and_upload(loaded):
    stack = loaded
    wanted = {(f"crash{number}@example.jp", f"CR-{target}")
              for number in range(crash_data.WITH_MAIL) for target in POSTED}
    until = time.monotonic() + MAILS_S
    copies, occasions = mails_of(stack)
    while time.monotonic() < until and set(occasions) != wanted:
        time.sleep(0.5)
        copies, occasions = mails_of(stack)
    assert set(occasions) == wanted
    assert all(len(ids) == 1 for ids in occasions.values())
    with stack.sql() as cursor:
        cursor.execute("SELECT message_id FROM notification.mail WHERE ambiguous")
        ambiguous = {f"<{row[0]}>" for row in cursor.fetchall()}
    assert {message_id for message_id, count in copies.items() if count > 1} <= ambiguous
    assert max(copies.values()) <= 2


CROWD, EACH, ROUNDS = 12, 4, 3


def change(client, number):
    """A command that changes the doctor each time; it is answered late, for nobody works on it."""
    answer = client.put("/me/profile", {
        "name": "試験　太郎", "name_kana": "シケン　タロウ", "former_name": "",
        "former_name_kana": "", "sex": "M", "birth_on": "1975-01-01",
        "workplace_name": f"第{number}病院"})
    return client, answer.expect(202).json["operation_id"]


def changes_of(stack):
    """(account, version) of each profile's change, and the doctors' versions."""
    with stack.sql() as cursor:
        cursor.execute("SELECT h.account_id, h.version, d.version FROM registration.account_history h"
                       " JOIN registration.account USING (account_id)"
                       " JOIN registration.doctor d USING (doctor_id)"
                       " WHERE h.action = 'set_profile'")
        return cursor.fetchall()


def kill_amidst(stack, before, wanted):
    """SIGKILL to registration when some of the waiting commands are done; tells how many were."""
    pid = pid_of(stack, "registration")
    os.kill(pid, signal.SIGCONT)
    until = time.monotonic() + DONE_S
    while len(changes_of(stack)) < before + 3:
        assert time.monotonic() < until, "registration does nothing"
    os.kill(pid, signal.SIGKILL)
    stack.wait_gone(pid)
    done = len(changes_of(stack)) - before
    assert done <= wanted
    return done


def test_commands_under_way_have_their_effect_once(loaded):
    stack = loaded
    clients = [Client(stack.copy.base_url).sign_in(crash_data.mamis_no(number), PASSWORD)
               for number in range(CROWD)]
    amidst = 0
    for turn in range(ROUNDS):
        before = len(changes_of(stack))
        os.kill(pid_of(stack, "registration"), signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor(CROWD * EACH) as pool:
            sent = [pool.submit(change, client, turn * EACH + n)
                    for client in clients for n in range(EACH)]
            accepted = [future.result() for future in sent]
        done = kill_amidst(stack, before, len(accepted))
        amidst += done < len(accepted)
        print(f"registration: killed when {done} of {len(accepted)} commands were done")
        start(stack, "registration")
        until = time.monotonic() + DONE_S
        for client, operation_id in accepted:
            while client.get(f"/operations/{operation_id}").json["status"] != "done":
                assert time.monotonic() < until, operation_id
                time.sleep(0.05)  # between two looks
    assert amidst > 0
    changes = changes_of(stack)
    assert len(changes) == len({(account, version) for account, version, _ in changes})
    per_account = collections.Counter(account for account, _, _ in changes)
    assert set(per_account.values()) == {EACH * ROUNDS} and len(per_account) == CROWD
    assert {version for *_, version in changes} == {1 + EACH * ROUNDS}


def test_the_books_balance_afterwards(loaded):
    loaded.copy.mamisctl("verify", seconds=120)


def rename(stack, name):
    """The first doctor has another name, soon everywhere."""
    client = Client(stack.copy.base_url).sign_in(crash_data.mamis_no(0), PASSWORD)
    answer = client.put("/me/profile", {
        "name": name, "name_kana": "シケン　タロウ", "former_name": "", "former_name_kana": "",
        "sex": "M", "birth_on": "1975-01-01", "workplace_name": "試験病院"})
    answer.expect(200, 202)
    wait_for(lambda: one(stack, "SELECT name FROM renewal.doctor WHERE register_no = %s",
                         (str(crash_data.register_no(0)),)) == (name,), DONE_S, name)


def post(stack, client, name):
    data = crash_data.attendance()
    answer = client.post_attendance(f"CR-{name}", data, f"{name}.csv", key=f"drill-{name}")
    return answer.expect(202).json["upload_id"]


def finish(stack, client, upload_id):
    assert wait_until_done(client, upload_id)["counts"] == crash_data.COUNTS
    check_rows(stack, upload_id)


def lose_amidst(stack, client, backup, name):
    """The database is lost with a file half posted; before that came, another one was posted, the
    first half of it before the moment that is given back with the ids of both."""
    with backup.receiving():
        backup.run("base")
        before = post(stack, client, f"{name}-before")
        freeze_while_posting(stack, before, pid_of(stack, "credit"))
        point = str(one(stack, "SELECT clock_timestamp()")[0])
        os.kill(pid_of(stack, "credit"), signal.SIGCONT)
        rename(stack, "試験　一郎")
        wait_until_done(client, before)
        after = post(stack, client, f"{name}-after")
        freeze_while_posting(stack, after, pid_of(stack, "credit"))
        for target in ("gateway", "registration", "credit", "renewal", "notification"):
            kill(stack, target)
        stack.copy.postgres.stop()
    return point, before, after


def test_restore_to_a_moment(loaded):
    """Kafka keeps what it has: also half of a file, all of another one, a doctor's new name, of
    which the database knows nothing any more (F33)."""
    stack = loaded
    client = Client(stack.copy.base_url, token=stack.crash_token)
    backup = restore.Backup(stack, "moment")
    point, before, after = lose_amidst(stack, client, backup, "moment")
    said = backup.restore(point)
    for kind in ("account.set_profile", "doctor.state", "upload.read", "upload.chunk",
                 "credits.posted", "upload.done"):
        assert f"\t{kind}.v1\t" in said
    assert stack.copy.mamisctl("strays", "list").count("\n") == 1  # its head
    stack.copy.start_services()
    with pytest.raises(Failure, match="stop the services first"):
        stack.copy.mamisctl("strays", "pass")
    finish(stack, client, before)
    client.get(f"/uploads/{after}").expect(404)
    finish(stack, client, post(stack, client, "moment-after"))  # with its former key
    rename(stack, "試験　二郎")  # a version that a stray had, too
    backup.run("verify")


@pytest.mark.skipif("MAMIS_TEST_DRILLS" not in os.environ, reason="a drill, by command")
def test_restore_to_the_end(loaded):
    """Nothing is lost, nobody strays; all goes on where it was."""
    stack = loaded
    client = Client(stack.copy.base_url, token=stack.crash_token)
    backup = restore.Backup(stack, "end")
    _, before, after = lose_amidst(stack, client, backup, "end")
    assert "0 events are passed" in backup.restore()
    stack.copy.start_services()
    finish(stack, client, before)
    finish(stack, client, after)
    backup.run("verify")
