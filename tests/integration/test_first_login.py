"""First login from the sealed postcard to the own password (R-ACC-01..04, 16..19), by the API."""

import concurrent.futures
import csv
import pathlib
import urllib.parse

import pytest

from maildir import link_of, mails_to, text_of, wait_mail
from running.process import Failure, wait_for

PASSWORD = "とても長い合言葉 2026"
PROFILE = ("name", "name_kana", "former_name", "former_name_kana", "sex", "birth_on",
           "workplace_name", "workplace_postcode", "workplace_address", "phone")


@pytest.fixture(scope="module")
def postcards(stack):
    with open(stack.folder / "postcards.csv", encoding="utf-8-sig", newline="") as file:
        return iter(list(csv.DictReader(file)))


def change(stack, statement, values=()):
    with stack.sql() as cursor:
        cursor.execute(statement, values)


class Newcomer:
    """Somebody with a postcard, signed in with it."""

    def __init__(self, stack, card):
        self.stack, self.card = stack, card
        self.address = f"first-{card['register_no']}@example.jp"
        self.birth_on, self.mamis_no = stack.one(
            "SELECT birth_on::text, mamis_no FROM registration.doctor WHERE register_no = %s",
            (card["register_no"],))
        self.client = self.sign_in()

    def sign_in(self):
        return self.stack.client().sign_in(self.card["login_id"], self.card["temporary_password"])

    def certified(self):
        """Whether there is data that has to be linked."""
        return self.stack.one("SELECT count(*) > 0 FROM renewal.certificate JOIN"
                              " registration.doctor USING (doctor_id) WHERE register_no = %s",
                              (self.card["register_no"],))[0]

    def account_id(self):
        return str(self.stack.one("SELECT account_id FROM registration.account JOIN"
                                  " registration.doctor USING (doctor_id) WHERE register_no = %s",
                                  (self.card["register_no"],))[0])

    def next(self):
        """What a new session has to do first."""
        return self.sign_in().session["next"]

    def agree(self):
        version = self.client.get("/site").expect(200).json["terms"]["version"]
        return self.client.post("/me/terms", {"version": version})

    def give_email(self, address=None):
        return self.client.post("/me/email", {"email": address or self.address})

    def link(self, address=None, count=1):
        return link_of(wait_mail(self.stack, address or self.address, "確認", count))

    def another_link(self, known, address=None):
        """Of a mail that came after the one with the link that is known."""
        address = address or self.address
        wait_mail(self.stack, address, "確認", 2)
        [link] = {link_of(mail) for mail in mails_to(self.stack, address, "確認")} - {known}
        return link

    def confirm(self):
        # Whoever opens the mail need not be signed in.
        return self.stack.client().post("/links", {"link": self.link()})

    def profile(self, **changes):
        known = self.client.get("/me/profile").expect(200).json
        entered = {name: known[name] for name in PROFILE}
        entered["birth_on"] = self.birth_on
        return self.client.put("/me/profile", {**entered, **changes})

    def password(self, password=PASSWORD):
        return self.client.put("/me/password", {"password": password})

    def all_but_password(self):
        for step in (self.agree, self.give_email, self.confirm, self.profile):
            step().expect(200)


@pytest.fixture
def newcomer(stack, postcards):
    return Newcomer(stack, next(postcards))


def code(answer, status):
    return answer.expect(status).json["code"]


def test_the_whole_way(stack, newcomer):
    client = newcomer.client
    assert client.session["next"] == "terms"
    assert client.get("/me").expect(200).json["doctor"]["status"] == "temp_issued"
    refused = client.get("/me/credits")
    assert code(refused, 403) == "first_login_step"
    assert newcomer.agree().expect(200).json["next"] == "email"
    assert newcomer.give_email().expect(200).json["next"] == "email_confirm"
    assert newcomer.confirm().expect(200).json["next"] == "profile"
    # The browser was closed: the postcard still works, at the same step (R-ACC-16).
    assert newcomer.next() == "profile"
    assert newcomer.profile(workplace_name="見本診療所").expect(200).json["next"] == "password"
    assert newcomer.password().expect(200).json["next"] == ""
    me = client.get("/me").expect(200).json
    complete = "link_pending" if newcomer.certified() else "active"
    assert me["doctor"]["status"] == complete
    assert me["doctor"]["mamis_no"] == newcomer.mamis_no
    profile = client.get("/me/profile").expect(200).json
    assert profile["workplace_name"] == "見本診療所"
    assert profile["email"] == newcomer.address
    client.get("/me/credits").expect(200)
    # From now on the MAMIS number and the own password; the postcard is dead.
    assert stack.client().sign_in(newcomer.mamis_no, PASSWORD).session["next"] == ""
    assert stack.client().sign_in(newcomer.address, PASSWORD).session["next"] == ""
    dead = stack.client().post("/session", {"login_id": newcomer.card["login_id"],
                                            "password": newcomer.card["temporary_password"]})
    assert dead.status in (401, 403)
    text = text_of(wait_mail(stack, newcomer.address, "登録が完了"))
    assert newcomer.card["register_no"] not in text and newcomer.birth_on not in text
    wait_for(lambda: stack.one("SELECT my_page FROM credit.doctor WHERE register_no = %s",
                               (int(newcomer.card["register_no"]),)) == (complete,),
             10, "the doctor's state at credit")


