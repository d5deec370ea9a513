"""Who attacks the interface in the security tests, and what there is to find: a doctor with credits
and an application, an organiser with an upload, the national office."""

import pathlib

from people import PASSWORD, People, wait_for

ROLES = ("doctor", "organiser", "office_l3")


class _Demo:
    """A stack as tests/contract/people.py asks for one."""

    def __init__(self, stack):
        self.mamisctl = stack.copy.mamisctl
        self.mail_dir = pathlib.Path(stack.copy.mail.folder)
        self.offset_us = stack.copy.now_offset_us


def _upload(client, people):
    path = f"/seminars/{people.seminar_no}/attendance"
    rows = [{"register_no": doctor["register_no"], "session_no": str(session)}
            for doctor in people.doctors for session in (1, 2, 3)]
    rows.append({"register_no": "9999999", "session_no": "1"})
    upload_id = client.post(path, {"rows": rows}).expect(202).json["upload_id"]
    wait_for("the upload", lambda: client.upload(upload_id)["status"] == "done")
    return upload_id


def _application(client):
    wait_for("standing", lambda: any(item["can_apply"] for item in
                                     client.get("/me/standing").expect(200).json["items"]))
    answer = client.post("/me/applications", {"programme": "OP"}).expect(201)
    return answer.json["application_id"]


class Contenders:
    """`accounts`: sign-in by role. `known`: ids that exist, by the name of their parameter."""

    def __init__(self, stack, folder):
        people = People(_Demo(stack), folder)
        self.accounts = {role: people.staff[role] for role in ROLES if role in people.staff}
        self.accounts["doctor"] = {"login_id": people.doctors[0]["mamis_no"], "password": PASSWORD}
        organiser = stack.client().sign_in(**self.accounts["organiser"])
        doctor = stack.client().sign_in(**self.accounts["doctor"])
        upload_id = _upload(organiser, people)
        credits_of = doctor.get("/me/credits").expect(200).json["items"]
        self.known = {"seminar_no": [people.seminar_no], "upload_id": [upload_id],
                      "row_no": [1, 7], "entry_id": [item["entry_id"] for item in credits_of],
                      "application_id": [_application(doctor)]}
