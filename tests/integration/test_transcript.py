"""A doctor's credits: filters and sums over the whole, transcripts as table and paper, the public
check of their codes, and the open page that hears of new credits."""

import csv
import hashlib
import http.client
import io
import re
import subprocess
import time

import pytest

from stack import DATA

DONE_S = 60
HEAR_S = 60
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def wait_until(what, look, seconds=DONE_S):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"{what} did not come within {seconds} s")


def seminar_of(file):
    with open(DATA / "attendance" / "expected" / (file + ".json"), encoding="utf-8") as opened:
        return re.search(r'"seminar_no": "([^"]+)"', opened.read()).group(1)


def post(stack, file):
    """Posts a sample; gives the upload's id."""
    seminar_no = seminar_of(file)
    client = stack.organiser_client(seminar_no)
    data = (DATA / "attendance" / (file + ".csv")).read_bytes()
    upload_id = client.post_attendance(seminar_no, data, file).expect(202).json["upload_id"]
    wait_until(f"the end of {file}", lambda: client.upload(upload_id)["status"] == "done")
    return upload_id


@pytest.fixture(scope="module")
def doctor(stack):
    """The doctor with most credits of two samples, signed in."""
    post(stack, "14-course")
    post(stack, "15-several-programmes")
    register_no, doctor_id = stack.one(
        "SELECT d.register_no, d.doctor_id FROM credit.ledger l JOIN credit.doctor c"
        " USING (doctor_id) JOIN registration.doctor d USING (doctor_id)"
        " WHERE c.my_page = 'active' GROUP BY 1, 2 ORDER BY count(*) DESC, 2 LIMIT 1")
    client = stack.doctor_client(register_no)
    client.doctor_id = doctor_id
    return client


def all_items(client, query):
    items, cursor, pages = [], "", []
    while True:
        page = client.get(f"/me/credits?limit=2{query}{cursor}").expect(200).json
        items += page["items"]
        pages.append((page["totals"], page["totals_by_year"]))
        if not page["next_cursor"]:
            assert all(sums == pages[0] for sums in pages), "sums follow the page"
            return items, page
        cursor = "&cursor=" + page["next_cursor"]


def summed(items, *names):
    sums = {}
    for item in items:
        if item["status"] == "posted":
            key = tuple(item[name] for name in names)
            sums[key] = sums.get(key, 0) + item["half_units"]
    return sums


def fiscal_year(item):
    year, month = int(item["held_on"][:4]), int(item["held_on"][5:7])
    return year if month >= 4 else year - 1


def check_sums(items, page):
    assert {(each["programme"], each["kind"]): each["half_units"] for each in page["totals"]} == \
        summed(items, "programme", "kind")
    years = [dict(item, year=fiscal_year(item)) for item in items]
    assert {(each["fiscal_year"], each["programme"]): each["half_units"]
            for each in page["totals_by_year"]} == summed(years, "year", "programme")


def test_filters_and_sums(stack, doctor):
    items, page = all_items(doctor, "")
    assert len(items) >= 3
    check_sums(items, page)
    first = items[0]
    for query, fits in (
            (f"&kind={first['kind']}", lambda item: item["kind"] == first["kind"]),
            (f"&programme={first['programme']}",
             lambda item: item["programme"] == first["programme"]),
            ("&status=posted", lambda item: item["status"] == "posted"),
            ("&status=cancelled", lambda item: item["status"] == "cancelled"),
            (f"&q={first['seminar_no'].lower()}",
             lambda item: item["seminar_no"] == first["seminar_no"]),
            (f"&from={first['held_on']}&to={first['held_on']}",
             lambda item: item["held_on"] == first["held_on"]),
            ("&q=no-such-words", lambda item: False)):
        found, page = all_items(doctor, query)
        assert found == [item for item in items if fits(item)], query
        check_sums(found, page)