def test_steps_come_in_their_order(newcomer):
    for ahead in (newcomer.give_email, newcomer.profile, newcomer.password):
        assert ahead().status in (403, 409), ahead.__name__
    assert newcomer.next() == "terms"
    # Nobody is mailed a link that does nothing.
    answer = newcomer.give_email()
    assert code(answer, 409) == "step_order"
    assert newcomer.stack.one("SELECT count(*) FROM gateway.link WHERE email = %s",
                              (newcomer.address,)) == (0,)
    newcomer.agree().expect(200)
    assert newcomer.password().status in (403, 409)
    assert newcomer.next() == "email"


def reissue(stack, newcomer, name):
    """What mamisctl wrote for the printer."""
    out = stack.folder / f"{name}.csv"
    stack.copy.mamisctl("postcards", "reissue", "--register-no", newcomer.card["register_no"],
                        "--out", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    with open(out, encoding="utf-8", newline="") as file:
        [card] = csv.DictReader(file)
    assert card["register_no"] == newcomer.card["register_no"]
    return card


def test_a_lost_postcard_is_issued_again(stack, newcomer):
    newcomer.agree().expect(200)
    newcomer.give_email("thief@example.jp").expect(200)
    link = newcomer.link("thief@example.jp")
    before, newcomer.card = newcomer.card, reissue(stack, newcomer, "again")
    # What the old one began is over: session, credentials, link.
    assert newcomer.client.get("/me").status == 401
    dead = stack.client().post("/session", {"login_id": before["login_id"],
                                            "password": before["temporary_password"]})
    assert code(dead, 401) == "sign_in_failed"
    assert stack.client().post("/links", {"link": link}).status in (409, 410)
    newcomer.client = newcomer.sign_in()
    assert newcomer.client.session["next"] == "terms"
    newcomer.all_but_password()
    assert newcomer.password().expect(200).json["next"] == ""
    with pytest.raises(Failure):
        reissue(stack, newcomer, "too-late")
    assert not (stack.folder / "too-late.csv").exists()


def test_a_used_up_postcard_is_issued_again(stack, newcomer):
    newcomer.agree().expect(200)
    newcomer.give_email().expect(200)
    newcomer.confirm().expect(200)
    for _ in range(5):
        newcomer.profile(birth_on="1901-01-01")
    suspended = ("SELECT state FROM registration.account JOIN registration.doctor USING (doctor_id)"
                 " WHERE register_no = %s", (newcomer.card["register_no"],))
    assert stack.one(*suspended) == ("suspended",)
    newcomer.card = reissue(stack, newcomer, "used-up")
    assert stack.one(*suspended) == ("temp_issued",)
    assert newcomer.next() == "terms"


def test_a_suspended_account_serves_nobody(stack, newcomer):
    newcomer.all_but_password()
    newcomer.password().expect(200)
    who = ("--register-no", newcomer.card["register_no"])
    stack.copy.mamisctl("account", "suspend", *who)
    wait_for(lambda: newcomer.client.get("/me").status == 401, 60, "the end of the session")
    refused = stack.client().post("/session", {"login_id": newcomer.mamis_no, "password": PASSWORD})
    assert refused.status in (401, 403)
    with pytest.raises(Failure):
        stack.copy.mamisctl("account", "suspend", *who)
    stack.copy.mamisctl("account", "restore", *who)
    assert stack.client().sign_in(newcomer.mamis_no, PASSWORD).session["next"] == ""


def test_a_repeated_step_changes_nothing(stack, newcomer):
    assert newcomer.agree().expect(200).json["next"] == "email"
    assert newcomer.agree().expect(200).json["next"] == "email"
    newcomer.give_email().expect(200)
    versions = stack.one("SELECT version FROM registration.account WHERE pending_email = %s",
                         (newcomer.address,))
    assert newcomer.agree().expect(200).json["next"] == "email_confirm"
    assert versions == stack.one("SELECT version FROM registration.account"
                                 " WHERE pending_email = %s", (newcomer.address,))


def test_other_terms_than_those_in_force(newcomer):
    answer = newcomer.client.post("/me/terms", {"version": "2020-01-01"})
    assert answer.status in (409, 422) and answer.json["code"] == "terms_version"


def test_a_corrected_address_gets_a_link_of_its_own(stack, newcomer):
    newcomer.agree().expect(200)
    wrong = "typo-" + newcomer.address
    newcomer.give_email(wrong).expect(200)
    stale = newcomer.link(wrong)
    newcomer.give_email().expect(200)
    link = newcomer.link()
    assert stack.client().post("/links", {"link": stale}).status >= 400
    assert stack.client().post("/links", {"link": link}).expect(200).json["next"] == "profile"
    assert stack.client().post("/links", {"link": link}).status >= 400
    assert stack.one("SELECT count(*) FROM registration.account WHERE email = %s", (wrong,)) == (0,)


def test_a_shared_address_is_told_but_not_refused(stack, newcomer, postcards):
    newcomer.all_but_password()
    first = newcomer.link()
    second = Newcomer(stack, next(postcards))
    second.agree().expect(200)
    answer = second.give_email(newcomer.address).expect(200).json
    assert answer == {"next": "email_confirm", "warnings": ["email_in_use"]}
    # The mail goes out, but the address counts only where the call centre lets both use it.
    shared = second.another_link(first, newcomer.address)
    assert code(stack.client().post("/links", {"link": shared}), 409) == "email_in_use"
    assert second.next() == "email_confirm"


def test_an_address_that_several_confirm_at_once(stack, newcomer, postcards):
    """The first one's commit is held up: the others wait for it, and are told then."""
    people = [newcomer, *(Newcomer(stack, next(postcards)) for _ in range(2))]
    links = []
    for count, person in enumerate(people, 1):
        person.agree().expect(200)
        person.give_email(newcomer.address).expect(200)
        wait_mail(stack, newcomer.address, "確認", count)
        links += {link_of(mail) for mail in mails_to(stack, newcomer.address, "確認")} - set(links)

    def waiting():
        return stack.one("SELECT count(*) FROM pg_locks WHERE NOT granted")[0]

    def use(link):
        return stack.client().post("/links", {"link": link})

    with concurrent.futures.ThreadPoolExecutor() as pool:
        with stack.sql() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM registration.account WHERE account_id = %s FOR UPDATE",
                           (newcomer.account_id(),))
            used = [pool.submit(use, links[0])]
            wait_for(lambda: waiting() >= 1, 30, "the first one's commit")
            used += [pool.submit(use, link) for link in links[1:]]
            # Whoever has the first one's partition comes after it anyway.
            wait_for(lambda: waiting() >= 2 or any(future.done() for future in used), 30,
                     "the others' commits")
            cursor.execute("COMMIT")
        answers = [future.result() for future in used]
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert {answer.json["code"] for answer in answers if answer.status == 409} == {"email_in_use"}
    assert stack.one("SELECT count(*) FROM registration.account WHERE email = %s"
                     " AND email_confirmed", (newcomer.address,)) == (1,)


