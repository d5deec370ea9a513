"""Membership by the API (domain 4.2): one admission through three desks, a transfer to another
prefecture, a withdrawal with its cascade, and who hears of what. test_renewal.py runs it on its
stack."""

import datetime

from maildir import mails_to, text_of, wait_mail
from running.process import wait_for

DAY = "2026-11-22"  # of the stack's clock


def code(answer, status):
    return answer.expect(status).json["code"]


class Desks:
    """Signed-in offices by what app.scope calls them, each with an address of its own."""

    def __init__(self, stack):
        self.stack, self.clients, self.addresses = stack, {}, {}

    def of(self, office):
        if office not in self.clients:
            layer, _, name = office.partition(":")
            words = {"l1": ("--l1", name), "l2": ("--l2", name), "l3": ()}[layer]
            self.addresses[office] = f"{office.replace(':', '-')}@example.jp"
            self.clients[office] = self.stack.staff_client(
                f"office_{layer}", *words, "--email", self.addresses[office])
        return self.clients[office]

    def pass_on(self, procedure_id, *offices):
        """Each approves in turn; gives what the last one was answered."""
        for office in offices:
            answer = self.of(office).post(f"/procedures/{procedure_id}/approve", {}).expect(200)
        return answer.json

    def waiting(self, office):
        items = self.of(office).get("/procedures").expect(200).json["items"]
        return {item["procedure_id"] for item in items}


def memberships(doctor):
    items = doctor.get("/me/memberships").expect(200).json["items"]
    return {(item["layer"], item["code"], item["category"], item["valid_from"], item["valid_to"])
            for item in items}


def members_on(client, day, register_no):
    items = client.get(f"/members?on={day}&q={register_no}").expect(200).json["items"]
    return len(items)


def admission(stack, desks, doctor):
    """Three layers, a wait for the board, one return; nobody else sees it meanwhile."""
    wanted = {"kind": "admission", "depth": 3, "l1_code": "13001", "effective_on": DAY,
              "category_l3": "B"}
    filed = doctor.client.post("/me/procedures", wanted).expect(201)
    procedure = filed.json
    procedure_id = procedure["procedure_id"]
    assert doctor.client.get(DRAFTS).expect(200).json["items"] == []
    assert filed.headers["Location"].endswith("/me/procedures/" + procedure_id)
    assert [item["stage"] for item in procedure["route"]] == [
        "l1_review", "l2_review", "l3_review", "done"]
    again = doctor.client.post("/me/procedures", wanted).expect(409).json
    assert (again["code"], again["procedure_id"]) == ("procedure_open", procedure_id)
    wait_mail(stack, doctor.address, "会員手続きを受け付けました")
    path = f"/procedures/{procedure_id}"
    assert procedure_id in desks.waiting("l1:13001")
    for stranger in ("l1:14001", "l2:13", "l3"):  # it has not come to them
        assert code(desks.of(stranger).get(path), 404) == "not_found"
        assert code(desks.of(stranger).post(path + "/approve", {}), 404) == "not_found"
    l1 = desks.of("l1:13001")
    assert l1.post(path + "/wait", {"awaits": "board"}).expect(200).json["stage"] == "l1_wait_board"
    assert code(l1.post(path + "/approve", {}), 409) == "procedure_stage"
    l1.post(path + "/met", {}).expect(200)
    desks.pass_on(procedure_id, "l1:13001")
    assert procedure_id not in desks.waiting("l1:13001")
    assert code(l1.post(path + "/approve", {}), 409) == "procedure_elsewhere"
    desks.of("l2:13").post(path + "/return", {"reason": "会員区分を確かめてください。"}).expect(200)
    assert "会員区分を確かめてください。" in text_of(
        wait_mail(stack, doctor.address, "会員手続きについて修正のお願い"))
    sent = doctor.client.post(f"/me/procedures/{procedure_id}/resubmit", {"category_l3": "A1"})
    assert sent.expect(200).json["stage"] == "l2_review"
    done = desks.pass_on(procedure_id, "l2:13", "l3")
    assert done["stage"] == "effective" and done["applied_on"] == DAY
    assert [item["at"] is not None for item in done["route"]] == [True] * 4
    wait_mail(stack, doctor.address, "会員手続きの結果のお知らせ")
    assert memberships(doctor.client) == {
        (1, "13001", "", DAY, None), (2, "13", "", DAY, None), (3, "", "A1", DAY, None)}


