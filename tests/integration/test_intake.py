"""What organisers get: rows by hand, the same key again, reasons counted, rows found, and progress
that goes on at another gateway."""

import contextlib
import csv
import http.client
import json
import os
import signal
import urllib.parse

import pytest

from running.api import Client
from running.process import wait_for
from stack import DATA

SEMINAR = "S2026-0001"
ATTENDANCE = f"/seminars/{SEMINAR}/attendance"
WAIT_S = 60


@pytest.fixture(scope="module")
def organiser(stack):
    return stack.organiser_client(SEMINAR)


def finished(client, upload_id):
    return wait_for(lambda: (lambda upload: upload if upload["done_at"] else None)(
        client.upload(upload_id)), WAIT_S, "the upload's end")


def posted(client, answer):
    return finished(client, answer.expect(202).json["upload_id"])


def rows_of(client, upload_id, query=""):
    """All rows that fit, by small pages."""
    items, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/uploads/{upload_id}/rows?limit=500{query}"
                          + (f"&cursor={cursor}" if cursor else "")).expect(200).json
        items += page["items"]
        cursor = page["next_cursor"]
    return items


def reasons_of(client, upload_id):
    return client.get(f"/uploads/{upload_id}/reasons").expect(200).json["items"]


# ---- rows by hand ----

@pytest.mark.parametrize("name", ["11-many-errors", "06-full-width-numbers"])
def test_rows_are_judged_as_a_file(stack, name):
    expected = json.loads((DATA / "attendance" / "expected" / f"{name}.json").read_text())
    seminar = expected["seminar_no"]
    client = stack.organiser_client(seminar)
    path = DATA / "attendance" / f"{name}.csv"
    with open(path, encoding="utf-8-sig", newline="") as file:
        header, *lines = [line for line in csv.reader(file) if any(line)]
    whole = [line for line in lines if len(line) == len(header)]
    rows = [dict(zip(header, line)) for line in whole]
    with stack.sql() as cursor:
        cursor.execute("TRUNCATE credit.ledger, credit.upload, credit.upload_part,"
                       " credit.upload_chunk, credit.upload_row")
    hand = posted(client, client.post(f"/seminars/{seminar}/attendance", {"rows": rows}))
    assert hand["file_name"] == "rows.json" and hand["rows_total"] == len(rows)
    judged = rows_of(client, hand["upload_id"])
    with stack.sql() as cursor:
        cursor.execute("TRUNCATE credit.ledger, credit.upload, credit.upload_part,"
                       " credit.upload_chunk, credit.upload_row")
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n"
                   for line in [header, *whole])
    file = posted(client, client.post_attendance(seminar, text.encode(), "a.csv"))
    assert hand["counts"] == file["counts"]
    compared = ("row_no", "outcome", "reason", "problems", "register_no", "same_as_row")
    assert [[row[name] for name in compared] for row in judged] == \
        [[row[name] for name in compared] for row in rows_of(client, file["upload_id"])]


ROWS = [{"register_no": "384411", "session_no": "1"}, {"register_no": "9999999", "session_no": "1"}]


def form(content):
    head = b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    return head + content + b"\r\n--XyZ--\r\n"


def test_the_same_key_by_every_way(stack, organiser):
    """The first answer again, also by another gateway; with another body a conflict."""
    service, other_url = stack.another_gateway()
    other = Client(other_url, token=organiser.token)
    multipart = {"Content-Type": "multipart/form-data; boundary=XyZ"}
    file = b"register_no\r\n384411\r\n"
    ways = [("key-json", {"rows": ROWS}, {"rows": ROWS[:1]}, {}),
            ("key-form", form(file), form(file + b"2\r\n"), multipart),
            ("key-csv", file, file + b"2\r\n", {"Content-Type": "text/csv"})]
    try:
        for key, body, another, headers in ways:
            sent = {**headers, "Idempotency-Key": key}
            first = organiser.post(ATTENDANCE, body, sent).expect(202)
            for again in (organiser, other):
                answer = again.post(ATTENDANCE, body, sent).expect(202)
                assert answer.json == first.json, key
                assert answer.headers["Location"] == first.headers["Location"]
                conflict = again.post(ATTENDANCE, another, sent).expect(409)
                assert conflict.json["code"] == "idempotency_conflict"
            count = stack.one("SELECT count(*) FROM gateway.idempotency WHERE key = %s", (key,))
            assert count[0] == 1
            finished(organiser, first.json["upload_id"])
    finally:
        service.stop()


# ---- reasons and rows ----