def test_no_agreement_ends_the_session(newcomer):
    assert newcomer.client.post("/me/terms/decline", {}).expect(200).json["next"] == "terms"
    assert newcomer.client.get("/me").status == 401
    assert newcomer.next() == "terms"
    newcomer.client = newcomer.sign_in()
    newcomer.agree().expect(200)
    assert code(newcomer.client.post("/me/terms/decline", {}), 409) == "step_order"


def test_a_link_that_nobody_uses_is_given_up(stack, newcomer):
    newcomer.agree().expect(200)
    newcomer.give_email().expect(200)
    link = newcomer.link()
    change(stack, "UPDATE registration.account SET step_at = step_at - interval '25 hours'"
           " WHERE account_id = %s", (newcomer.account_id(),))
    wait_for(lambda: newcomer.next() == "terms", 30, "the end of the wait")
    assert code(stack.client().post("/links", {"link": link}), 422) == "link_invalid"
    newcomer.client = newcomer.sign_in()
    newcomer.agree().expect(200)
    newcomer.give_email().expect(200)
    again = stack.client().post("/links", {"link": newcomer.another_link(link)})
    assert again.expect(200).json["next"] == "profile"


def test_an_old_postcard_says_that_it_is_old(stack, newcomer):
    change(stack, "UPDATE gateway.temp_credential SET expires_at = issued_at + interval '1 second'"
           " WHERE account_id = %s", (newcomer.account_id(),))

    def tried(password):
        return stack.client().post("/session", {"login_id": newcomer.card["login_id"],
                                                "password": password})

    wait_for(lambda: tried(newcomer.card["temporary_password"]).json["code"] == "temp_locked",
             30, "the end of the postcard")
    assert code(tried("AAAA-AAAA-AAAA"), 401) == "sign_in_failed"