DRAFTS = "/me/procedure-drafts"


def drafts(stack, doctor):
    """A form that is not sent yet: found on another device, gone with its filing, or in time."""
    def save(kind, version=None, client=doctor.client, **form):
        named = {} if version is None else {"version": version}
        return client.put(DRAFTS, {"kind": kind, "form": form, **named})

    first = save("admission", depth=3, l1_code="13001", effective_on="令和8年").expect(200).json
    assert (first["version"], first["form"]["effective_on"]) == (1, "令和8年")
    assert first["expires_at"][:10] == "2027-02-20"
    tablet = stack.doctor_client(doctor.register_no)
    assert tablet.get(DRAFTS).expect(200).json["items"] == [first]
    second = save("admission", 1, tablet, depth=3, l1_code="13001", reason="二\n行").expect(200).json
    assert (second["draft_id"], second["version"]) == (first["draft_id"], 2)
    # Again is good; an older page, or one that knows of none, overwrites nothing.
    second = save("admission", 1, tablet, depth=3, l1_code="13001", reason="二\n行").expect(200).json
    assert second["version"] == 2
    for version in (None, 0, 1, 3):
        assert code(save("admission", version, depth=1), 409) == "draft_changed"
    assert code(save("change", 1, phone="1"), 409) == "draft_changed"
    assert code(save("death"), 400) == "schema"
    assert code(save("change", name="x" * 121), 400) == "schema"
    change = save("change", workplace_name="見本病院").expect(200).json
    # Whoever waits too long begins anew.
    with stack.sql() as cursor:
        cursor.execute("UPDATE gateway.procedure_draft SET saved_at = saved_at - interval '91 days'"
                       " WHERE draft_id = %s", (change["draft_id"],))
    assert tablet.get(DRAFTS).expect(200).json["items"] == [second]
    change = save("change", workplace_name="別の病院").expect(200).json
    tablet.request("DELETE", f"{DRAFTS}/{change['draft_id']}").expect(204)
    tablet.request("DELETE", f"{DRAFTS}/{change['draft_id']}").expect(404)
    # A procedure that is refused keeps it; the one that is filed does not: admission().
    refused = {"kind": "admission", "depth": 3, "l1_code": "13001", "effective_on": "2020-01-01",
               "category_l3": "B"}
    doctor.client.post("/me/procedures", refused).expect(422)
    assert tablet.get(DRAFTS).expect(200).json["items"] == [second]


def residence(desks, doctor):
    """Edge 62: no member, no workplace, so the prefecture of the residence looks after her."""
    profile = doctor.client.get("/me/profile").expect(200).json
    mine = {name: profile[name] for name in ("name", "name_kana", "sex", "birth_on")}
    lives = {"residence_prefecture": "14", "residence_municipality": "横浜市"}

    def put(**more):
        return doctor.client.put("/me/profile", {**mine, **more})

    path = f"/doctors/{profile['mamis_no']}"
    refused = put(residence_prefecture="14").expect(422).json
    assert refused["errors"][0]["pointer"] == "/residence_municipality"
    assert code(put(**{**lives, "residence_prefecture": "48"}), 400) == "schema"
    put(**lives).expect(200)
    seen = doctor.client.get("/me/profile").expect(200).json
    assert (seen["l2_code"], seen["residence_municipality"]) == ("14", "横浜市")
    told = desks.of("l2:14").get(path).expect(200).json
    assert (told["by_residence"], told["residence_prefecture"]) == (True, "14")
    assert code(desks.of("l2:13").get(path), 404) == "not_found"
    exported = doctor.client.get("/me/export.json").expect(200).json
    assert "横浜市" in str(exported)
    put(**lives, workplace_name="見本病院").expect(200)  # then nobody needs to know
    seen = doctor.client.get("/me/profile").expect(200).json
    assert (seen["l2_code"], seen["residence_municipality"]) == ("14", "")
    assert not desks.of("l2:14").get(path).expect(200).json["by_residence"]