@pytest.fixture(scope="module")
def large(stack, organiser):
    """Several chunks: bad rows of three kinds, good ones between them."""
    doctors = stack_doctors(stack, 40)
    lines = ["医籍登録番号,氏名カナ,備考"]
    for i in range(5200):
        if i % 130 == 0:
            number, kana = doctors[i // 130]
            lines.append(f"{number},{kana},よし")
        elif i % 13 == 1:
            lines.append(f"{8000000 + i},ミシラヌ　ヒト,不明")
        else:
            lines.append(f",ナナシ　ノ　{i},番号なし" if i % 2 else f"1.2E+05,ヒョウケイサン{i},傷")
    data = "\r\n".join(lines).encode()
    return posted(organiser, organiser.post_attendance(SEMINAR, data, "large.csv"))


def stack_doctors(stack, count):
    with stack.sql() as cursor:
        cursor.execute("SELECT register_no, name_kana FROM registration.doctor"
                       " WHERE my_page = 'active' ORDER BY doctor_id LIMIT %s", (count,))
        return cursor.fetchall()


def test_reasons_are_counted_over_all_rows(organiser, large):
    items = reasons_of(organiser, large["upload_id"])
    found = {}
    for row in rows_of(organiser, large["upload_id"]):
        if row["reason"]:
            key = (row["outcome"], row["reason"])
            found[key] = found.get(key, 0) + 1
    assert {(item["outcome"], item["reason"]): item["rows"] for item in items} == found
    assert {"number_missing", "register_no_format", "doctor_unknown"} <= {
        item["reason"] for item in items}
    assert [item["rows"] for item in items] == sorted((item["rows"] for item in items),
                                                      reverse=True)
    first = next(item for item in items if item["reason"] == "number_missing")
    assert first["title"] == "番号がありません" and "どちらか一方" in first["cure"]
    english = Client(organiser.origin, token=organiser.token, language="en")
    first = next(item for item in reasons_of(english, large["upload_id"])
                 if item["reason"] == "number_missing")
    assert first["title"] == "No number" and first["cure"].isascii()


def test_the_cure_has_the_seminars_own_values(stack):
    seminar = json.loads((DATA / "attendance" / "expected" / "14-course.json").read_text())[
        "seminar_no"]
    client = stack.organiser_client(seminar)
    upload = posted(client, client.post_attendance(
        seminar, "register_no,session_no\n384411,\n384411,\n".encode(), "a.csv"))
    item, = reasons_of(client, upload["upload_id"])
    assert (item["reason"], item["rows"]) == ("session_missing", 2)
    sessions = [session["session_no"] for session in
                client.get(f"/seminars/{seminar}").expect(200).json["sessions"]]
    assert all(number in item["cure"] for number in sessions)


def cures(client, seminar, rows):
    data = ("register_no,session_no,kind,units\n" + rows).encode()
    upload = posted(client, client.post_attendance(seminar, data, "a.csv"))
    english = Client(client.origin, token=client.token, language="en")
    return [{item["reason"]: item["cure"] for item in reasons_of(reader, upload["upload_id"])}
            for reader in (client, english)]


def test_the_cure_of_a_group_fits_all_its_rows(stack, organiser):
    """Where sessions give different things, no row's own value is told to the others."""
    several = stack.organiser_client("S2026-0015")
    japanese, english = cures(several, "S2026-0015", "384411,1,XX,\n384411,2,XX,\n384411,2,OPL-S,\n"
                              "384411,1,OPL-S,\n384411,1,,9\n384411,3,,9\n")
    assert set(japanese) == set(english) == {"kind_unknown", "kind_not_offered", "units_differ"}
    for cure in (*japanese.values(), *english.values()):
        assert "CSL" not in cure and "「1」" not in cure and "Write 1" not in cure
    assert "空欄" in japanese["units_differ"] and english["units_differ"].isascii()
    # What all rows share is told.
    assert "CSL-A1" in cures(organiser, SEMINAR, "384411,1,XX,\n")[0]["kind_unknown"]
    single = stack.organiser_client("S2026-0002")
    assert "「1」" in cures(single, "S2026-0002", "384411,1,,9\n")[0]["units_differ"]


def test_a_line_without_a_value_is_no_row(organiser):
    upload = posted(organiser, organiser.post(ATTENDANCE, {"rows": [
        {"register_no": ""}, {"register_no": "9999999"}]}))
    item, = reasons_of(organiser, upload["upload_id"])
    assert (item["reason"], item["rows"]) == ("doctor_unknown", 1)


def test_rows_are_found(stack, organiser, large):
    upload_id = large["upload_id"]
    whole = rows_of(organiser, upload_id)

    def found(query):
        return rows_of(organiser, upload_id, query)

    def quoted(text):
        return "&q=" + urllib.parse.quote(text)

    assert found("&reason=number_missing") == [row for row in whole
                                               if row["reason"] == "number_missing"]
    assert found("&reason=number_missing&outcome=unmatched") == []
    assert found("&reason=no_such_reason") == []
    row = next(row for row in whole if row["outcome"] == "posted")
    assert row in found(quoted(row["register_no"]))
    assert row in found(quoted("0" + row["register_no"]) + "&outcome=posted")
    assert row not in found(quoted(row["register_no"]) + "&outcome=rejected")
    assert row in found(quoted(row["name_kana"].split("　")[0]))
    for number in (1, 2600, 5200):
        assert [hit["row_no"] for hit in found(quoted(str(number)))
                if hit["row_no"] == number] == [number]
    full_width = str(5198).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    assert 5198 in [hit["row_no"] for hit in found(quoted(full_width))]
    assert {hit["line_no"] for hit in found(quoted("3000"))} >= {3000}
    # Hiragana, half-width kana and blanks find the same.
    unknown = [row for row in whole if row["name_kana"] == "ミシラヌ　ヒト"]
    assert len(unknown) > 100
    for text in ("みしらぬひと", "ﾐｼﾗﾇ ﾋﾄ", "シラヌ"):
        assert found(quoted(text)) == unknown
    assert found(quoted("ミシラヌ%")) == []
    assert found(quoted("1.2E+05"))[0]["reason"] == "register_no_format"


def test_wrong_wishes_are_told(organiser, stranger, large):
    path = f"/uploads/{large['upload_id']}/rows"
    for query, name in (("?reason=No%20Reason", "reason"), ("?q=" + "x" * 101, "q")):
        problem = organiser.get(path + query).expect(400).json
        assert [error["parameter"] for error in problem["errors"]] == [name]
    for path in ("reasons", "rows?q=1", "rows?reason=number_missing"):
        stranger.get(f"/uploads/{large['upload_id']}/{path}").expect(404)


# ---- progress ----

class Stream:
    """An open stream of events, read one by one."""

    def __init__(self, url, token, upload_id, last=None):
        parts = urllib.parse.urlsplit(url)
        self.link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=WAIT_S)
        headers = {"Authorization": f"Bearer {token}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.link.request("GET", f"/api/v1/uploads/{upload_id}/events", headers=headers)
        self.answer = self.link.getresponse()

    def next(self):
        """(id, name, data) of the next event; None at the end."""
        fields = {}
        for line in iter(self.answer.readline, b""):
            text = line.decode().rstrip("\r\n")
            if text == "" and "event" in fields:
                return int(fields["id"]), fields["event"], json.loads(fields["data"])
            name, _, value = text.partition(": ")
            if name:
                fields[name] = value
        return None


def judged(upload):
    return sum(upload["counts"].values())


@contextlib.contextmanager
def standing_still(stack, name):
    pid = stack.copy.service(name).process.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_progress_goes_on_at_another_gateway(stack, organiser):
    """A stream is cut by the death of its gateway; the other takes it up where it was."""
    service, other_url = stack.another_gateway()
    try:
        with standing_still(stack, "credit"):
            data = (DATA / "attendance" / "33-course-5000.csv").read_bytes()
            seminar = json.loads((DATA / "attendance" / "expected" / "33-course-5000.json")
                                 .read_text())["seminar_no"]
            client = stack.organiser_client(seminar)
            upload_id = client.post_attendance(seminar, data, "a.csv").expect(202).json["upload_id"]
            stream = Stream(other_url, client.token, upload_id)
            seen, name, upload = stream.next()
            assert (name, judged(upload)) == ("progress", 0)
            service.kill()
            with pytest.raises((http.client.HTTPException, OSError)):
                while stream.next() is not None:
                    pass
                raise ConnectionError("the stream ended with its gateway")
            resumed = Stream(stack.copy.base_url, client.token, upload_id, last=seen)
            assert resumed.answer.status == 200
        ids = [seen]
        while True:
            event = resumed.next()
            assert event is not None, "the stream ended without done"
            ids.append(event[0])
            if event[1] == "done":
                break
        assert ids == sorted(set(ids)), "nothing is told twice"
        assert event[2] == client.upload(upload_id) and event[2]["rows_total"] == 5000
        service, other_url = stack.another_gateway()
        assert Stream(other_url, client.token, upload_id, last=ids[-1]).answer.status == 204
    finally:
        service.stop()
