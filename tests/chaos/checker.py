"""Whether everything is there that the model says, once, and nothing else: plain SQL and the API.

Shares no code with the services. The model's rows go into a schema `chaos` of their own; every
check is one statement that gives (how many were looked at, how many differ, an example).
"""

import io
import time

from running.api import Client

TABLES = """
DROP SCHEMA IF EXISTS chaos CASCADE;
CREATE SCHEMA chaos;
CREATE UNLOGGED TABLE chaos.file (file_no int, upload_id uuid, seminar_no text, sha256 text,
    encoding text, delimiter text, rows bigint, counts bigint[], status text);
CREATE UNLOGGED TABLE chaos.address (register_no int);
CREATE UNLOGGED TABLE chaos.merge (kept int, closed int);
CREATE UNLOGGED TABLE chaos.row (file_no int, row_no int, outcome text, reason text);
CREATE UNLOGGED TABLE chaos.entry (file_no int, row_no int, register_no int, session_no text,
    programme text COLLATE "C", kind text COLLATE "C", half_units int, revision int);
"""
# The model's entries in the ledger's words, so that comparing is one join.
WANT = """
CREATE UNLOGGED TABLE chaos.upload AS
    SELECT f.file_no, u.upload_no, u.upload_id FROM chaos.file f LEFT JOIN credit.upload u
        USING (upload_id);
CREATE UNLOGGED TABLE chaos.want AS
    SELECT d.doctor_id, s.session_id, e.programme, e.revision, e.kind, e.half_units, u.upload_no,
           u.upload_id, e.row_no, e.register_no
    FROM chaos.entry e JOIN chaos.file f USING (file_no) JOIN chaos.upload u USING (file_no)
    LEFT JOIN registration.doctor d ON d.register_no = e.register_no::text
    LEFT JOIN credit.session s ON s.seminar_no = f.seminar_no AND s.session_no = e.session_no;
CREATE INDEX ON chaos.want (doctor_id, session_id, programme, revision);
ANALYZE chaos.want;
ANALYZE chaos.row;
"""

_LEDGER_JOIN = ("FROM chaos.want w FULL JOIN credit.ledger l"
                " USING (doctor_id, session_id, programme, revision)")
_WHO = ("format('doctor %s session %s %s revision %s', doctor_id, session_id, programme,"
        " revision)")

