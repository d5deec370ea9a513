"""Every sample file through the public address, with the outcomes that the rules give."""

import csv
import io
import json
import pathlib
import time

import pytest

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "attendance"
EXPECTED = sorted((DATA / "expected").glob("*.json"))
DONE_S = 30


@pytest.fixture
def clean_ledger(stack):
    """Each file stands for itself: what earlier ones posted is taken away."""
    with stack.sql() as cursor:
        cursor.execute("TRUNCATE credit.ledger, credit.upload, credit.upload_part,"
                       " credit.upload_chunk, credit.upload_row")
    return stack


def wait_until_done(client, upload_id):
    until = time.monotonic() + DONE_S
    while time.monotonic() < until:
        state = client.upload(upload_id)
        if state["status"] in ("done", "refused"):
            return state
        time.sleep(0.02)
    pytest.fail(f"upload {upload_id} is still {state['status']} after {DONE_S} s")


def all_rows(client, upload_id):
    rows, cursor = [], ""
    while True:
        page = client.get(f"/uploads/{upload_id}/rows?limit=200{cursor}").expect(200).json
        rows += page["items"]
        if not page["next_cursor"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def ledger_of(stack, upload_id):
    """{row_no: [(programme, kind, half units)]} of an upload, from the table itself."""
    with stack.sql() as cursor:
        cursor.execute(
            "SELECT l.row_no, l.programme, l.kind, l.half_units FROM credit.ledger l"
            " JOIN credit.upload u USING (upload_no) WHERE u.upload_id = %s", (upload_id,))
        entries = {}
        for row_no, *credit in cursor.fetchall():
            entries.setdefault(row_no, []).append(tuple(credit))
    return entries


def check_row(row, wanted):
    for name in ("row_no", "line_no", "outcome", "reason"):
        assert row[name] == wanted[name], (name, row, wanted)
    assert [problem["code"] for problem in row["problems"]] == wanted["problems"]
    if row["outcome"] in ("rejected", "unmatched"):
        for problem in row["problems"]:
            assert problem["detail"] and problem["cure"]
    if wanted["register_no"] is not None:
        assert row["register_no"] == wanted["register_no"]
    if wanted["reason"] == "same_upload":
        assert row["same_as_row"] is not None and row["same_as_row"] < row["row_no"]


def result_of(client, upload_id):
    body = client.get(f"/uploads/{upload_id}/result.csv").expect(200).body.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body, newline="")))


def check_words(client, upload_id):
    """Whoever reads why rows did not post meets no gap that was left to fill in."""
    groups = client.get(f"/uploads/{upload_id}/reasons").expect(200).json["items"]
    told = [group["cure"] for group in groups]
    for line in result_of(client, upload_id):
        told += [line["説明"], line["直し方"]]
    assert not [words for words in told if "{" in words or "0までに" in words]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_sample_file(clean_ledger, expected):
    stack = clean_ledger
    wanted = json.loads(expected.read_text(encoding="utf-8"))
    client = stack.organiser_client(wanted["seminar_no"])
    data = (DATA / wanted["file"]).read_bytes()
    answer = client.post_attendance(wanted["seminar_no"], data, wanted["file"]).expect(202)
    state = wait_until_done(client, answer.json["upload_id"])
    assert state["status"] == wanted["status"]
    if wanted["status"] == "refused":
        assert state["problem"]["code"] == wanted["code"]
        assert state["problem"].get("line") == wanted["line"]
        assert state["problem"]["detail"]
        return
    for name in ("encoding", "delimiter", "ignored_columns", "rows_total", "counts"):
        if wanted.get(name) is not None:
            assert state[name] == wanted[name], name
    rows = all_rows(client, state["upload_id"])
    assert [row["row_no"] for row in rows] == list(range(1, wanted["rows_total"] + 1))
    entries = ledger_of(stack, state["upload_id"])
    for row, should in zip(rows, wanted.get("rows") or []):
        check_row(row, should)
        posted = {(c["programme"], c["kind"], c["half_units"]) for c in should["credits"]}
        assert set(entries.get(row["row_no"], [])) == (posted if row["outcome"] == "posted" else set())
    assert len(entries) == state["counts"]["posted"]
    check_words(client, state["upload_id"])