def test_certification_data_is_linked_later(stack, postcards):
    """R-ACC-08, 09: seen and renewed with only when the national office has linked it."""
    newcomer = next(who for who in (Newcomer(stack, card) for card in postcards) if who.certified())
    newcomer.all_but_password()
    newcomer.password().expect(200)
    client, office = newcomer.client, stack.staff_client("office_l3")
    assert client.get("/me").expect(200).json["doctor"]["status"] == "link_pending"
    assert client.get("/me/certificates").expect(200).json["items"] == []
    due = client.get("/me/profile").expect(200).json["link_due_on"]
    path = f"/desk/accounts/{newcomer.account_id()}/link"

    def waiting(late):
        items = office.get(f"/desk/link-pending?limit=500&late={late}").expect(200).json["items"]
        return [(item["due_on"], item["late"], item["has_data"]) for item in items
                if item["register_no"] == newcomer.card["register_no"]]
    assert waiting("false") == [(due, False, True)]
    assert waiting("true") == []
    assert code(client.post(path, {"reason": "自分で"}), 403) == "forbidden"
    assert code(office.post(path, {}), 400) == "schema"
    for _ in range(2):
        office.post(path, {"reason": "データの移行が終わった"}).expect(200)
    assert waiting("false") == []
    wait_for(lambda: client.get("/me/certificates").expect(200).json["items"], 10, "certificates")
    wait_mail(stack, newcomer.address, "反映されました")
    assert len(mails_to(stack, newcomer.address, "反映されました")) == 1
    detail = stack.one("SELECT detail ->> 'role', detail ->> 'reason' FROM"
                       " registration.account_history WHERE action = 'link' AND account_id = %s",
                       (newcomer.account_id(),))
    assert detail == ("office_l3", "データの移行が終わった")


def test_certification_data_is_linked_in_bulk(stack, postcards, tmp_path):
    waiting = [who for who in (Newcomer(stack, next(postcards)) for _ in range(12))
               if who.certified()][:2]
    for newcomer in waiting:
        newcomer.all_but_password()
        newcomer.password().expect(200)
    numbers = [newcomer.card["register_no"] for newcomer in waiting]

    def statuses():
        return [stack.one("SELECT my_page FROM registration.doctor WHERE register_no = %s",
                          (number,))[0] for number in numbers]
    assert len(numbers) == 2 and statuses() == ["link_pending"] * 2
    listed = tmp_path / "numbers.txt"
    listed.write_text("\n".join([*numbers, "9999999", ""]))
    tool = ["account", "link", str(listed)]
    for words in ([], ["--reason", "データの移行が終わった"]):
        with pytest.raises(Failure, match="9999999: nobody has this number"):
            stack.copy.mamisctl(*tool, *(words or ["--preview"]))
        assert statuses() == ["active" if words else "link_pending"] * 2
    for newcomer in waiting:
        wait_for(lambda who=newcomer: who.client.get("/me/certificates").expect(200).json["items"],
                 10, "certificates")
        wait_mail(stack, newcomer.address, "反映されました")
        assert stack.one("SELECT detail ->> 'role', detail ->> 'reason' FROM"
                         " registration.account_history WHERE action = 'link' AND account_id = %s",
                         (newcomer.account_id(),)) == ("operator", "データの移行が終わった")
    with pytest.raises(Failure, match="linked already"):
        stack.copy.mamisctl(*tool, "--reason", "もう一度")
    assert stack.copy.mamisctl("account", "link", "--all", "--reason", "残り").startswith("linked ")
    stack.copy.mamisctl("verify")


def test_late_links_are_told_to_the_national_office(stack):
    """Of the copy's own doctors, one who should have been linked yesterday."""
    stack.staff_client("office_l3", "--email", "office-l3@example.jp")
    change(stack, "DELETE FROM registration.daily")
    change(stack, "UPDATE registration.doctor SET my_page_at = my_page_at - interval '2 months'"
           " WHERE doctor_id = (SELECT min(doctor_id) FROM registration.doctor"
           " WHERE my_page = 'link_pending')")
    text = text_of(wait_mail(stack, "office-l3@example.jp", "期限を過ぎ"))
    assert "/desk/links" in text


