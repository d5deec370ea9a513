"""Two places of the country with the same things in each: a doctor, a seminar, an upload, an
application, offices. What belongs to the one is foreign to the people of the other."""
import datetime
import json
import pathlib
import uuid

from people import PASSWORD, People, wait_for

HOME = ("13001", "13", "P13")
AWAY = ("27001", "27", "P27")


class Tool:
    """What people.People asks of a running copy."""

    def __init__(self, stack):
        self.copy = stack.copy
        self.mamisctl = stack.copy.mamisctl
        self.mail_dir = pathlib.Path(stack.copy.mail.folder)

    def offset_us(self):
        return self.copy.now_offset_us()


class Place:
    """The people of one place, signed in, and the ids of what belongs to it."""

    def __init__(self, stack, folder, codes, name, kana):
        folder.mkdir()
        self.stack = stack
        self.name, self.kana = name, kana
        self.people = _Named(Tool(stack), folder, codes, name, kana)
        self.doctor = self.people.doctors[0]
        self.clients = {role: stack.client().sign_in(**account)
                        for role, account in self.people.staff.items()}
        self.clients["doctor"] = stack.client().sign_in(self.doctor["mamis_no"], PASSWORD)
        self.ids = self._ids()
        self._upload()
        self._sign_up()
        self._delegate()
        self._reissue()
        self._draft()
        self._maintenance()
        self._merge()
        self._passkey()
        self._applicant()
        self.numbers = self._numbers()

    def _ids(self):
        doctor_id, account_id = self.stack.one(
            "SELECT d.doctor_id, a.account_id FROM registration.doctor d"
            " JOIN registration.account a USING (doctor_id) WHERE d.register_no = %s",
            (self.doctor["register_no"],))
        codes = self.people
        staff_id = self.clients["office_l2"].session["account"]["id"]
        token = {"label": "program", "days": 1}
        token_id = self.clients["organiser"].post("/tokens", token).expect(201).json["token_id"]
        sessions = self.clients["doctor"].get("/me/sessions").expect(200).json["items"]
        return {"doctor_id": str(doctor_id), "session_id": sessions[0]["session_id"], "doctor_account_id": str(account_id),
                "account_id": staff_id, "token_id": token_id,
                "mamis_no": self.doctor["mamis_no"], "register_no": self.doctor["register_no"],
                "email": self.doctor["email"], "login_id": self.doctor["mamis_no"],
                "name": self.name, "name_kana": self.kana, "seminar_no": codes.seminar_no,
                "organiser_code": codes.organiser_code, "l1_code": codes.l1_code,
                "l2_code": codes.l2_code, "row_no": "1"}

    def _numbers(self):
        """Of everybody on record here: register number to doctor_id. Names they share."""
        with self.stack.sql() as cursor:
            cursor.execute("SELECT register_no, doctor_id FROM registration.doctor"
                           " WHERE l2_code = %s AND name = %s", (self.people.l2_code, self.name))
            return dict(cursor.fetchall())

    def _upload(self):
        data = self.people.attendance([self.doctor])
        answer = self.clients["organiser"].post_attendance(self.ids["seminar_no"], data,
                                                           "出席簿.csv").expect(202)
        self.ids["upload_id"] = answer.json["upload_id"]

    def _sign_up(self):
        """Of somebody without a postcard, with a copy of the licence, before those who review it."""
        number = f"8{self.people.digits(6)}"
        email = f"s{number}@example.jp"
        client = self.stack.client()
        client.post("/signups", {
            "name": "申込　未定", "name_kana": "モウシコミ　ミテイ", "sex": "F", "email": email,
            "birth_on": "1980-05-01", "licensed_on": "2006-04-20",
            "register_no": number}).expect(202)
        client.request("POST", "/signups/licence", b"%PDF-1.4 %%EOF", {
            "Content-Type": "application/pdf",
            "X-Signup-Link": self.people.mailed_link(email)}).expect(200, 202)
        self.ids["signup_id"] = str(self.stack.one(
            "SELECT signup_id FROM gateway.signup WHERE email = %s", (email,))[0])

    def _delegate(self):
        """Somebody who may see the doctor's credits, and a request of the doctor's for correction."""
        doctor, email = self.clients["doctor"], f"d{self.people.digits(8)}@example.jp"
        named = doctor.post("/me/delegates", {"name": "受付　係", "email": email}).expect(201).json
        self.stack.client().post("/links", {"link": self.people.mailed_link(email),
                                            "password": PASSWORD}).expect(200)
        self.clients["delegate"] = self.stack.client().sign_in(email, PASSWORD)
        asked = doctor.post("/me/corrections", {"field": "other", "text": "直してください"})
        self.ids["delegation_id"] = named["delegation_id"]
        self.ids["correction_id"] = asked.expect(201).json["correction_id"]

    def _reissue(self):
        """A new postcard for somebody else of the place, which the prefecture asked for."""
        newcomer = self.people.newcomer
        asked = self.clients["office_l2"].post("/reissues", {
            "register_no": newcomer["register_no"], "birth_on": newcomer["birth_on"],
            "reason": "はがきを紛失した"})
        self.ids["reissue_id"] = asked.expect(201).json["reissue_id"]

    def _draft(self):
        """A form that only its doctor knows."""
        self.ids["draft_text"] = f"{self.name}の下書き"
        kept = self.clients["doctor"].put("/me/procedure-drafts", {
            "kind": "change", "form": {"workplace_name": self.ids["draft_text"]}})
        self.ids["draft_id"] = kept.expect(200).json["draft_id"]

    def _maintenance(self):
        """Planned long before it begins, for an hour that no other world has."""
        begins = self.people.now + datetime.timedelta(days=60, hours=int(self.people.digits(3)))
        planned = self.clients["office_l3"].post("/maintenance", {
            "starts_at": begins.isoformat(timespec="seconds"),
            "ends_at": (begins + datetime.timedelta(minutes=30)).isoformat(timespec="seconds"),
            "note": "保守作業"})
        self.ids["window_id"] = planned.expect(201).json["window_id"]

    def _merge(self):
        """Proposed, and not decided: its doctor may be on record twice."""
        proposed = self.clients["office_l3"].post("/merges", {
            "keep_register_no": self.doctor["register_no"],
            "close_register_no": self.people.suspended["register_no"], "reason": "同じ人です"})
        self.ids["merge_id"] = proposed.expect(201).json["merge_id"]

    def _passkey(self):
        """One that was added; what its key is does not matter here."""
        self.ids["passkey_id"] = str(self.stack.one(
            "INSERT INTO gateway.passkey (passkey_id, account_id, credential_id, public_key,"
            " algorithm, sign_count, label, created_at) SELECT id, %s, uuid_send(id), '\\x00', -7,"
            " 0, 'phone', clock_timestamp() FROM gen_random_uuid() AS id RETURNING passkey_id",
            (self.ids["doctor_account_id"],))[0])

    def _applicant(self):
        """The doctor signed up to the seminar of this place, before it was held."""
        with self.stack.sql() as cursor:
            cursor.execute("INSERT INTO credit.signup VALUES (%s, %s, 1, 'applied', 1,"
                           " clock_timestamp() - interval '30 days', %s)",
                           (self.ids["seminar_no"], self.ids["doctor_id"],
                            self.ids["doctor_account_id"]))

    def wait(self):
        """Until its upload has posted and its doctor has applied."""
        organiser, doctor = self.clients["organiser"], self.clients["doctor"]
        wait_for("the upload", lambda: organiser.upload(self.ids["upload_id"])["status"] == "done")
        credits = doctor.get("/me/credits?programme=CME").expect(200).json["items"]
        self.ids["entry_id"] = credits[0]["entry_id"]
        wait_for("standing", lambda: any(item["can_apply"] for item in
                                         doctor.get("/me/standing").expect(200).json["items"]))
        application = doctor.post("/me/applications", {"programme": "OP"}).expect(201).json
        self.ids["application_id"] = application["application_id"]
        later = (self.people.now + datetime.timedelta(days=30)).date().isoformat()
        procedure = doctor.post("/me/procedures", {"kind": "withdrawal_l3", "effective_on": later})
        self.ids["procedure_id"] = procedure.expect(201).json["procedure_id"]
        self.ids["operation_id"] = str(self.stack.one(
            "SELECT operation_id FROM gateway.command WHERE account_id = %s",
            (self.ids["doctor_account_id"],))[0])

    def marks(self):
        """Texts that nobody else may read."""
        kept = ("doctor_account_id", "account_id", "token_id", "session_id", "mamis_no",
                "register_no", "email", "name", "name_kana", "seminar_no", "upload_id", "entry_id",
                "application_id", "procedure_id", "delegation_id", "correction_id", "reissue_id",
                "draft_id", "draft_text")
        return {name: self.ids[name] for name in kept}

    def state(self):
        """All that an attack could change of it, as one text."""
        ids = self.ids
        asked = {
            "registration.account": ("account_id", ids["doctor_account_id"]),
            "registration.staff": ("account_id", ids["account_id"]),
            "gateway.token": ("token_id", ids["token_id"]),
            "registration.doctor": ("register_no", ids["register_no"]),
            "credit.upload": ("upload_id", ids["upload_id"]),
            "credit.seminar": ("seminar_no", ids["seminar_no"]),
            "credit.signup": ("seminar_no", ids["seminar_no"]),
            "renewal.application": ("application_id", ids["application_id"]),
            "registration.procedure": ("procedure_id", ids["procedure_id"]),
            "registration.delegation": ("delegation_id", ids["delegation_id"]),
            "registration.correction": ("correction_id", ids["correction_id"]),
            "registration.merge": ("merge_id", ids["merge_id"]),
            "registration.reissue": ("reissue_id", ids["reissue_id"]),
            "gateway.procedure_draft": ("draft_id", ids["draft_id"]),
            "gateway.credential": ("account_id", ids["doctor_account_id"]),
        }
        rows = {table: self.stack.one(f"SELECT json_agg(to_json(t))::text FROM {table} t"
                                      f" WHERE {column} = %s", (value,))[0]
                for table, (column, value) in asked.items()}
        rows["ledger"] = self.stack.one(
            "SELECT json_agg(to_json(l) ORDER BY revision, programme, session_id)::text"
            " FROM credit.ledger l JOIN credit.upload u USING (upload_no) WHERE u.upload_id = %s",
            (ids["upload_id"],))[0]
        return json.dumps(rows, sort_keys=True)


class _Named(People):
    """Doctors with a name that is found in an answer."""

    def __init__(self, demo, folder, codes, name, kana):
        self.name, self.kana = name, kana
        super().__init__(demo, folder, codes)

    def doctor(self):
        return {**super().doctor(), "name": self.name, "name_kana": self.kana}


def missing(name):
    """An id of that kind that nothing has."""
    return {"seminar_no": "NO-SUCH-SEMINAR", "row_no": "1", "mamis_no": "0000000000",
            "entry_id": "A" * 28, "code": "0000000000000000"}.get(name, str(uuid.uuid4()))