def test_the_year_begins_in_april(stack, doctor):
    """An entry moved to the last and the first day of a fiscal year."""
    key = "doctor_id = %s AND revision = 0 AND session_id = (SELECT min(session_id) FROM" \
          " credit.ledger WHERE doctor_id = %s)"
    ids = (doctor.doctor_id, doctor.doctor_id)
    held_on = stack.one(f"SELECT held_on FROM credit.ledger WHERE {key}", ids)[0]
    for day, year in (("2026-03-31", 2025), ("2026-04-01", 2026), ("2028-02-29", 2027)):
        with stack.sql() as cursor:
            cursor.execute(f"UPDATE credit.ledger SET held_on = %s WHERE {key}", (day, *ids))
        page = doctor.get(f"/me/credits?from={day}&to={day}").expect(200).json
        assert {each["fiscal_year"] for each in page["totals_by_year"]} == {year}
    with stack.sql() as cursor:
        cursor.execute(f"UPDATE credit.ledger SET held_on = %s WHERE {key}", (held_on, *ids))


def transcript(doctor, kind, query=""):
    answer = doctor.get(f"/me/credits/transcript.{kind}{query}").expect(200)
    found = re.fullmatch(r'attachment; filename="transcript-([0-9A-Z-]{19})\.' + kind + '"',
                         answer.headers["Content-Disposition"])
    assert found, answer.headers["Content-Disposition"]
    return found.group(1), answer.body