def test_the_birth_date_is_asked(stack, newcomer):
    for step in (newcomer.agree, newcomer.give_email, newcomer.confirm):
        step().expect(200)
    assert newcomer.client.get("/me/profile").expect(200).json["birth_on"] is None
    answer = newcomer.profile(birth_on="1901-01-01").expect(422).json
    assert answer["code"] == "birth_on_mismatch"
    assert answer["errors"][0]["pointer"] == "/birth_on"
    assert newcomer.profile().expect(200).json["next"] == "password"


def test_a_guessed_birth_date_ends_the_postcard(stack, newcomer):
    for step in (newcomer.agree, newcomer.give_email, newcomer.confirm):
        step().expect(200)
    for day in range(1, 6):
        assert code(newcomer.profile(birth_on=f"1901-01-0{day}"), 422) == "birth_on_mismatch"
    # Suspended: the session is over, and the postcard opens nothing any more.
    assert newcomer.client.get("/me/profile").status in (401, 403)
    again = stack.client().post("/session", {"login_id": newcomer.card["login_id"],
                                             "password": newcomer.card["temporary_password"]})
    assert again.status in (401, 403)


def test_profiles_are_checked(newcomer):
    for step in (newcomer.agree, newcomer.give_email, newcomer.confirm):
        step().expect(200)
    for changes, pointer in (({"name_kana": "やまだ"}, "/name_kana"), ({"name": "　"}, "/name"),
                             ({"birth_on": "2026-13-01"}, "/birth_on"),
                             ({"birth_on": "2027-01-01"}, "/birth_on")):
        answer = newcomer.profile(**changes)
        assert answer.status in (400, 422), changes
        assert answer.json["errors"][0]["pointer"] == pointer
        assert answer.json["errors"][0]["detail"]


