"""Made-up doctors, seminars and attendance for measuring. Seeded: the same call gives the same data."""

import csv
import io
import random

FAMILY = ["サトウ", "スズキ", "タカハシ", "タナカ", "イトウ", "ワタナベ", "ヤマモト", "ナカムラ"]
GIVEN = ["ハルト", "ユイ", "ケンイチ", "ミドリ", "タケシ", "アヤ", "ヒロシ", "ナオ"]
ORGANISERS = {"L": "BENCHL", "S": "BENCHS"}  # of the large and of the small files
MEMBER_COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
                  "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,"
                  "sp_from,sp_to").split(",")
SEMINAR_COLUMNS = ("seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,"
                   "delivery,grace_minutes,capacity,offers,leader_register_no").split(",")


def check_digit(nine):
    """ISO/IEC 7064 MOD 11,10."""
    product = 10
    for digit in nine:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def doctor(number):
    """(register number, MAMIS number, kana) of the n-th doctor."""
    nine = f"{100000000 + number:09d}"
    kana = f"{FAMILY[number % 8]}　{GIVEN[number // 8 % 8]}"
    return 1000000 + number, nine + check_digit(nine), kana


def table(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def members(count):
    rows = []
    for number in range(count):
        register, mamis, kana = doctor(number)
        rows.append([mamis, register, "2001-04-01", "計測　太郎", kana, "", "", "M", "1975-01-01",
                     f"bench{number}@example.jp", "13001", "13", "A1", "active"] + [""] * 6)
    return table(MEMBER_COLUMNS, rows)


def seminars(large, small):
    rows = []
    for kind, count in (("L", large), ("S", small)):
        for number in range(count):
            rows.append([f"B-{kind}{number:04d}", f"計測用研修会 {kind}{number}", ORGANISERS[kind],
                         "1",
                         "講演", "2026-10-18 13:00", "2026-10-18 15:00", "venue", "10", "",
                         "CME-007:2", ""])
    return table(SEMINAR_COLUMNS, rows)


def organisers():
    return ("organiser_code,name,kind,l1_code,l2_code\n"
            + "".join(f"{code},計測用主催者,other,,\n" for code in ORGANISERS.values()))


def attendance(seminar_no, numbers):
    """One file as an organiser sends it: every optional column filled in, so that all checks run."""
    out = ["研修会番号,セッション番号,医籍登録番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠\n"]
    for number in numbers:
        register, _, kana = doctor(number)
        out.append(f"{seminar_no},1,{register},{kana},CME-007,2,12:55,15:00,出席\n")
    return "".join(out).encode()


def large_files(rows, seminar_count, doctors, seed):
    """{seminar_no: doctors' numbers}; no doctor twice in a seminar."""
    chance = random.Random(seed)
    each = rows // seminar_count
    if each > doctors:
        raise SystemExit(f"{each} rows a seminar need as many doctors; --doctors says {doctors}")
    return {f"B-L{number:04d}": chance.sample(range(doctors), each)
            for number in range(seminar_count)}


def small_files(count, rows, doctors, seed):
    """As large_files(); the first doctor of each is looked at, so these are all different."""
    chance = random.Random(seed)
    files = {}
    for number in range(count):
        others = chance.sample(range(count, doctors), rows - 1)
        files[f"B-S{number:04d}"] = [number] + others
    return files
