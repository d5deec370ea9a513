"""The ceiling: a bare COPY of the same rows into a fixed table with three indexes."""

import io
import time

TABLE = """
CREATE TABLE bench_ceiling (
    entry_id    bigint PRIMARY KEY,
    doctor_id   bigint NOT NULL,
    session_id  bigint NOT NULL,
    programme   text NOT NULL,
    kind        text NOT NULL,
    half_units  smallint NOT NULL,
    entered_at  timestamptz NOT NULL,
    left_at     timestamptz NOT NULL,
    upload_id   bigint NOT NULL,
    row_no      int NOT NULL
);
CREATE UNIQUE INDEX ON bench_ceiling (doctor_id, session_id, programme);
CREATE INDEX ON bench_ceiling (upload_id, row_no);
"""


def rows_text(files):
    out = io.StringIO()
    entry = 0
    for upload, numbers in enumerate(files.values()):
        for row, number in enumerate(numbers):
            entry += 1
            out.write(f"{entry}\t{number}\t{upload}\tCME\tCME-007\t4\t2026-10-18 12:55+09\t"
                      f"2026-10-18 15:00+09\t{upload}\t{row + 1}\n")
    out.seek(0)
    return out, entry


def measure(connection, files):
    """Rows a second of one COPY in one transaction, then the table is dropped."""
    text, count = rows_text(files)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_ceiling;" + TABLE)
        connection.commit()
        begun = time.monotonic()
        cursor.copy_expert("COPY bench_ceiling FROM STDIN", text)
        connection.commit()
        seconds = time.monotonic() - begun
        cursor.execute("DROP TABLE bench_ceiling")
        connection.commit()
    return count / seconds