def test_passwords_are_long_and_not_common(stack, newcomer):
    newcomer.all_but_password()
    answer = newcomer.password("短い合言葉").expect(400, 422).json
    assert "password_too_short" in [answer["code"], *(e["code"] for e in answer["errors"])]
    # Leaked ones, from the whole of the list that the gateway runs with.
    listed = pathlib.Path(stack.copy.build, "passwords.txt").read_bytes().decode("utf-8")
    leaked = listed.removesuffix("\n").split("\n")
    assert len(leaked) > 100000
    for password in (leaked[0], leaked[len(leaked) // 2].upper(), leaked[-1]):
        answer = newcomer.password(password).expect(400, 422).json
        assert "password_common" in [answer["code"], *(e["code"] for e in answer["errors"])]
    assert newcomer.next() == "password"
    newcomer.password().expect(200)


def test_the_address_can_be_changed_later(stack, newcomer):
    newcomer.all_but_password()
    newcomer.password().expect(200)
    other = "later-" + newcomer.address
    assert newcomer.give_email(other).expect(200).json["next"] == ""
    profile = newcomer.client.get("/me/profile").expect(200).json
    assert (profile["email"], profile["pending_email"]) == (newcomer.address, other)
    stack.client().post("/password-resets", {"email": newcomer.address}).expect(202)
    reset = link_of(wait_mail(stack, newcomer.address, "再設定"))
    assert stack.client().post("/links", {"link": reset}).expect(200).json["next"] == "password"
    stack.client().post("/links", {"link": newcomer.link(other)}).expect(200)
    # What was mailed to the old address before opens nothing any more.
    assert code(stack.client().post("/links", {"link": reset}), 410) == "link_expired"
    profile = newcomer.client.get("/me/profile").expect(200).json
    assert (profile["email"], profile["pending_email"]) == (other, None)
    # Whoever reads the old address has to know; of the new one nothing is said there.
    text = text_of(wait_mail(stack, newcomer.address, "変更されました"))
    assert other not in text


def test_one_mail_an_occasion(stack, newcomer):
    newcomer.all_but_password()
    newcomer.password().expect(200)
    wait_mail(stack, newcomer.address, "登録が完了")
    assert len(mails_to(stack, newcomer.address, "確認")) == 1
    assert len(mails_to(stack, newcomer.address, "登録が完了")) == 1


# ---- sign-up without a postcard (R-ACC-04, 14, 15) ----

PNG = (pathlib.Path(__file__).parent.parent / "fuzz/corpus/document/small.png").read_bytes()
APPLICANT = {"name": "見本　花子", "name_kana": "ミホン　ハナコ", "sex": "F",
             "birth_on": "1980-05-01", "licensed_on": "2006-04-20"}


class Applicant:
    def __init__(self, stack, register_no):
        self.stack, self.register_no = stack, register_no
        self.address = f"applicant-{register_no}@example.jp"

    def start(self, **changes):
        return self.stack.client().post("/signups", {
            **APPLICANT, "register_no": self.register_no, "email": self.address, **changes})

    def link(self, subject="アドレスの確認", count=1):
        return link_of(wait_mail(self.stack, self.address, subject, count))

    def send(self, link, body=PNG, kind="image/png"):
        return self.stack.client().request("POST", "/signups/licence", body,
                                           {"Content-Type": kind, "X-Signup-Link": link})

    def submit(self):
        self.start().expect(202)
        link = self.link()
        assert self.send(link).expect(200).json == {"status": "review"}
        return link


@pytest.fixture(scope="module")
def desk(stack):
    return stack.staff_client("call_centre")


def waiting_signup(desk, applicant):
    items = desk.get("/desk/signups?status=review&limit=500").expect(200).json["items"]
    [found] = [item for item in items if item["email"] == applicant.address]
    return found


def test_from_the_sign_up_to_my_page(stack, desk):
    applicant = Applicant(stack, "9700001")
    link = applicant.submit()
    told = stack.client().post("/links", {"link": link})
    assert code(told, 410) == "link_used"
    found = waiting_signup(desk, applicant)
    assert found["known"] is None and not found["email_in_use"]
    path = f"/desk/signups/{found['signup_id']}"
    licence = desk.get(path + "/licence").expect(200)
    assert licence.body == PNG and licence.headers["Content-Type"] == "image/png"
    assert licence.headers["X-Content-Type-Options"] == "nosniff"
    assert licence.headers["Content-Disposition"].startswith("attachment;")
    for role, words in (("office_l1", ("--l1", "13001")), ("admin", ())):
        assert code(stack.staff_client(role, *words).get(path), 403) == "forbidden"
    assert code(desk.post(path + "/accept", {}), 400) == "schema"
    desk.post(path + "/accept", {"reason": "医師免許証を確認した"}).expect(200)
    desk.post(path + "/accept", {"reason": "もう一度"}).expect(200)
    assert code(desk.post(path + "/refuse", {"reason": "やはり"}), 409) == "state_conflict"
    first_login_by_link(stack, applicant)


def first_login_by_link(stack, applicant):
    """As with a postcard: the link comes back to where one was, and dies when all is done."""
    link = applicant.link("承認しました")
    for _ in range(2):
        client = stack.client()
        used = client.post("/links", {"link": link}).expect(200)
        assert used.json == {"purpose": "first_login", "next": "terms"}
    client.cookie = used.headers["Set-Cookie"].split(";")[0]
    client.csrf = client.get("/me").expect(200).json["csrf_token"]
    version = client.get("/site").expect(200).json["terms"]["version"]
    assert client.post("/me/terms", {"version": version}).expect(200).json["next"] == "profile"
    entered = {**{name: "" for name in PROFILE}, **APPLICANT}
    del entered["licensed_on"]
    wrong = client.put("/me/profile", {**entered, "birth_on": "1980-05-02"})
    assert code(wrong, 422) == "birth_on_mismatch"
    assert client.put("/me/profile", entered).expect(200).json["next"] == "password"
    assert client.put("/me/password", {"password": PASSWORD}).expect(200).json["next"] == ""
    assert client.get("/me").expect(200).json["doctor"]["status"] == "active"
    assert stack.client().sign_in(applicant.address, PASSWORD).session["next"] == ""
    assert code(stack.client().post("/links", {"link": link}), 410) == "link_used"
    assert len(mails_to(stack, applicant.address, "承認しました")) == 1


def test_a_refused_sign_up_is_told_why(stack, desk):
    applicant = Applicant(stack, "9700002")
    applicant.submit()
    path = f"/desk/signups/{waiting_signup(desk, applicant)['signup_id']}"
    desk.post(path + "/refuse", {"reason": "写しが読み取れません。"}).expect(200)
    text = text_of(wait_mail(stack, applicant.address, "お受けできません"))
    assert "写しが読み取れません。" in text and applicant.register_no not in text
    assert desk.get(path).expect(200).json["status"] == "refused"


def test_a_known_register_number_is_told_to_the_desk_only(stack, desk, newcomer):
    applicant = Applicant(stack, newcomer.card["register_no"])
    fresh = Applicant(stack, "9700003").start()
    known = applicant.start()
    assert (known.status, known.json) == (fresh.status, fresh.json) == (202, {})
    assert applicant.send(applicant.link()).expect(200).json == {"status": "review"}
    found = waiting_signup(desk, applicant)
    assert found["known"]["has_account"] and not found["known"]["same_birth_on"]
    answer = desk.post(f"/desk/signups/{found['signup_id']}/accept", {"reason": "見落とし"})
    assert code(answer, 409) == "register_no_known"


@pytest.mark.parametrize("body,kind,status,wanted", [
    (b"", "image/png", 422, "document_empty"),
    (b"PK\x03\x04" + bytes(100), "application/pdf", 415, "document_type"),
    (b"%PDF-1.7 /Encrypt %%EOF", "application/pdf", 422, "document_locked"),
    (PNG[:-4], "image/png", 422, "document_damaged"),
    (b"%PDF-1.7" + bytes(10 * 1024 * 1024), "application/pdf", 413, "document_too_large"),
    (b"{}", "application/json", 415, "content_type_bad"),
])
def test_other_files_than_documents(stack, unused_link, body, kind, status, wanted):
    applicant, link = unused_link
    assert code(applicant.send(link, body, kind), status) == wanted


@pytest.fixture(scope="module")
def unused_link(stack):
    applicant = Applicant(stack, "9700004")
    applicant.start().expect(202)
    return applicant, applicant.link()


def test_a_multipart_body_and_its_end(stack, unused_link):
    applicant, link = unused_link
    assert stack.client().post("/links", {"link": link}).expect(200).json == {
        "purpose": "signup_confirm", "next": ""}
    body = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
            + PNG + b"\r\n--x--\r\n")
    kind = "multipart/form-data; boundary=x"
    assert code(applicant.send(link[:-1] + "_", body, kind), 422) == "link_invalid"
    applicant.send(link, body, kind).expect(200)
    assert code(applicant.send(link, body, kind), 410) == "link_used"


def test_fields_of_a_sign_up_are_named(stack):
    applicant = Applicant(stack, "9700005")
    for changes, pointer in (({"name_kana": "みほん"}, "/name_kana"),
                             ({"register_no": "12 34"}, "/register_no"),
                             ({"licensed_on": "1990-01-01"}, "/licensed_on"),
                             ({"email": "a@b@c"}, "/email"), ({"sex": "X"}, "/sex")):
        answer = applicant.start(**changes)
        assert answer.status in (400, 422), changes
        assert answer.json["errors"][0]["pointer"] == pointer


def test_nobodys_mailbox_is_filled(stack):
    applicant = Applicant(stack, "9700006")
    for _ in range(5):
        applicant.start().expect(202)
    assert stack.one("SELECT count(*) FROM gateway.signup WHERE email = %s",
                     (applicant.address,)) == (3,)


# ---- the call centre's desk ----


def found_at(desk, number):
    items = desk.get(f"/desk/accounts?number={number}").expect(200).json["items"]
    assert len(items) <= 1
    return items[0] if items else None


def test_an_account_is_found_by_its_number_only(stack, desk, newcomer):
    newcomer.agree().expect(200)
    newcomer.give_email().expect(200)
    found = found_at(desk, newcomer.card["register_no"])
    assert found == found_at(desk, "000" + newcomer.card["register_no"])
    assert found["pending_email"] == "f***@e***.jp" and found["email"] is None
    assert (found["state"], found["step"], found["postcard"]) == ("temp_issued", "email_confirm",
                                                                  "good")
    assert set(found) == {"account_id", "register_no", "mamis_no", "name", "my_page", "state",
                          "step", "email", "email_confirmed", "pending_email", "pending_shared",
                          "postcard", "wait_s"}
    for number in (newcomer.card["name"], newcomer.card["register_no"] + "%", "0", "1234567890"):
        assert found_at(desk, urllib.parse.quote(number)) is None
    assert code(newcomer.client.get("/desk/accounts?number=1"), 403) == "first_login_step"
    assert code(stack.staff_client("admin").get("/desk/accounts?number=1"), 403) == "forbidden"


def act(desk, newcomer, action, status=200, reason="本人から電話があった"):
    return desk.post(f"/desk/accounts/{newcomer.account_id()}/{action}",
                     {"reason": reason}).expect(status).json


def history(newcomer, action):
    return newcomer.stack.one(
        "SELECT count(*), max(detail ->> 'role'), max(detail ->> 'reason') FROM"
        " registration.account_history WHERE account_id = %s AND action = %s",
        (newcomer.account_id(), action))


def test_a_postcard_is_issued_again_at_the_desk(stack, desk, newcomer):
    newcomer.agree().expect(200)
    before = newcomer.card
    answer = act(desk, newcomer, "reissue")
    path = pathlib.Path(stack.copy.paths.postcards) / answer["file"]
    assert path.stat().st_mode & 0o777 == 0o600
    with open(path, encoding="utf-8", newline="") as file:
        [newcomer.card] = csv.DictReader(file)
    assert newcomer.card["register_no"] == before["register_no"]
    assert newcomer.card["temporary_password"] not in str(answer)
    dead = stack.client().post("/session", {"login_id": before["login_id"],
                                            "password": before["temporary_password"]})
    assert code(dead, 401) == "sign_in_failed"
    assert newcomer.client.get("/me").status == 401
    newcomer.client = newcomer.sign_in()
    assert newcomer.client.session["next"] == "terms"
    assert history(newcomer, "reissue") == (1, "call_centre", "本人から電話があった")
    newcomer.all_but_password()
    newcomer.password().expect(200)
    files = set(path.parent.iterdir())
    assert act(desk, newcomer, "reissue", 409)["code"] == "state_conflict"
    assert set(path.parent.iterdir()) == files


def test_a_postcard_is_the_printers_once_it_is_in_force(stack, desk, newcomer):
    """Its file has another name until then: a gateway that dies leaves him nothing to print."""
    folder = pathlib.Path(stack.copy.paths.postcards)
    before = set(folder.iterdir())
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with stack.sql() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM gateway.temp_credential WHERE account_id = %s FOR UPDATE",
                           (newcomer.account_id(),))
            reissued = pool.submit(act, desk, newcomer, "reissue")
            wait_for(lambda: set(folder.iterdir()) - before, 30, "the file")
            assert {path.suffix for path in set(folder.iterdir()) - before} == {".part"}
            cursor.execute("COMMIT")
        answer = reissued.result()
    assert set(folder.iterdir()) - before == {folder / answer["file"]}
    assert answer["file"].endswith(".csv")


