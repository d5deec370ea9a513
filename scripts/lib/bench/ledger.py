"""A ledger as it is after years: many entries of every doctor."""

import threading
import time

from . import data

CONNECTIONS = 2  # that fill it
ANNOUNCED = 5_000_000  # entries of sessions that are announced at a time
PART_BYTES = 512 * 2**20  # as credit's setting ledger_part_mib is
# One session in which the first `most` doctors took part, as if one upload had posted it.
FILL = """
WITH upload AS (
    INSERT INTO credit.upload (upload_id, seminar_no, organiser_code, file_name, sha256, bytes,
                               received_at, status, rows_total, chunks_total, posted, done_at)
    VALUES (gen_random_uuid(), %(seminar_no)s, %(organiser)s, 'fill.csv', '', 0, %(at)s, 'done',
            %(most)s, 0, %(most)s, %(at)s)
    RETURNING upload_id, upload_no),
known AS (
    INSERT INTO notification.upload (upload_id, chunks_total, released)
    SELECT upload_id, 0, true FROM upload)
INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on, half_units,
                           revision, programme, kind)
SELECT doctor_id, session_id, upload_no, %(at)s, row_number() OVER (), held_on, 4, 0, 'CME',
       'CME-007'
FROM (SELECT doctor_id FROM credit.doctor ORDER BY doctor_id LIMIT %(most)s) AS d, upload,
     credit.session
WHERE seminar_no = %(seminar_no)s
"""


def fill(system, tag, target, seconds):
    """Up to `target` entries, or as many as fit into `seconds`, as if a checkpoint had just been;
    gives how many there are. The sessions of a few million entries are announced at a time, and
    between them credit's look at the ledger, every ten minutes, has its turn."""
    doctors = system.options.doctors
    missing = max(0, target - system.ledger_rows())
    names = data.numbers_of(tag, "F", -(-missing // doctors))
    end = time.monotonic() + seconds
    at_once = -(-ANNOUNCED // doctors)
    for begin in range(0, len(names), at_once):
        some = names[begin:begin + at_once]
        system.seminars(some, "L")
        system.settle()
        _post(system, [(name, min(doctors, missing - (begin + at) * doctors))
                       for at, name in enumerate(some)], end)
        system.sql("VACUUM ANALYZE credit.ledger")
        tend(system)
    system.sql("CHECKPOINT")
    system.settle()
    return system.ledger_rows()


def tend(system):
    """What credit does every ten minutes: by the first look a part is made, by the next begun."""
    for _ in range(2):
        system.sql("SELECT credit.ledger_tend(%s)", PART_BYTES)


def _post(system, waiting, end):
    lock, wrong = threading.Lock(), []

    def work():
        try:
            with system.copy.postgres.connect() as connection, connection.cursor() as cursor:
                while time.monotonic() < end:
                    with lock:
                        if not waiting:
                            return
                        name, most = waiting.pop()
                    cursor.execute(FILL, {"seminar_no": name, "most": most, "at": data.NOW,
                                          "organiser": data.ORGANISERS["L"]})
        except Exception as error:  # told by the thread that waits for this one
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
