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
READ_BYTES = 1024 * 1024


def rows_text(files):
    """The rows of {seminar_no: doctors' numbers} in the order of the files; (bytes, count)."""
    lines = []
    for upload, numbers in enumerate(files.values()):
        end = f"\t{upload}\tCME\tCME-007\t4\t2026-10-18 12:55+09\t2026-10-18 15:00+09\t{upload}\t"
        first = len(lines) + 1
        lines += [f"{first + row}\t{number}{end}{row + 1}\n" for row, number in enumerate(numbers)]
    return "".join(lines).encode(), len(lines)


def measure(connection, files):
    """Rows a second of one COPY in one transaction, then the table is dropped."""
    text, count = rows_text(files)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_ceiling;" + TABLE)
        connection.commit()
        begun = time.monotonic()
        cursor.copy_expert("COPY bench_ceiling FROM STDIN", io.BytesIO(text), READ_BYTES)
        connection.commit()
        seconds = time.monotonic() - begun
        cursor.execute("DROP TABLE bench_ceiling")
        connection.commit()
    return count / seconds