def test_the_waits_after_failures_are_lifted(stack, desk, newcomer):
    newcomer.all_but_password()
    newcomer.password().expect(200)
    tried = [stack.client().post("/session", {"login_id": newcomer.mamis_no, "password": "x" * 13})
             for _ in range(7)]
    assert tried[-1].json["code"] == "sign_in_throttled"
    assert found_at(desk, newcomer.mamis_no)["wait_s"] > 0
    act(desk, newcomer, "unlock")
    assert found_at(desk, newcomer.mamis_no)["wait_s"] == 0
    assert stack.client().sign_in(newcomer.mamis_no, PASSWORD).session["next"] == ""
    assert history(newcomer, "unlock")[0] == 1


def test_a_link_is_mailed_again(stack, desk, newcomer):
    newcomer.agree().expect(200)
    assert act(desk, newcomer, "resend", 409)["code"] == "state_conflict"
    newcomer.give_email().expect(200)
    first = newcomer.link()
    act(desk, newcomer, "resend")
    again = newcomer.another_link(first)
    assert stack.client().post("/links", {"link": again}).expect(200).json["next"] == "profile"
    newcomer.profile().expect(200)
    newcomer.password().expect(200)
    act(desk, newcomer, "resend")
    wait_mail(stack, newcomer.address, "パスワード再設定")
    assert history(newcomer, "resend")[0] == 2


