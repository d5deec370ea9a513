"""mamisctl import: all or nothing, harmless when repeated, and seen by every service when it returns."""

import csv
import io
import os
import signal
import stat
import subprocess

import pytest

from maildir import link_of, wait_mail
from running.process import Failure, wait_for

COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
           "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,sp_from,"
           "sp_to").split(",")
PASSWORD = "import-test-password"
DOCTOR = {"name": "取込　試験", "name_kana": "トリコミ　シケン", "sex": "F", "birth_on": "1980-02-29",
          "l1_code": "13001", "l2_code": "13", "l3_category": "A1", "my_page": "active"}


def members_file(folder, *rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({**DOCTOR, **row} for row in rows)
    path = folder / "members.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    return str(path)


def do_import(stack, *words):
    return stack.copy.mamisctl("import", *words)


def refused(stack, *words):
    """What a refused import says."""
    with pytest.raises(Failure) as failure:
        do_import(stack, *words)
    return failure.value.text


def doctor_row(stack, register_no):
    return stack.one("SELECT d.doctor_id, d.version, d.mamis_no, d.name, d.my_page, a.account_id,"
                     " a.state, a.step FROM registration.doctor d"
                     " LEFT JOIN registration.account a USING (doctor_id)"
                     " WHERE d.register_no = %s", (register_no,))


def events_of(stack, doctor_id):
    """How many doctor.state events were made for a doctor."""
    return stack.one("SELECT count(*) FROM registration.outbox WHERE key = %s"
                     " AND type = 'doctor.state.v1'", (str(doctor_id),))[0]


def test_the_samples_are_seen_everywhere(stack):
    assert stack.one("SELECT count(*) FROM registration.doctor")[0] == 2000
    for table in ("credit.doctor", "renewal.doctor", "notification.doctor"):
        assert stack.one(f"SELECT count(*) FROM {table}")[0] == 2000, table
    assert stack.one("SELECT count(*) FROM notification.account")[0] == 2000 - 67
    assert stack.one("SELECT count(*) FROM credit.certificate")[0] == 1001


def test_the_samples_again_change_nothing(stack):
    before = stack.one("SELECT count(*), max(event_id::text) FROM registration.outbox")
    told = do_import(stack, "members", os.path.join(os.path.dirname(__file__), "..", "data",
                                                    "members.csv"))
    assert "0 new, 0 changed, 2000 as before" in told
    assert stack.one("SELECT count(*), max(event_id::text) FROM registration.outbox") == before


def test_nothing_is_taken_unless_all_lines_are_good(stack, tmp_path):
    path = members_file(tmp_path, {"register_no": "7100001"}, {"register_no": "1.23E+05"},
                        {"register_no": "7100002", "op_no": "0000044", "op_from": "2026-01-01",
                         "op_to": "2030-12-31"})
    told = refused(stack, "members", path)
    assert 'line 3, column register_no, value "1.23E+05"' in told
    assert 'line 4, column op_no, value "0000044": belongs to the doctor with register number' in told
    assert told.count("Cure: ") == 2
    assert doctor_row(stack, "7100001") is None


def test_the_good_ones_are_kept_and_the_others_written(stack, tmp_path):
    path = members_file(tmp_path, {"register_no": "7100011"}, {"register_no": "x"})
    rest = tmp_path / "rest.csv"
    rest.touch(0o644)  # as an earlier import left it
    told = do_import(stack, "members", path, "--keep-good", str(rest))
    assert "1 new" in told and "1 bad" in told
    assert doctor_row(stack, "7100011") is not None
    lines = rest.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 and lines[0] == ",".join(COLUMNS) and lines[1].split(",")[1] == "x"
    assert stat.S_IMODE(rest.stat().st_mode) == 0o600


def test_a_changed_line_changes_the_doctor_once(stack, tmp_path):
    do_import(stack, "members", members_file(tmp_path, {"register_no": "0007100021"}))
    first = doctor_row(stack, "7100021")
    assert first[1] == 1 and len(first[2]) == 10
    path = members_file(tmp_path, {"register_no": "7100021", "name": "改姓　試験",
                                   "former_name": "取込　試験",
                                   "former_name_kana": "トリコミ　シケン",
                                   "name_kana": "カイセイ　シケン"})
    assert "0 new, 1 changed" in do_import(stack, "members", path)
    assert "0 new, 0 changed, 1 as before" in do_import(stack, "members", path)
    second = doctor_row(stack, "7100021")
    assert second[:4] == (first[0], 2, first[2], "改姓　試験")
    assert events_of(stack, first[0]) == 2
    assert stack.one("SELECT name FROM registration.name_history WHERE doctor_id = %s",
                     (first[0],)) == ("取込　試験",)
    assert stack.one("SELECT version FROM credit.doctor WHERE doctor_id = %s", (first[0],)) == (2,)


def test_an_address_that_its_doctor_confirmed_stays(stack, tmp_path):
    """A list's own address is replaced by the next list; the doctor's is not, and the list says so."""
    def rows(first, second, **changes):
        return members_file(tmp_path, {"register_no": "7100025", "email": first, **changes},
                            {"register_no": "7100026", "email": second})

    def addresses():
        with stack.sql() as cursor:
            cursor.execute("SELECT d.email, a.email, n.email FROM registration.doctor d"
                           " JOIN registration.account a USING (doctor_id)"
                           " JOIN notification.account n USING (account_id)"
                           " WHERE d.register_no IN ('7100025', '7100026') ORDER BY d.register_no")
            return cursor.fetchall()

    do_import(stack, "members", rows("one@list.example.jp", "two@list.example.jp"),
              "--password-for-tests", PASSWORD)
    client = stack.client().sign_in(doctor_row(stack, "7100025")[2], PASSWORD)
    client.post("/me/email", {"email": "own-7100025@example.jp"}).expect(200)
    link = link_of(wait_mail(stack, "own-7100025@example.jp", "確認"))
    stack.client().post("/links", {"link": link}).expect(200)
    later = rows("three@list.example.jp", "four@list.example.jp", l2_code="14")
    left = ("members: 1 lines name another e-mail than the one that the doctor confirmed, which"
            " stays: lines 2")
    assert do_import(stack, "members", later, "--preview").splitlines() == [
        'line 2: changed: l2_code "13" -> "14"',
        'line 3: changed: email "two@list.example.jp" -> "four@list.example.jp",'
        ' account\'s email "two@list.example.jp" -> "four@list.example.jp"',
        "members: 2 lines: 0 new, 2 changed, 0 as before; nothing was written", left,
        "members: 0 new certificates, 0 doctors get a temporary password"]
    told = do_import(stack, "members", later)
    assert "0 new, 2 changed" in told and left in told.splitlines()
    assert addresses() == [("own-7100025@example.jp",) * 3, ("four@list.example.jp",) * 3]
    assert stack.one("SELECT l2_code FROM registration.doctor WHERE register_no = '7100025'"
                     ) == ("14",)
    assert "0 changed, 2 as before" in do_import(stack, "members", later)
    assert client.get("/me").status == 200


def test_numbers_never_change_hands(stack, tmp_path):
    do_import(stack, "members", members_file(tmp_path, {"register_no": "7100031"}))
    held = doctor_row(stack, "7100031")[2]
    told = refused(stack, "members",
                   members_file(tmp_path, {"register_no": "7100032", "mamis_no": held}))
    assert "belongs to the doctor with register number 7100031" in told
    told = refused(stack, "members",
                   members_file(tmp_path, {"register_no": "7100031", "mamis_no": "6423876638"}))
    assert f"this doctor has the MAMIS number {held}" in told


def test_my_page_goes_forward_only(stack, tmp_path):
    for wanted, becomes, state in (("none", "none", None), ("link_pending", "link_pending", "active"),
                                   ("temp_issued", "link_pending", "active"),
                                   ("active", "active", "active"), ("none", "active", "active"),
                                   ("closed", "closed", "closed"), ("active", "closed", "closed")):
        do_import(stack, "members",
                  members_file(tmp_path, {"register_no": "7100041", "my_page": wanted}))
        row = doctor_row(stack, "7100041")
        assert (row[4], row[6]) == (becomes, state), wanted


def test_an_older_certificate_never_replaces_a_newer_one(stack, tmp_path):
    new = {"register_no": "7100051", "op_no": "7100051", "op_from": "2026-04-01",
           "op_to": "2031-03-31"}
    old = {**new, "op_from": "2021-04-01", "op_to": "2026-03-31"}

    def held():
        return stack.one("SELECT c.version, c.first_from::text, c.valid_to::text"
                         " FROM renewal.certificate c JOIN registration.doctor d USING (doctor_id)"
                         " WHERE d.register_no = '7100051'")

    do_import(stack, "members", members_file(tmp_path, old))
    assert held() == (1, "2021-04-01", "2026-03-31")
    do_import(stack, "members", members_file(tmp_path, new))
    assert held() == (2, "2021-04-01", "2031-03-31")  # held without a gap
    do_import(stack, "members", members_file(tmp_path, old))
    assert held() == (2, "2021-04-01", "2031-03-31")


def test_postcards_are_written_once_and_for_the_owner_only(stack, tmp_path):
    path = members_file(tmp_path, {"register_no": "7100061", "my_page": "temp_issued"})
    out = tmp_path / "postcards.csv"
    do_import(stack, "members", path, "--postcards", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [row["register_no"] for row in rows] == ["7100061"]
    assert len(rows[0]["temporary_password"].replace("-", "")) >= 12
    assert not set("O0I1l") & set(rows[0]["temporary_password"] + rows[0]["login_id"])
    again = tmp_path / "again.csv"
    do_import(stack, "members", path, "--postcards", str(again))
    assert not again.exists()  # nobody needs a new one
    clear = stack.one("SELECT count(*) FROM gateway.temp_credential WHERE login_id = %s"
                      " AND encode(hmac, 'escape') LIKE %s",
                      (rows[0]["login_id"].replace("-", ""),
                       f"%{rows[0]['temporary_password'][:4]}%"))
    assert clear == (0,)
    assert "File exists" in refused(
        stack, "members", members_file(tmp_path, {"register_no": "7100062",
                                                  "my_page": "temp_issued"}),
        "--postcards", str(out))
    signed_in = stack.client().sign_in(rows[0]["login_id"], rows[0]["temporary_password"])
    assert signed_in.session["next"] == "terms"


def test_the_password_for_tests_lets_in(stack, tmp_path):
    do_import(stack, "members", members_file(tmp_path, {"register_no": "7100071"}),
              "--password-for-tests", PASSWORD)
    client = stack.client().sign_in(doctor_row(stack, "7100071")[2], PASSWORD)
    assert client.session["next"] == ""
    assert client.get("/me").expect(200).json["doctor"]["register_no"] == "7100071"


def test_the_password_for_tests_is_refused_in_production(stack, tmp_path, monkeypatch):
    monkeypatch.setenv("MAMIS_ENV", "production")
    monkeypatch.setenv("MAMIS_NOW_OFFSET_US", "0")
    told = refused(stack, "members", members_file(tmp_path, {"register_no": "7100081"}),
                   "--password-for-tests", PASSWORD)
    assert "refused where env is production" in told


def test_two_imports_at_once_both_end_well(stack, tmp_path):
    """They change the same rows; one reads again and goes on."""
    import threading

    folders = [tmp_path / name for name in ("a", "b")]
    errors = []

    def one(folder, name):
        folder.mkdir()
        rows = [{"register_no": str(7200000 + number), "name": name} for number in range(300)]
        try:
            do_import(stack, "members", members_file(folder, *rows))
        except Failure as failure:
            errors.append(failure.text)

    threads = [threading.Thread(target=one, args=(folder, f"同時　{folder.name}"))
               for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    names = stack.one("SELECT count(DISTINCT name), count(*), count(DISTINCT version)"
                      " FROM registration.doctor WHERE register_no BETWEEN '7200000' AND '7200299'")
    assert names == (1, 300, 1)


def test_seminars_need_their_organiser(stack, tmp_path):
    path = tmp_path / "seminars.csv"
    path.write_text(
        "seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,delivery,"
        "grace_minutes,capacity,offers,leader_register_no\n"
        "T-1,試験,NOBODY,1,講演,2026-10-18 13:00,2026-10-18 15:00,venue,10,,OPL-S:2,\n",
        encoding="utf-8")
    assert "no such organiser" in refused(stack, "seminars", str(path))
    assert stack.one("SELECT count(*) FROM credit.seminar WHERE seminar_no = 'T-1'") == (0,)


def test_a_preview_shows_and_changes_nothing(stack, tmp_path):
    do_import(stack, "members", members_file(tmp_path, {"register_no": "7300001"},
                                             {"register_no": "7300002"}))
    before = stack.one("SELECT count(*), sum(version) FROM registration.doctor")
    numbers = stack.one("SELECT last_value FROM registration.mamis_no_seq")
    path = members_file(tmp_path, {"register_no": "7300001"},
                        {"register_no": "7300002", "name": "改姓　予定", "l2_code": "14",
                         "birth_on": "1980-03-01", "my_page": "closed"},
                        {"register_no": "7300003", "my_page": "temp_issued", "op_no": "7300003",
                         "op_from": "2026-04-01", "op_to": "2031-03-31"})
    told = do_import(stack, "members", path, "--preview")
    assert told.splitlines() == [
        'line 3: changed: name "取込　試験" -> "改姓　予定", l2_code "13" -> "14",'
        ' birth_on "1980-02-29" -> "1980-03-01", my_page "active" -> "closed",'
        ' account "active" -> "closed"',
        "line 4: new",
        "members: 3 lines: 1 new, 1 changed, 1 as before; nothing was written",
        "members: 1 new certificates, 1 doctors get a temporary password"]
    assert stack.one("SELECT count(*), sum(version) FROM registration.doctor") == before
    assert stack.one("SELECT last_value FROM registration.mamis_no_seq") == numbers
    assert doctor_row(stack, "7300003") is None
    assert "1 new, 1 changed, 1 as before" in do_import(
        stack, "members", path, "--postcards", str(tmp_path / "cards.csv"))


def kill_when(stack, path, cards, lines):
    """Runs the import until its file of postcards has so many lines, then kills it; whether it did."""
    argv = [os.path.join(stack.copy.build, "bin", "mamisctl"), "--settings",
            stack.copy.mamisctl_settings, "import", "members", path, "--postcards", str(cards),
            "--resume"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_for(lambda: run.poll() is not None
                 or (cards.exists() and cards.read_bytes().count(b"\n") >= lines),
                 60, "postcards", every=0.001)
        run.kill()
    return run.returncode == -signal.SIGKILL


def test_an_import_that_was_killed_goes_on(stack, tmp_path):
    """Killed at several points, one after the other; every postcard works, none is there twice."""
    count = 12000
    path = members_file(tmp_path, *({"register_no": str(7400000 + number),
                                     "my_page": "temp_issued"} for number in range(count)))
    cards = tmp_path / "cards.csv"
    killed = [kill_when(stack, path, cards, lines) for lines in (1, 2, 5001, 5002, 10001)]
    assert killed.count(True) >= 3
    do_import(stack, "members", path, "--postcards", str(cards), "--resume")
    assert stat.S_IMODE(cards.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(cards.read_text(encoding="utf-8"))))
    assert sorted(row["register_no"] for row in rows) == [str(7400000 + number)
                                                          for number in range(count)]
    with stack.sql() as cursor:
        cursor.execute("SELECT t.login_id, d.register_no FROM gateway.temp_credential t"
                       " JOIN registration.account USING (account_id)"
                       " JOIN registration.doctor d USING (doctor_id)"
                       " WHERE d.register_no BETWEEN '7400000' AND '7411999'")
        assert sorted(cursor.fetchall()) == sorted(
            (row["login_id"].replace("-", ""), row["register_no"]) for row in rows)
    for row in (rows[0], rows[4999], rows[5000], rows[-1]):
        stack.client().sign_in(row["login_id"], row["temporary_password"])
    assert stack.one("SELECT count(*) FROM notification.doctor n JOIN registration.doctor r"
                     " USING (doctor_id) WHERE r.register_no BETWEEN '7400000' AND '7411999'"
                     " AND n.version = r.version") == (count,)


def test_only_a_file_of_postcards_is_gone_on_in(stack, tmp_path):
    path = members_file(tmp_path, {"register_no": "7500001", "my_page": "temp_issued"})
    cards = tmp_path / "cards.csv"
    cards.write_text("register_no,name,login_id,temporary_password\r\n", encoding="utf-8")
    told = refused(stack, "members", path, "--postcards", str(cards), "--resume")
    assert "not a file of ours with mode 0600" in told
    cards.chmod(0o600)
    cards.write_text("something else\r\n" * 9, encoding="utf-8")
    told = refused(stack, "members", path, "--postcards", str(cards), "--resume")
    assert "no file of postcards" in told
    assert doctor_row(stack, "7500001") is None
    cards.write_bytes(b"register_no,na")  # it died while it made the file
    do_import(stack, "members", path, "--postcards", str(cards), "--resume")
    assert cards.read_text(encoding="utf-8").count("\n") == 2


def test_everything_agrees_afterwards(stack):
    stack.copy.mamisctl("verify")