# name -> statement
CHECKS = {
    "every accepted file is an upload":
        "SELECT count(*), count(*) FILTER (WHERE upload_no IS NULL),"
        " min(file_no::text) FILTER (WHERE upload_no IS NULL) FROM chaos.upload",
    "no upload that nobody sent": "SELECT count(*), count(*) FILTER (WHERE f.file_no IS NULL),"
        " min(u.upload_id::text) FILTER (WHERE f.file_no IS NULL)"
        " FROM credit.upload u LEFT JOIN chaos.file f USING (upload_id)",
    "every upload is done or undone, its bytes and counts are the model's":
        "SELECT count(*), count(*) FILTER (WHERE wrong),"
        " min(format('%s %s %s', upload_id, status, counts)) FILTER (WHERE wrong) FROM ("
        " SELECT upload_id, u.status, u.counts, u.status <> f.status OR u.sha256 <> f.sha256"
        "  OR u.encoding IS DISTINCT FROM f.encoding OR u.delimiter IS DISTINCT FROM f.delimiter"
        "  OR rows_total IS DISTINCT FROM f.rows OR u.counts <> f.counts AS wrong"
        " FROM chaos.file f JOIN (SELECT upload_id, status, encode(sha256, 'hex') AS sha256,"
        "  encoding, delimiter, rows_total, ARRAY[posted, already_posted, waiting, unmatched,"
        "  absent, rejected] AS counts FROM credit.upload) u USING (upload_id)) compared",
    "every row's outcome and reason is the model's":
        "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('file %s row %s: %s %s, not %s"
        " %s', file_no, row_no, g_outcome, g_reason, w_outcome, w_reason)) FILTER (WHERE wrong)"
        " FROM (SELECT file_no, row_no, w.outcome AS w_outcome, w.reason AS w_reason,"
        "  g.outcome AS g_outcome, g.reason AS g_reason, (w.outcome, w.reason)"
        "  IS DISTINCT FROM (g.outcome, g.reason) AS wrong"
        " FROM chaos.row w FULL JOIN ("
        "  SELECT file_no, row_no, outcome, reason FROM credit.upload_row JOIN chaos.upload"
        "   USING (upload_no)"
        "  UNION ALL SELECT file_no, row_no, 'posted', NULL FROM chaos.upload"
        "   JOIN credit.upload_chunk USING (upload_no), unnest(posted_row) AS row_no"
        " ) g USING (file_no, row_no)) compared",
    "0 lost: every credit of the model stands in the ledger":
        f"SELECT count(*), count(*) FILTER (WHERE l.kind IS NULL), min({_WHO})"
        f" FILTER (WHERE l.kind IS NULL) {_LEDGER_JOIN} WHERE w.kind IS NOT NULL",
    "0 double: nothing stands in the ledger beside the model":
        f"SELECT count(*), count(*) FILTER (WHERE w.kind IS NULL), min({_WHO})"
        f" FILTER (WHERE w.kind IS NULL) {_LEDGER_JOIN} WHERE l.kind IS NOT NULL",
    "every credit came from its own row, with its kind and units":
        f"SELECT count(*), count(*) FILTER (WHERE wrong), min({_WHO}) FILTER (WHERE wrong) FROM ("
        " SELECT doctor_id, session_id, programme, revision, (w.kind, w.half_units, w.upload_no,"
        "  w.row_no) IS DISTINCT FROM (l.kind, l.half_units::int, l.upload_no, l.row_no) AS wrong"
        " FROM chaos.want w JOIN credit.ledger l USING (doctor_id, session_id, programme, revision)"
        ") compared",
    "revisions alternate without a gap":
        f"SELECT count(*), count(*) FILTER (WHERE wrong), min({_WHO}) FILTER (WHERE wrong) FROM ("
        " SELECT *, revision <> place - 1 OR (revision % 2 = 0) <> (half_units > 0)"
        "  OR (revision % 2 = 1 AND half_units <> -before) AS wrong FROM ("
        "  SELECT doctor_id, session_id, programme, revision, half_units,"
        "   row_number() OVER entry AS place, lag(half_units) OVER entry AS before"
        "  FROM credit.ledger WINDOW entry AS (PARTITION BY doctor_id, session_id, programme"
        "   ORDER BY revision)) e) judged",
    "doctors who were on record twice are one, and nothing stands for the other":
        "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('%s into %s', register_no,"
        " merged_into)) FILTER (WHERE wrong) FROM (SELECT d.register_no, d.merged_into,"
        "  (d.merged_into, d.my_page, c.kept_id) IS DISTINCT FROM (k.doctor_id, 'closed',"
        "  k.doctor_id) OR coalesce((SELECT bool_or(rest <> 0) FROM (SELECT sum(half_units) AS rest"
        "   FROM credit.ledger l WHERE l.doctor_id = d.doctor_id GROUP BY session_id, programme)"
        "   AS sums), false) AS wrong"
        " FROM chaos.merge m JOIN registration.doctor k ON k.register_no = m.kept::text"
        " FULL JOIN (SELECT * FROM registration.doctor WHERE merged_into IS NOT NULL) d"
        "  ON d.register_no = m.closed::text LEFT JOIN credit.merge c ON c.closed_id = d.doctor_id"
        ") judged",
    "renewal's copy is the model's":
        f"SELECT count(*), count(*) FILTER (WHERE wrong), min({_WHO}) FILTER (WHERE wrong) FROM ("
        " SELECT doctor_id, session_id, programme, revision, (w.kind, w.half_units)"
        "  IS DISTINCT FROM (c.kind, c.half_units) AS wrong FROM (SELECT * FROM chaos.want"
        "  WHERE programme IN ('OP', 'SP')) w FULL JOIN renewal.credit c"
        " USING (doctor_id, session_id, programme, revision)) compared",
    # What was taken back before its mail went out may have none.
    "one mail for each upload and doctor with an address":
        "SELECT count(*), count(*) FILTER (WHERE wrong),"
        " min(format('upload %s doctor %s: %s mails', upload_id, doctor_id, mails))"
        " FILTER (WHERE wrong) FROM (SELECT upload_id, doctor_id,"
        " mails, stands IS NULL OR ids <> mails OR mails > 1 OR (stands AND mails IS NULL) AS wrong"
        " FROM (SELECT upload_id, doctor_id, bool_or(NOT EXISTS (SELECT FROM chaos.want c WHERE"
        "   (c.doctor_id, c.session_id, c.programme, c.revision) = (w.doctor_id, w.session_id,"
        "   w.programme, w.revision + 1))) AS stands FROM chaos.want w JOIN chaos.address"
        "  USING (register_no) WHERE revision % 2 = 0 GROUP BY 1, 2) w"
        " FULL JOIN (SELECT upload_id, to_doctor AS doctor_id, count(*) AS mails,"
        "  count(DISTINCT message_id) AS ids FROM notification.mail WHERE kind = 'M23'"
        "   AND to_doctor IN (SELECT doctor_id FROM chaos.address JOIN registration.doctor d ON"
        "    d.register_no = address.register_no::text)"
        "  GROUP BY 1, 2) m USING (upload_id, doctor_id)) compared",
    # To doctors with an address: what posts after an upload's end gathers for ten minutes, and in
    # this world only others have that. A second end in doubt is the last: there is no third copy.
    "every mail came to its end":
        "SELECT count(*), count(*) FILTER (WHERE wrong),"
        " min(format('%s %s', occasion, state)) FILTER (WHERE wrong) FROM (SELECT *, NOT (state"
        " IN ('delivered', 'suppressed', 'bounced') OR (state = 'expired' AND ambiguous)) AS wrong"
        " FROM notification.mail WHERE to_doctor IN (SELECT doctor_id FROM chaos.address"
        "  JOIN registration.doctor d ON d.register_no = address.register_no::text)) judged",
    "every event was sent": "SELECT count(*), count(*) FILTER (WHERE sent_at IS NULL),"
        " min(format('%s %s', type, event_id)) FILTER (WHERE sent_at IS NULL)"
        " FROM (SELECT * FROM gateway.outbox UNION ALL SELECT * FROM credit.outbox) o",
    "no dead letter": "SELECT count(*), count(*), min(format('%s %s: %s', service, type, detail))"
        " FROM (SELECT 'credit' AS service, type, detail FROM credit.dead_letter UNION ALL"
        " SELECT 'renewal', type, detail FROM renewal.dead_letter UNION ALL"
        " SELECT 'notification', type, detail FROM notification.dead_letter UNION ALL"
        " SELECT 'registration', type, detail FROM registration.dead_letter) d",
}
# What may still be on its way when posting is done.
MAY_ARRIVE = {"renewal's copy is the model's",
              "one mail for each upload and doctor with an address",
              "every mail came to its end", "every event was sent"}