def test_the_same_file_again_changes_nothing(clean_ledger):
    stack = clean_ledger
    data = (DATA / "01-clean-utf8.csv").read_bytes()
    client = stack.organiser_client("S2026-0001")
    first = client.post_attendance("S2026-0001", data, "a.csv").expect(202).json["upload_id"]
    wait_until_done(client, first)
    before = ledger_of(stack, first)
    again = client.post_attendance("S2026-0001", data, "a.csv").expect(202).json["upload_id"]
    state = wait_until_done(client, again)
    assert state["counts"]["already_posted"] == state["rows_total"] == 60
    assert {row["reason"] for row in all_rows(client, again)} == {"earlier_upload"}
    assert ledger_of(stack, first) == before
    assert not ledger_of(stack, again)


def test_the_result_file_can_be_sent_again(clean_ledger):
    stack = clean_ledger
    data = (DATA / "11-many-errors.csv").read_bytes()
    client = stack.organiser_client("S2026-0001")
    first = client.post_attendance("S2026-0001", data, "a.csv").expect(202).json["upload_id"]
    counts = wait_until_done(client, first)["counts"]
    result = client.get(f"/uploads/{first}/result.csv").expect(200).body
    assert result.startswith(b"\xef\xbb\xbf") and result.count(b"\r\n") >= 36
    only = client.get(f"/uploads/{first}/result.csv?only=fix").expect(200).body
    fixable = counts["rejected"] + counts["unmatched"]
    again = client.post_attendance("S2026-0001", only, "fix.csv").expect(202).json["upload_id"]
    state = wait_until_done(client, again)
    assert state["rows_total"] == fixable
    # Rows of another length were cut or padded to the header, which mends them.
    mended = [row for row in all_rows(client, first) if row["reason"] == "field_count"]
    assert state["counts"]["posted"] == len(mended)
    assert {"結果", "理由", "説明", "直し方"} <= set(state["ignored_columns"])


def test_what_became_of_names_is_told(clean_ledger):
    """A ? that CP932 left is a note beside whatever became of the row; small kana are a hint."""
    client = clean_ledger.organiser_client("S2026-0001")
    with open(DATA.parent / "members.csv", encoding="utf-8", newline="") as file:
        number, kana = next((row["register_no"], row["name_kana"]) for row in csv.DictReader(file)
                            if row["my_page"] == "active" and "ョ" in row["name_kana"])
    large = kana.replace("ョ", "ヨ")
    text = (f"医籍登録番号,氏名カナ,氏名,出欠\r\n{number},{kana},?橋　凛,\r\n"
            f"{number},{large},?橋　凛,\r\n{number},{kana},?橋　凛,欠席\r\n{number},{kana},橋,\r\n")
    answer = client.post_attendance("S2026-0001", text.encode("cp932"), "a.csv").expect(202)
    upload_id = answer.json["upload_id"]
    counts = wait_until_done(client, upload_id)["counts"]
    assert (counts["posted"], counts["unmatched"], counts["absent"]) == (1, 1, 1)
    lost, small, absent, again = result_of(client, upload_id)
    assert "氏名「?橋　凛」" in lost["説明"] and "CSV UTF-8" in lost["直し方"]
    assert small["説明"].startswith(f"「{large}」は、小さいカナ") and "「?橋　凛」" in small["説明"]
    assert "氏名カナは空欄でも" in small["直し方"] and "CSV UTF-8" in small["直し方"]
    assert "?" not in absent["説明"] + again["説明"] + again["直し方"]
    problem, = all_rows(client, upload_id)[1]["problems"]
    assert problem["code"] == "kana_mismatch" and "小さいカナ" in problem["detail"]


def test_an_unknown_seminar_is_refused_at_once(stack):
    client = stack.organiser_client("S2026-0001")
    answer = client.post_attendance("S9999-9999", b"a,b\n", "a.csv").expect(404)
    assert answer.json["code"] == "seminar_unknown"


def test_a_too_large_file_is_refused_before_its_body(stack):
    client = stack.organiser_client("S2026-0001")
    answer = client.request("POST", "/seminars/S2026-0001/attendance", b"x",
                            {"Content-Type": "text/csv", "Content-Length": str(65 * 1024 * 1024)})
    assert answer.expect(413).json["code"] == "file_too_large"


def test_the_same_key_gives_the_first_answer(clean_ledger):
    stack = clean_ledger
    data = (DATA / "01-clean-utf8.csv").read_bytes()
    client = stack.organiser_client("S2026-0001")
    key = f"key-{time.monotonic_ns()}"
    first = client.post_attendance("S2026-0001", data, "a.csv", key=key).expect(202).json
    again = client.post_attendance("S2026-0001", data, "a.csv", key=key).expect(202).json
    assert again["upload_id"] == first["upload_id"]
    other = client.post_attendance("S2026-0001", data + b"1,,,\n", "a.csv", key=key)
    assert other.expect(409).json["code"] == "idempotency_conflict"