def test_the_table(stack, doctor):
    code, body = transcript(doctor, "csv")
    assert body.startswith(b"\xef\xbb\xbf") and body.endswith(b"\r\n")
    assert body.count(b"\n") == body.count(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    items = [item for item in all_items(doctor, "")[0] if item["status"] == "posted"]
    assert len(rows) == len(items)
    assert {row["確認コード"] for row in rows} == {code}
    assert sorted(row["開催日"] for row in rows) == [row["開催日"] for row in rows]
    assert {(row["研修会番号"], row["セッション番号"], row["種別コード"], float(row["単位"]))
            for row in rows} == \
        {(item["seminar_no"], item["session_no"], item["kind"], item["half_units"] / 2)
         for item in items}
    assert hashlib.sha256(body).hexdigest() == \
        stack.client().get(f"/transcripts/{code}").expect(200).json["sha256"]


def test_formulas_are_no_formulas(stack, doctor):
    mine = ("SELECT s.seminar_no FROM credit.ledger JOIN credit.session s USING (session_id)"
            " WHERE doctor_id = %s")
    with stack.sql() as cursor:
        cursor.execute(f"SELECT seminar_no, title FROM credit.seminar WHERE seminar_no IN ({mine})",
                       (doctor.doctor_id,))
        titles = cursor.fetchall()
        cursor.execute("UPDATE credit.seminar SET title = '=HYPERLINK(\"x\")'"
                       f" WHERE seminar_no IN ({mine})", (doctor.doctor_id,))
    try:
        rows = csv.DictReader(io.StringIO(transcript(doctor, "csv")[1].decode("utf-8-sig"),
                                          newline=""))
        assert {row["研修会名"] for row in rows} == {"'=HYPERLINK(\"x\")"}
    finally:
        with stack.sql() as cursor:
            for seminar_no, title in titles:
                cursor.execute("UPDATE credit.seminar SET title = %s WHERE seminar_no = %s",
                               (title, seminar_no))


def words_of(body, tmp_path):
    path = tmp_path / "paper.pdf"
    path.write_bytes(body)
    done = subprocess.run(["pdftotext", "-enc", "UTF-8", "-layout", str(path), "-"], check=True,
                          capture_output=True, timeout=60)
    return done.stdout.decode("utf-8")


def units(half_units):
    return f"{half_units // 2}" + (".5" if half_units % 2 else "")


def test_the_paper(stack, doctor, tmp_path):
    code, body = transcript(doctor, "pdf")
    words = words_of(body, tmp_path)
    me = doctor.get("/me").expect(200).json["doctor"]
    for word in ("単位取得証明書", code, me["mamis_no"], me["register_no"], "2026年11月22日",
                 f"{stack.copy.base_url}/verify", "1/"):
        assert word in words, word
    items, page = all_items(doctor, "")
    flat = words.replace(" ", "")
    for total in page["totals"]:
        assert total["kind_name"].replace(" ", "") + units(total["half_units"]) in flat
    for year in page["totals_by_year"]:
        assert f"{year['fiscal_year']}年度" in flat
    assert flat.count("2026-") >= len([item for item in items if item["status"] == "posted"])


def test_in_english(stack, doctor, tmp_path):
    _, body = transcript(doctor, "pdf", "?lang=en")
    words = words_of(body, tmp_path)
    for word in ("Transcript of credits", "Register number", "22 November 2026",
                 "FY 2026", "certified occupational physician"):
        assert word in words, word
    assert "単位取得証明書" not in words and "年度" not in words
    answer = doctor.request("GET", "/me/credits/transcript.csv", headers={"Accept-Language": "en"})
    assert answer.expect(200).body.decode("utf-8-sig").startswith("Held on,Fiscal year,Programme,")
    assert transcript(doctor, "csv", "?lang=ja")[1].decode("utf-8-sig").startswith("開催日,")
    assert doctor.get("/me/credits/transcript.pdf?lang=fr").status == 400


def test_kinds_are_named_in_the_language_that_is_asked_for(doctor):
    english = {"Accept-Language": "en"}
    page = doctor.request("GET", "/me/credits", headers=english).expect(200).json
    one = page["items"][0]
    path = f"/me/credits/{one['entry_id']}"
    history = doctor.request("GET", path, headers=english).expect(200).json
    for named in [*page["items"], *page["totals"], history, *history["history"]]:
        assert named["kind_name"].isascii(), named
    assert history["kind_name"] == one["kind_name"]
    assert not doctor.get(path).expect(200).json["kind_name"].isascii()


def test_of_one_programme_and_period(stack, doctor):
    items = all_items(doctor, "")[0]
    programme, day = items[0]["programme"], items[0]["held_on"]
    code, _ = transcript(doctor, "pdf", f"?programme={programme}&from={day}&to={day}")
    told = stack.client().get(f"/transcripts/{code}").expect(200).json
    wanted = [item for item in items if (item["programme"], item["held_on"]) == (programme, day)]
    assert (told["programme"], told["from"], told["to"]) == (programme, day, day)
    assert told["entries"] == len(wanted)
    assert {(each["programme"], each["kind"]): each["half_units"] for each in told["totals"]} == \
        summed(wanted, "programme", "kind")
    assert doctor.get("/me/credits/transcript.pdf?programme=XX").status == 400


def test_nothing_to_show_is_shown(stack, doctor, tmp_path):
    code, body = transcript(doctor, "pdf", "?to=2025-04-01")
    assert "該当する単位はありません" in words_of(body, tmp_path)
    assert stack.client().get(f"/transcripts/{code}").expect(200).json["entries"] == 0
    _, body = transcript(doctor, "csv", "?to=2025-04-01")
    assert body.count(b"\r\n") == 1


def test_what_the_public_page_says(stack, doctor):
    code, _ = transcript(doctor, "pdf")
    public = stack.client()
    told = public.get(f"/transcripts/{code}").expect(200).json
    me = doctor.get("/me").expect(200).json["doctor"]
    name = told["name_masked"]
    assert "＊" in name and name[0] == me["name"][0] and name != me["name"]
    assert me["name"] not in str(told) and me["mamis_no"] not in str(told)
    assert (told["code"], told["format"]) == (code, "pdf")
    assert told["issued_at"].startswith("2026-11-22T")
    for typed in (code.lower(), code.replace("-", ""), "%20" + code.replace("-", "%20"),
                  code.replace("0", "O").replace("1", "l")):
        assert public.get(f"/transcripts/{typed}").expect(200).json == told
    with stack.sql() as cursor:
        cursor.execute("SELECT * FROM gateway.transcript")
        kept = str(cursor.fetchall())
    assert code not in kept and me["name"] not in kept and me["mamis_no"] not in kept
    assert me["register_no"] not in kept


def check_digit(body):
    total = 0
    for char in body + "0":
        total <<= 1
        total = (total ^ 0x25 if total & 32 else total) ^ ALPHABET.index(char)
    return ALPHABET[total]


def test_wrong_codes(stack, doctor):
    code, _ = transcript(doctor, "csv")
    public = stack.client()
    other = "A" if code[0] != "A" else "B"
    answer = public.get(f"/transcripts/{other}{code[1:]}").expect(422)
    assert answer.json["code"] == "transcript_code_format"
    for typed in ("1", "no-code", "%E3%81%82", "*" * 100):
        assert public.get(f"/transcripts/{typed}").expect(422).json["code"] == \
            "transcript_code_format"
    well_formed = "ABCDEFGHJKMNPQR"
    answer = public.get(f"/transcripts/{well_formed}{check_digit(well_formed)}").expect(404)
    assert answer.json["code"] == "transcript_unknown"


def test_only_doctors_have_transcripts(stack):
    assert stack.client().get("/me/credits/transcript.pdf").status == 401
    organiser = stack.organiser_client(seminar_of("14-course"))
    assert organiser.get("/me/credits/transcript.csv").status == 403
    assert organiser.get("/me/events").status == 403


class Page:
    """An open page's stream."""

    def __init__(self, stack, client, seen=None):
        self.link = http.client.HTTPConnection(client.host, client.port, timeout=HEAR_S)
        headers = {"Cookie": client.cookie, **({"Last-Event-ID": seen} if seen else {})}
        self.link.request("GET", "/api/v1/me/events", headers=headers)
        self.answer = self.link.getresponse()
        assert self.answer.status == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.seen = None

    def hear(self):
        """The next event's name."""
        name = None
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                self.seen = line[4:]
            elif line.startswith("event: "):
                name = line[7:]
            elif line == "" and name:
                return name

    def hear_until(self, wanted):
        heard = []
        while wanted not in heard:
            heard.append(self.hear())
        return heard

    def close(self):
        self.link.close()


def new_listener(stack, seminar_file):
    """A doctor who stands in a sample that was not posted yet."""
    with open(DATA / "attendance" / (seminar_file + ".csv"), encoding="utf-8") as file:
        numbers = [row["医籍登録番号"] for row in csv.DictReader(file)]
    register_no = stack.one(
        "SELECT d.register_no FROM registration.doctor d WHERE d.my_page = 'active'"
        " AND d.register_no = ANY (%s) AND NOT EXISTS (SELECT FROM credit.ledger l"
        " WHERE l.doctor_id = d.doctor_id) ORDER BY 1 LIMIT 1", (numbers,))[0]
    return stack.doctor_client(register_no)


def test_the_open_page_hears_of_credits(stack, doctor):
    listener = new_listener(stack, "01-clean-utf8")
    page, other = Page(stack, listener), Page(stack, doctor)
    try:
        assert {page.hear(), page.hear()} == {"credits", "standing"}
        assert {other.hear(), other.hear()} == {"credits", "standing"}
        assert listener.get("/me/credits").expect(200).json["items"] == []
        before = page.seen
        post(stack, "01-clean-utf8")
        page.hear_until("credits")
        assert listener.get("/me/credits").expect(200).json["items"] != []
        assert page.seen != before
    finally:
        page.close()
        other.close()
    # Back with what was seen before: told at once; with what was seen last: nothing.
    back = Page(stack, listener, before)
    try:
        back.hear_until("credits")
    finally:
        back.close()


def test_checks_are_limited(stack, doctor):
    """The last of this file: the address has had enough for a minute afterwards."""
    public = stack.client()
    for _ in range(70):  # over two windows at most
        answer = public.get("/transcripts/1").expect(422, 429)
        if answer.status == 429:
            break
    answer.expect(429)
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json["code"] == "too_many_requests"
