"""Doctors and large files for the crash test; its own copy of what must come of them."""

import csv
import io

ORGANISER = "CRASH"
DOCTORS = 12000
WITH_MAIL = 60  # doctors who get mails; the others have no address
MEMBER_COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
                  "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,"
                  "sp_from,sp_to").split(",")


def register_no(number):
    return 2000000 + number


def mamis_no(number):
    nine = f"{200000000 + number:09d}"
    product = 10
    for digit in nine:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return nine + str((11 - product) % 10)


def members():
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(MEMBER_COLUMNS)
    for number in range(DOCTORS):
        email = f"crash{number}@example.jp" if number < WITH_MAIL else ""
        writer.writerow([mamis_no(number), register_no(number), "2001-04-01", "試験　太郎",
                         "シケン　タロウ", "", "", "M", "1975-01-01", email, "13001", "13", "A1",
                         "active"] + [""] * 6)
    return out.getvalue()


def seminars(names):
    rows = ["seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,delivery,"
            "grace_minutes,capacity,offers,leader_register_no"]
    rows += [f"{name},障害試験 {name},{ORGANISER},1,講演,2026-10-18 13:00,2026-10-18 15:00,venue,10,,"
             "OPL-S:2;CME-007:1.5," for name in names]
    return "\n".join(rows) + "\n"


def organisers():
    return f"organiser_code,name,kind,l1_code,l2_code\n{ORGANISER},障害試験用主催者,other,,\n"


def attendance():
    """All doctors once, and some rows that must not post: their outcomes are known beforehand."""
    rows = ["医籍登録番号,氏名カナ,出欠"]
    for number in range(DOCTORS):
        rows.append(f"{register_no(number)},シケン　タロウ,出席")
        if number % 100 == 50:
            rows.append(f"{register_no(number)},シケン　タロウ,出席")  # same_upload
        if number % 200 == 70:
            rows.append("9999999,シケン　タロウ,出席")  # doctor_unknown
        if number % 200 == 90:
            rows.append("12-3,シケン　タロウ,出席")  # register_no_format
    return ("\n".join(rows) + "\n").encode()


COUNTS = {"posted": DOCTORS, "already_posted": DOCTORS // 100, "waiting": 0,
          "unmatched": DOCTORS // 200, "absent": 0, "rejected": DOCTORS // 200}
