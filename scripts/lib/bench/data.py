"""Made-up doctors, seminars and attendance for measuring. Seeded: the same call gives the same data."""

import csv
import io
import random

FAMILY = ["サトウ", "スズキ", "タカハシ", "タナカ", "イトウ", "ワタナベ", "ヤマモト", "ナカムラ"]
GIVEN = ["ハルト", "ユイ", "ケンイチ", "ミドリ", "タケシ", "アヤ", "ヒロシ", "ナオ"]
ORGANISERS = {"L": "BENCHL", "S": "BENCHS"}  # of the large and of the small files
# A doctor's credits come newest first: those of small files, which are looked for, on the last day.
HELD_ON = {"L": "2026-10-18", "S": "2026-10-19"}
NOW = "2026-10-20T09:00:00+09:00"
HOURS = [13, 9, 16, 18, 20, 22]  # when the sessions of a seminar begin
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


def register_no(number):
    return 1000000 + number


def kana(number):
    return f"{FAMILY[number % 8]}　{GIVEN[number // 8 % 8]}"


def mamis_no(number):
    nine = f"{100000000 + number:09d}"
    return nine + check_digit(nine)


def table(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def members(count):
    return table(MEMBER_COLUMNS, (
        [mamis_no(number), register_no(number), "2001-04-01", "計測　太郎", kana(number), "", "", "M",
         "1975-01-01", f"bench{number}@example.jp", "13001", "13", "A1", "active"] + [""] * 6
        for number in range(count)))


def member_list(count):
    """A national list: postcards for all, over 47 prefectures and 890 municipal associations; every
    third is certified in one programme, every eighth in the other."""
    def row(number):
        l2_code = f"{number % 47 + 1:02d}"
        certified = [f"{number:07d}", "2023-04-01", "2028-03-31"]
        return ([mamis_no(number), register_no(number), f"{1970 + number % 50}-04-01", "計測　太郎",
                 kana(number), "", "", "MF"[number % 2], f"{1940 + number % 55}-0{number % 9 + 1}-11",
                 f"member{number}@example.jp", f"{l2_code}{number // 47 % 19:03d}", l2_code, "A1",
                 "temp_issued"] + (certified if number % 3 == 0 else [""] * 3)
                + (certified if number % 8 == 0 else [""] * 3))
    return table(MEMBER_COLUMNS, map(row, range(count)))


def seminars(numbers, kind, sessions=1):
    """For import: seminars of these numbers, each with so many sessions on one day."""
    rows = []
    for number in numbers:
        for session in range(sessions):
            hour, day = HOURS[session], HELD_ON[kind]
            rows.append([number, f"計測用研修会 {number}", ORGANISERS[kind], session + 1, "講演",
                         f"{day} {hour:02d}:00", f"{day} {hour + 1:02d}:00", "venue", "10", "",
                         "CME-007:2", ""])
    return table(SEMINAR_COLUMNS, rows)


def organisers():
    return ("organiser_code,name,kind,l1_code,l2_code\n"
            + "".join(f"{code},計測用主催者,other,,\n" for code in ORGANISERS.values()))


def attendance(seminar_no, numbers, session=1, header=True, more=""):
    """One file as an organiser sends it: every optional column filled in, so that all checks run.
    `more`: what an ignored column at the end of each row holds."""
    hour = HOURS[session - 1]
    end = (f",CME-007,2,{hour - 1:02d}:55,{hour + 1:02d}:00,出席{',' + more if more else ''}\n")
    begin = f"{seminar_no},{session},"
    lines = ["研修会番号,セッション番号,医籍登録番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠"
             + (",所属" if more else "") + "\n"] if header else []
    names = [f",{kana(number)}{end}" for number in range(64)]  # kana() repeats after 64
    lines += [f"{begin}{1000000 + number}{names[number % 64]}" for number in numbers]
    return "".join(lines).encode()


def one_file(seminar_no, rows, doctors, seed):
    """One file of so many rows: every doctor in one session after the other."""
    chance = random.Random(seed)
    parts = []
    for session in range(sessions_for(rows, doctors)):
        count = min(doctors, rows - session * doctors)
        parts.append(attendance(seminar_no, chance.sample(range(doctors), count), session + 1,
                                header=session == 0, more="計測総合病院"))
    return b"".join(parts)


def sessions_for(rows, doctors):
    sessions = -(-rows // doctors)
    if sessions > len(HOURS):
        raise SystemExit(f"{rows} rows in one file need {rows // len(HOURS)} doctors or more")
    return sessions


def numbers_of(tag, kind, count):
    return [f"B-{tag}{kind}{number:04d}" for number in range(count)]


def large_files(names, rows, doctors, seed):
    """{seminar_no: doctors' numbers}; no doctor twice in a seminar."""
    chance = random.Random(seed)
    each = rows // len(names)
    if each > doctors:
        raise SystemExit(f"{each} rows a seminar need as many doctors; --doctors says {doctors}")
    return {name: chance.sample(range(doctors), each) for name in names}


def small_files(names, rows, doctors, seed, readers):
    """As large_files(); the first doctor of each, who is looked at, is one of the readers in turn."""
    chance = random.Random(seed)
    return {name: [place % readers] + chance.sample(range(readers, doctors), rows - 1)
            for place, name in enumerate(names)}


def files(numbers):
    """The bytes of each."""
    return {name: attendance(name, those) for name, those in numbers.items()}