def transfer(desks, doctor, day):
    """Released by the old side, nothing ends before the new side has agreed; L3 goes on."""
    procedure = doctor.client.post("/me/procedures", {
        "kind": "transfer", "l1_code": "14001", "effective_on": day}).expect(201).json
    procedure_id = procedure["procedure_id"]
    assert procedure["kind"] == "transfer_away"
    desks.pass_on(procedure_id, "l1:13001", "l2:13")
    assert (1, "13001", "", DAY, None) in memberships(doctor.client)
    done = desks.pass_on(procedure_id, "l1:14001", "l2:14", "l3")
    assert done["stage"] == "done"
    return procedure_id


def test_membership(stack, doctor_without_membership):
    doctor = doctor_without_membership
    desks = Desks(stack)
    day = "2026-11-23"
    drafts(stack, doctor)
    residence(desks, doctor)
    admission(stack, desks, doctor)
    procedure_id = transfer(desks, doctor, day)
    # The day comes; the stack's clock is not turned, so the day is brought here.
    with stack.sql() as cursor:
        cursor.execute("UPDATE registration.membership SET valid_from = valid_from - 10 FROM"
                       " registration.doctor d WHERE d.doctor_id = membership.doctor_id"
                       " AND d.register_no = %s", (doctor.register_no,))
        cursor.execute("UPDATE registration.procedure SET effective_on = %s WHERE procedure_id = %s",
                       (DAY, procedure_id))
    wait_for(lambda: doctor.client.get(f"/me/procedures/{procedure_id}").expect(200).json["stage"]
             == "effective", 20, "the effective date")
    since = (datetime.date.fromisoformat(DAY) - datetime.timedelta(days=10)).isoformat()
    before = (datetime.date.fromisoformat(DAY) - datetime.timedelta(days=1)).isoformat()
    assert memberships(doctor.client) == {
        (1, "13001", "", since, before), (2, "13", "", since, before), (3, "", "A1", since, None),
        (1, "14001", "", DAY, None), (2, "14", "", DAY, None)}
    for office, old, new in (("l1:13001", 1, 0), ("l1:14001", 0, 1), ("l2:13", 1, 0), ("l3", 1, 1)):
        client = desks.of(office)
        assert members_on(client, before, doctor.register_no) == old, office
        assert members_on(client, DAY, doctor.register_no) == new, office
    assert doctor.client.get("/me/profile").expect(200).json["l1_code"] == "14001"
    together(desks, doctor)
    withdrawal(stack, desks, doctor)


def together(desks, doctor):
    """Plain ones by one request: each is judged alone, and says what became of it."""
    def filed(kind, **more):
        wanted = {"kind": kind, "effective_on": "2026-11-23", **more}
        return doctor.client.post("/me/procedures", wanted).expect(201).json

    path, l1 = "/procedures/bulk-approve", desks.of("l1:14001")
    change = filed("change", workplace_name="別の見本病院")
    leaves = filed("withdrawal_l3")  # with the insurance
    assert (change["version"], change["plain"], leaves["plain"]) == (1, True, False)
    nobodys = "0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e20"
    items = [{"procedure_id": one, "version": 1}
             for one in (leaves["procedure_id"], nobodys, change["procedure_id"])]
    for office in ("l1:13001", "l2:14", "l3"):  # it has not come to them
        told = desks.of(office).post(path, {"items": items}).expect(200).json["items"]
        assert [(item["stage"], item["problem"]["code"]) for item in told] == [
            (None, "not_found")] * 3
    once = {"Idempotency-Key": "together-1"}
    answer = l1.post(path, {"items": items}, once).expect(200).json
    assert [item["procedure_id"] for item in answer["items"]] == [
        item["procedure_id"] for item in items]
    assert [(item["stage"], (item["problem"] or {}).get("code")) for item in answer["items"]] == [
        ("l1_receive", "procedure_not_plain"), (None, "not_found"), ("done", None)]
    assert answer["items"][0]["problem"]["title"] == "この手続きは内容の確認が必要です"
    assert l1.post(path, {"items": items}, once).expect(200).json == answer
    assert code(l1.post(path, {"items": items[1:]}, once), 409) == "idempotency_conflict"
    told = l1.post(path, {"items": items[2:]}).expect(200).json["items"][0]
    assert (told["stage"], told["problem"]["code"]) == ("done", "procedure_stage")
    assert l1.get(f"/procedures/{change['procedure_id']}").expect(200).json["history"][1][
        "actor_role"] == "office_l1"
    for bad in ([], items * 34):
        assert code(l1.post(path, {"items": bad}), 400) == "schema"
    doctor.client.post(f"/me/procedures/{leaves['procedure_id']}/cancel", {}).expect(200)