# Versions that were seen while faults went on; an older one after a newer one is noted. Logged: it
# has to outlive PostgreSQL's crashes.
SEEN = """
CREATE SCHEMA IF NOT EXISTS chaos_seen;
CREATE TABLE chaos_seen.version (what text, id text, version bigint, fell bigint
    NOT NULL DEFAULT 0, PRIMARY KEY (what, id));
"""
_NOTE = ("INSERT INTO chaos_seen.version AS v (what, id, version) {source}"
         " ON CONFLICT (what, id) DO UPDATE SET version = greatest(v.version, excluded.version),"
         " fell = v.fell + (excluded.version < v.version)::int"
         " WHERE excluded.version <> v.version")
NOTE_OPEN = _NOTE.format(source="SELECT 'upload', upload_id::text, version * 10 + CASE status WHEN"
                                " 'received' THEN 0 WHEN 'reading' THEN 1 WHEN 'posting' THEN 2"
                                " ELSE 3 END FROM credit.upload WHERE upload_id = ANY (%s::uuid[])")
NOTE_PEOPLE = _NOTE.format(
    source="SELECT 'credit.doctor', doctor_id::text, version FROM credit.doctor UNION ALL"
           " SELECT 'renewal.doctor', doctor_id::text, version FROM renewal.doctor UNION ALL"
           " SELECT 'notification.doctor', doctor_id::text, version FROM notification.doctor"
           " UNION ALL SELECT 'credit.certificate', doctor_id || programme, version"
           " FROM credit.certificate")