def test_an_address_is_shared_when_the_desk_lets_them(stack, desk, newcomer, postcards):
    newcomer.all_but_password()
    known = newcomer.link()
    second = Newcomer(stack, next(postcards))
    second.agree().expect(200)
    second.give_email(newcomer.address).expect(200)
    refused = second.another_link(known, newcomer.address)
    assert code(stack.client().post("/links", {"link": refused}), 409) == "email_in_use"
    assert found_at(desk, second.card["register_no"])["pending_shared"]
    act(desk, second, "share-email")
    wait_mail(stack, newcomer.address, "確認", 3)
    [link] = {link_of(mail) for mail in mails_to(stack, newcomer.address, "確認")} - {known, refused}
    assert stack.client().post("/links", {"link": link}).expect(200).json["next"] == "profile"
    assert history(second, "share_email")[0] == 1


def test_a_suspension_is_lifted(stack, desk, newcomer):
    assert act(desk, newcomer, "restore", 409)["code"] == "state_conflict"
    newcomer.all_but_password()
    newcomer.password().expect(200)
    stack.copy.mamisctl("account", "suspend", "--register-no", newcomer.card["register_no"])
    assert found_at(desk, newcomer.mamis_no)["state"] == "suspended"
    act(desk, newcomer, "restore")
    assert stack.client().sign_in(newcomer.mamis_no, PASSWORD).session["next"] == ""