def withdrawal(stack, desks, doctor):
    """The paper came to the counter: the office files; L1 lets go and L2 has to see it."""
    l1 = desks.of("l1:14001")
    paper = {"register_no": doctor.register_no, "birth_on": "1978-05-05", "kind": "withdrawal_all",
             "effective_on": "2026-12-31"}
    assert code(desks.of("l1:13001").post("/procedures", paper), 404) == "doctor_not_found"
    assert code(l1.post("/procedures", {**paper, "birth_on": "1978-05-06"}), 404) == \
        "doctor_not_found"
    answer = l1.post("/procedures", {**paper, "effective_on": "2026-03-31"}).expect(422).json
    assert answer["code"] == "effective_on"
    procedure = l1.post("/procedures", paper).expect(201).json
    assert procedure["by_office"] and procedure["loses_insurance"] and not procedure["plain"]
    subject = "会員手続きを受け付けました"
    wait_mail(stack, doctor.address, subject, 5)
    texts = [text_of(mail) for mail in mails_to(stack, doctor.address, subject)]
    assert ["賠償責任保険" in text for text in texts if "代わって入力しました" in text] == [True]
    desks.of("l2:14")
    done = desks.pass_on(procedure["procedure_id"], "l1:14001")
    assert done["stage"] == "done"
    assert procedure["procedure_id"] in desks.waiting("l2:14")
    path = f"/procedures/{procedure['procedure_id']}"
    assert code(desks.of("l2:14").post(path + "/reject", {"reason": "x"}), 409) == "procedure_stage"
    desks.of("l2:14").post(path + "/confirm", {}).expect(200)
    assert procedure["procedure_id"] not in desks.waiting("l2:14")
    for office in ("l2:14", "l3"):
        wait_mail(stack, desks.addresses[office], "会員資格の終了のお知らせ")


def test_training(stack, trainee):
    """Edge 83 and R-MEM-08: what follows is filed as it is offered, or the category stays."""
    offered = trainee.client.get("/me/training").expect(200).json
    assert (offered["category_after"], offered["effective_on"], offered["offered"]) == (
        "B", "2027-04-01", True)
    made = trainee.client.post("/me/procedures", {
        "kind": "change", "effective_on": offered["effective_on"],
        "category_l3": offered["category_after"]}).expect(201).json
    fees = {item["category"]: item["yen"] for item in trainee.client.get(
        "/me/fees?on=2027-04-01").expect(200).json["items"]}
    assert (fees["B"], fees["A2B"], fees["A1"]) == (0, 0, 126000)  # two years after graduation
    assert trainee.client.get("/me/fees?on=2030-04-01").expect(200).json["items"][1] == {
        "category": "A2B", "yen": 64000, "insurance_yen": 0, "waived": False}
    desk = stack.staff_client("office_l3")
    assert code(desk.get(f"/procedures/{made['procedure_id']}/fee"), 404) == "not_found"
    trainee.client.post(f"/me/procedures/{made['procedure_id']}/cancel", {}).expect(200)
    l1 = stack.staff_client("office_l1", "--l1", "13001")
    fee = l1.get(f"/procedures/{made['procedure_id']}/fee").expect(200).json
    assert (fee["on"], fee["items"][0]["category"], fee["items"][0]["waived"]) == (
        "2027-04-01", "B", True)
    paper = {"register_no": trainee.register_no, "birth_on": "1978-05-05",
             "reason": "研修を中断している。", "training_ends_on": "2028-03-31"}
    other = stack.staff_client("office_l1", "--l1", "14001")
    assert code(other.post("/training/dismiss", paper), 404) == "doctor_not_found"
    l1.post("/training/dismiss", paper).expect(200)
    later = trainee.client.get("/me/training").expect(200).json
    assert (later["ends_on"], later["category"], later["offered"]) == ("2028-03-31", "C", False)