FELL = "SELECT count(*), count(*) FILTER (WHERE fell > 0), min(what || ' ' || id) FILTER (WHERE" \
       " fell > 0) FROM chaos_seen.version"
ORDER = ["posted", "already_posted", "waiting", "unmatched", "absent", "rejected"]


class Checker:
    def __init__(self, connection, world):
        self.connection, self.world = connection, world
        self.red = []
        self.quiet = False

    def say(self, name, looked_at, differ, example=None):
        if not self.quiet:
            print(f"  {'ok ' if not differ else 'RED'}  {name} ({looked_at:,} looked at)"
                  + (f": {differ:,} differ, e.g. {example}" if differ else ""), flush=True)
        if differ:
            self.red.append(name)

    # ---- the model ----

    def load(self):
        files = [file for file in self.world.files if file.upload_id is not None]
        with self.connection.cursor() as cursor:
            cursor.execute(TABLES)
            lines = ["\t".join([str(file.number), file.upload_id, file.seminar.no, file.sha256,
                                file.encoding, file.delimiter.replace("\t", "\\t"),
                                str(file.rows),
                                "{" + ",".join(str(file.counts[name]) for name in ORDER) + "}",
                                file.status]) + "\n" for file in files]
            cursor.copy_expert("COPY chaos.file FROM STDIN", io.StringIO("".join(lines)))
            doctors = self.world.doctors
            cursor.execute("INSERT INTO chaos.address SELECT unnest(%s)",
                           ([number for number, mail in zip(doctors.register, doctors.mail)
                             if mail],))
            cursor.execute("INSERT INTO chaos.merge SELECT * FROM unnest(%s::int[], %s::int[])",
                           tuple([doctors.register[pair[side]] for pair in self.world.merged]
                                 for side in (0, 1)))
            for table, name in (("row", "rows_text"), ("entry", "entries_text")):
                text = io.StringIO("".join(getattr(file, name) for file in files))
                cursor.copy_expert(f"COPY chaos.{table} FROM STDIN", text)
            cursor.execute(WANT)

    # ---- SQL ----

    def look(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def tables(self, wait_s):
        """Every check once; what may be on its way is awaited, all of it together `wait_s`."""
        until = time.monotonic() + wait_s
        for name, statement in CHECKS.items():
            looked_at, differ, example = self.look(statement)
            while differ and name in MAY_ARRIVE and time.monotonic() < until:
                time.sleep(0.5)
                looked_at, differ, example = self.look(statement)
            self.say(name, looked_at, differ, example)
        self.say("versions never went back", *self.look(FELL))
        return self

    def find(self):
        """The names of the checks that are red now, without a word; nothing is awaited."""
        before, self.red, self.quiet = self.red, [], True
        try:
            self.tables(0)
            return self.red
        finally:
            self.red, self.quiet = before, False

    # ---- the API ----

    def pages(self, client, path):
        cursor, mark = "", "&" if "?" in path else "?"
        while cursor is not None:
            page = client.get(f"{path}{mark}limit=100" + (f"&cursor={cursor}" if cursor else ""))
            page = page.expect(200).json
            yield from page["items"]
            cursor = page["next_cursor"]

    def uploads_api(self, client, rows_of):
        """Every upload as the API tells it; every row of some of them."""
        files = [file for file in self.world.files if file.upload_id is not None]
        wrong = []
        for file in files:
            told = client.upload(file.upload_id)
            if (told["status"], told["rows_total"], told["counts"], told["encoding"],
                    told["seminar_no"], told["problem"]) != (
                        file.status, file.rows, file.counts, file.encoding, file.seminar.no, None):
                wrong.append(told)
        self.say("API: every upload as the model has it", len(files), len(wrong), wrong[:1])
        count, wrong = 0, []
        for file in rows_of:
            wanted = {}
            for line in file.rows_text.splitlines():
                _, row_no, outcome, reason = line.split("\t")
                wanted[int(row_no)] = (outcome, None if reason == "\\N" else reason)
            for item in self.pages(client, f"/uploads/{file.upload_id}/rows"):
                count += 1
                if wanted.pop(item["row_no"], None) != (item["outcome"], item["reason"]):
                    wrong.append((file.upload_id, item["row_no"], item["outcome"], item["reason"]))
            wrong += [(file.upload_id, row_no, "missing") for row_no in wanted]
        self.say("API: rows of some uploads", count, len(wrong), wrong[:1])

    def doctors_api(self, base_url, doctors, password):
        """What some doctors see is what the model gives them, and the totals are its sums."""
        count, wrong = 0, []
        for n in doctors:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT f.seminar_no, e.session_no, e.programme, e.kind, e.half_units"
                    " FROM chaos.entry e JOIN chaos.file f USING (file_no) WHERE register_no = %s"
                    " AND revision %% 2 = 0 AND NOT EXISTS (SELECT FROM chaos.entry c"
                    "  WHERE (c.file_no, c.row_no, c.register_no, c.session_no, c.programme,"
                    "  c.revision) = (e.file_no, e.row_no, e.register_no, e.session_no,"
                    "  e.programme, e.revision + 1))", (self.world.doctors.register[n],))
                wanted = sorted(cursor.fetchall())
            client = Client(base_url).sign_in(self.world.doctors.mamis[n], password)
            totals = client.get("/me/credits?limit=1").expect(200).json["totals"]
            seen = sorted((one["seminar_no"], one["session_no"], one["programme"], one["kind"],
                           one["half_units"]) for one in self.pages(client, "/me/credits")
                          if one["status"] == "posted")
            count += len(seen)
            sums = {}
            for _, _, programme, kind, half_units in wanted:
                sums[programme, kind] = sums.get((programme, kind), 0) + half_units
            if seen != wanted or sums != {(one["programme"], one["kind"]): one["half_units"]
                                          for one in totals}:
                wrong.append((n, len(seen), len(wanted)))
        self.say("API: credits and totals of some doctors", count, len(wrong), wrong[:1])

    # ---- mail ----

    def letters(self, messages, refused):
        """`messages`: (Message-ID, address) of every copy that the mail server took; `refused`:
        of which it said that it never will."""
        copies = {}
        for message_id, address in messages:
            copies.setdefault(message_id, []).append(address)
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT '<' || m.message_id || '>', d.email, m.ambiguous"
                           " FROM notification.mail m JOIN notification.doctor d"
                           " ON d.doctor_id = m.to_doctor WHERE m.state = 'delivered'"
                           " AND m.kind = 'M23'")
            rows = cursor.fetchall()
        wrong = [message_id for message_id, address, ambiguous in rows
                 if set(copies.get(message_id, ())) != {address}
                 or len(copies[message_id]) > (2 if ambiguous else 1)]
        known = {message_id for message_id, _, _ in rows}
        # Of what ended in doubt there may be copies, two at most.
        doubtful = self._doubtful()
        wrong += [message_id for message_id in copies if message_id not in known
                  and (message_id not in doubtful or len(copies[message_id]) > 2)]
        self.say("mail server: one copy of each, a second only after a doubtful end", len(copies),
                 len(wrong), wrong[:1])
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT '<' || m.message_id || '>', d.email FROM notification.mail m"
                           " JOIN notification.doctor d ON d.doctor_id = m.to_doctor"
                           " WHERE m.state = 'bounced'")
            bounced = cursor.fetchall()
        wrong = [message_id for message_id, address in bounced
                 if message_id not in refused and address not in refused]
        self.say("given up is only what the mail server refused for good", len(bounced),
                 len(wrong), wrong[:1])

    def _doubtful(self):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT '<' || message_id || '>' FROM notification.mail WHERE ambiguous"
                           " AND state IN ('expired', 'bounced')")
            return {row[0] for row in cursor.fetchall()}

    # ---- the checker itself ----

    def plants(self):
        """(name, plant, take back): each has to turn the checker red, taken back green."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT doctor_id, session_id, programme, revision FROM credit.ledger l"
                           " WHERE revision = 0 AND NOT EXISTS (SELECT FROM credit.ledger n"
                           " WHERE (n.doctor_id, n.session_id, n.programme, n.revision)"
                           " = (l.doctor_id, l.session_id, l.programme, 1)) LIMIT 1 OFFSET 100")
            one = cursor.fetchone()
            cursor.execute(
                "WITH few AS (SELECT * FROM credit.ledger WHERE revision = 0 ORDER BY"
                " (doctor_id * 7919 + session_id * 104729) % 10007 LIMIT 400)"
                " SELECT a.doctor_id, a.session_id, a.programme, b.doctor_id, b.session_id,"
                " b.programme FROM few a, few b WHERE a.doctor_id <> b.doctor_id"
                " AND NOT EXISTS (SELECT FROM credit.ledger c WHERE (c.doctor_id, c.session_id,"
                " c.programme) = (b.doctor_id, a.session_id, a.programme))"
                " AND NOT EXISTS (SELECT FROM credit.ledger c WHERE (c.doctor_id, c.session_id,"
                " c.programme) = (a.doctor_id, b.session_id, b.programme)) LIMIT 1")
            swap = cursor.fetchone()
        key = "(doctor_id, session_id, programme) = (%s, %s, %s)"
        move = f"UPDATE credit.ledger SET doctor_id = %s WHERE {key}"
        a, b = swap[:3], swap[3:]
        return [
            ("loss",
             [("CREATE TABLE chaos.kept AS SELECT * FROM credit.ledger"
               f" WHERE {key} AND revision = %s", one),
              (f"DELETE FROM credit.ledger WHERE {key} AND revision = %s", one)],
             [("INSERT INTO credit.ledger SELECT * FROM chaos.kept", ()),
              ("DROP TABLE chaos.kept", ())]),
            ("double",
             [("INSERT INTO credit.ledger SELECT doctor_id, session_id, upload_no, posted_at,"
               " row_no, held_on, half_units, 2, programme, kind, reason, actor FROM credit.ledger"
               f" WHERE {key} AND revision = %s", one)],
             [(f"DELETE FROM credit.ledger WHERE {key} AND revision = 2", one[:3])]),
            ("swap", [(move, (b[0], *a)), (move, (a[0], *b))],
             [(move, (a[0], b[0], *a[1:])), (move, (b[0], a[0], *b[1:]))]),
        ]

    def test_itself(self):
        """False when a planted fault was not found, or one taken back still is."""
        well = True
        for name, plant, back in self.plants():
            with self.connection.cursor() as cursor:
                for statement, values in plant:
                    cursor.execute(statement, values)
                found = self.find()
                for statement, values in back:
                    cursor.execute(statement, values)
            print(f"  planted {name}: " + ("red at " + "; ".join(found) if found
                                           else "NOT FOUND"), flush=True)
            well = well and bool(found)
        left = self.find()
        print(f"  all taken back: {'red at ' + '; '.join(left) if left else 'green'}", flush=True)
        return well and not left
