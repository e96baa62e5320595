"""Texts over HTTP: writing, drafts, files; webhooks of gateways, signed and forged; files that come with texts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from twilio.request_validator import RequestValidator

from aircall_core.desk import attachments, media_links, messages, outbox
from aircall_core.domain.message import Outcome, State
from aircall_core.ids import new_id, now_ms
from aircall_core.messaging import media, webhook
from aircall_core.messaging.port import Text, http_client
from aircall_core.messaging.twilio import Twilio
from aircall_core.store import due
from aircall_core.store import messages as rows
from aircall_core.store import tables as t
from tests.service.conftest import DESK, World
from tests.support.desk_kit import add_line
from tests.support.text_gateway import SECRET, add_account
from tests.support.web_files import WebFiles, web_files

TOKEN = "0123456789abcdef0123456789abcdef"
CUSTOMER, LINE = "+33611223344", "+33123456789"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


class Office:
    """A line with texts, an agent of it (Ann) and one who is not (Bo)."""

    def __init__(self, world: World, kind: str, secret: str, **settings: object) -> None:
        self.world, self.account = world, new_id()
        with world.store.write() as tx:
            self.line = add_line(tx, number=LINE)
            add_account(tx, self.account, kind, world.desk.box.seal(secret), **settings)
            tx.execute(update(t.lines).values(message_account_id=self.account))
        self.ann = world.user("Ann", lines=(self.line,))
        self.bo = world.user("Bo")

    def begin(self) -> str:
        """A conversation that the customer began."""
        with self.world.store.write() as tx:
            message = messages.receive(
                tx, line_id=self.line, account_id=self.account, number=CUSTOMER, body="Hello", remote_id=new_id(),
                at=tx.now_ms(), actor="desk",
            )  # fmt: skip
            assert message is not None
            row = rows.get(tx.conn, message)
        assert row is not None
        return str(row["conversation_id"])

    def ask(self, method: str, path: str, user: str | None = None, **more: Any) -> Any:
        """Ann's browser asks (or another's)."""
        return self.world.ask(method, path, user or self.ann, **more)

    def texts(self) -> list[dict[str, Any]]:
        """All texts, oldest first."""
        with self.world.store.read() as conn:
            return [dict(one) for one in conn.execute(select(t.messages).order_by(t.messages.c.at)).mappings()]

    def file(self) -> dict[str, Any]:
        """The only file."""
        with self.world.store.read() as conn:
            return dict(conn.execute(select(t.attachments)).mappings().one())

    def twilio(self, form: dict[str, str], *, token: str = TOKEN, path: str = "", sign: str = "") -> Any:
        """A webhook as Twilio sends it, signed by its SDK."""
        url = f"{DESK}/hooks/twilio/{self.account}{path}"
        signature = RequestValidator(token).compute_signature(sign or url, form)
        return self.world.client.post(url, data=form, headers={"x-twilio-signature": signature})

    def hook(self, given: dict[str, Any], *, secret: str = SECRET, path: str = "", **headers: str) -> Any:
        """A request of the company's own gateway."""
        body = json.dumps(given)
        url = f"/hooks/messages/{self.account}{path}"
        return self.world.client.post(url, content=body, headers=webhook.signed(secret, new_id(), body) | headers)

    def fetch(self) -> int | None:
        """Do the fetching that is due."""
        store = self.world.store
        with store.write() as tx:
            (job,) = due.claim(tx.conn, [messages.FETCH], "pytest", now_ms() + 1, now_ms() + 60_000, 5)
        return media.fetch_due(store, self.world.desk.settings, job)


@pytest.fixture
def office(world: World) -> Office:
    """Texts by a webhook of our own."""
    return Office(world, "webhook", SECRET, url="http://127.0.0.1:9/", private=True)


@pytest.fixture
def twilio_office(world: World) -> Office:
    """Texts by Twilio, whose files may lie on this machine."""
    return Office(world, "twilio", TOKEN, account_sid="AC1", private=True, api_url="http://127.0.0.1:9")


@pytest.fixture
def files() -> Iterator[WebFiles]:
    """A web server with files."""
    with web_files() as server:
        yield server


def mms(url: str, sid: str = "MM1") -> dict[str, str]:
    """What Twilio posts for an MMS."""
    return {
        "MessageSid": sid, "SmsSid": sid, "AccountSid": "AC1", "From": CUSTOMER, "To": LINE, "Body": "Look 😀",
        "NumMedia": "1", "MediaUrl0": url, "MediaContentType0": "image/png", "SomethingNew": "1",
    }  # fmt: skip


def test_twilio_brings_an_mms_once(twilio_office: Office, files: WebFiles) -> None:
    office = twilio_office
    files.put("/media", PNG, "text/html")
    for _ in range(2):  # it repeats what it got no answer to
        answer = office.twilio(mms(files.url("/media")))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert "<Response/>" in answer.text
    (text,) = office.texts()
    assert (text["state"], text["body"], text["party"]) == ("received", "Look 😀", CUSTOMER)
    waiting = office.ask("GET", f"/desk/attachments/{office.file()['id']}")
    assert waiting.status_code == 410
    assert office.fetch() is None
    row = office.file()
    assert (row["content_type"], row["size_bytes"], row["reason"], row["source"]) == ("image/png", len(PNG), None, None)
    answer = office.ask("GET", f"/desk/attachments/{row['id']}")
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline")
    assert office.ask("GET", f"/desk/attachments/{row['id']}", office.bo).status_code == 404
    path = office.world.desk.settings.data_dir / row["path"]
    assert path.stat().st_mode & 0o077 == 0
    kinds = [one.kind for one in office.world.store.events(0) if one.kind.startswith("message.")]
    assert kinds == ["message.received", "message.files"]


def test_twilio_answers_its_own_words_and_we_the_others(twilio_office: Office) -> None:
    def said(sid: str, body: str, **more: str) -> tuple[list[bool], int]:
        """The changes so far, and how many confirmations."""
        form = {"MessageSid": sid, "From": CUSTOMER, "To": LINE, "Body": body, **more}
        assert twilio_office.twilio(form).status_code == 200
        events = twilio_office.world.store.events(0)
        changes = [bool(one.event.data["out"]) for one in events if one.kind == "opt_out.changed"]
        return changes, sum(one["direction"] == "outbound" for one in twilio_office.texts())

    assert said("1", "Yes") == ([], 0), "an answer like any other"
    assert said("2", "STOP ") == ([True], 0)
    assert said("3", "yes") == ([True, False], 0)
    assert said("4", "ARRÊT") == ([True, False, True], 1), "Twilio knows no French: it is for us to confirm"
    assert said("5", "REPRENDRE") == ([True, False, True, False], 2)
    assert said("6", "Lass mich", OptOutType="STOP") == ([True, False, True, False, True], 2)
    assert said("7", "Doch", OptOutType="START")[0][-1] is False
    assert said("8", "Hilfe", OptOutType="HELP") == ([True, False, True, False, True, False], 2)


def test_a_forged_webhook_is_refused_and_nothing_happens(twilio_office: Office) -> None:
    office, form = twilio_office, mms("https://example.com/")
    other = f"{DESK}/hooks/twilio/{new_id()}"
    assert office.twilio(form, token="f" * 32).status_code == 403
    assert office.twilio(form, sign=other).status_code == 403, "signed for another address"
    url = f"{DESK}/hooks/twilio/{office.account}"
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    changed = office.world.client.post(url, data=form | {"Body": "!"}, headers={"x-twilio-signature": signature})
    unknown = office.world.client.post(other, data=form, headers={"x-twilio-signature": signature})
    assert [one.status_code for one in (changed, unknown)] == [403, 403]
    assert changed.json()["error"]["code"] == unknown.json()["error"]["code"] == "forged"
    assert office.texts() == []


def test_a_text_to_no_line_of_ours(twilio_office: Office) -> None:
    answer = twilio_office.twilio(mms("https://example.com/") | {"To": "+33199999999"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_line")


def test_twilio_reports_of_a_text_by_our_id(twilio_office: Office) -> None:
    office = twilio_office
    conversation = office.begin()
    sent = office.ask(
        "POST", f"/desk/conversations/{conversation}/messages", json={"text": "Hi", "command": new_id()}
    ).json()
    with office.world.store.write() as tx:
        outbox.claim(tx, sent["message"], "outbox:1", 1, "desk")
    path = f"/status?message={sent['message']}&try=1"
    form = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    assert office.twilio(form, path=path).status_code == 204
    text = office.texts()[-1]
    assert (text["state"], text["remote_id"]) == ("delivered", "SM9")
    assert office.twilio(form, path=path, token="f" * 32).status_code == 403
    assert office.twilio({"MessageSid": "SM8", "MessageStatus": "undelivered"}, path="/status").status_code == 204


def test_the_sdk_sends_and_says_what_is_certain(files: WebFiles) -> None:
    text = Text("m1", 1, LINE, CUSTOMER, "Hello", status_url="https://desk.example/hooks")
    with http_client() as client:
        gateway = Twilio(client, "AC1", TOKEN, api_url=files.url(""))
        path = "/2010-04-01/Accounts/AC1/Messages.json"
        files.put(path, json.dumps({"sid": "SM1", "status": "queued"}).encode(), "application/json", 201)
        assert gateway.send(text) == Outcome(State.SENT, remote_id="SM1")
        assert "StatusCallback=https" in files.posted[-1]
        assert "Body=Hello" in files.posted[-1]
        for status, code, state, reason, again in (
            (400, 21610, "failed", "opted_out", False),
            (400, 21211, "failed", "not_a_number", False),
            (400, 30000, "failed", "refused", False),
            (401, 20003, "failed", "credentials", True),
            (429, 20429, "failed", "unreachable", True),
            (500, 20500, "unknown", "broken", False),
        ):
            body = json.dumps({"code": code, "message": "no", "status": status}).encode()
            files.put(path, body, "application/json", status)
            found = gateway.send(text)
            assert (found.state, found.reason, found.again, found.remote_code) == (state, reason, again, str(code))
        files.put("/2010-04-01/Accounts/AC1.json", b'{"sid": "AC1"}', "application/json")
        assert gateway.check().state == "sent"
        refused = Twilio(client, "AC1", TOKEN, api_url="http://127.0.0.1:9").send(text)
        assert (refused.state, refused.again) == ("failed", True), "nothing went out"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/secret", "refused"),
        ("https://localhost/secret", "refused"),
        ("https://[::1]/secret", "refused"),
        ("https://10.0.0.1/secret", "refused"),
        ("https://169.254.169.254/latest/meta-data", "refused"),
        ("https://[::ffff:10.0.0.1]/", "refused"),
        ("http://93.184.215.14/plain", "refused"),
        ("file:///etc/passwd", "refused"),
        ("nonsense", "refused"),
    ],
)
def test_files_of_private_networks_are_not_fetched(url: str, reason: str) -> None:
    with pytest.raises(media.FetchError) as refused:
        media.fetch(url, None, "", private=False)
    assert (refused.value.reason, refused.value.again) == (reason, False)


def test_what_is_fetched_is_small_and_of_a_kind_and_credentials_stay_at_home(files: WebFiles) -> None:
    files.put("/page", b"<html>", "image/png")
    files.put("/big", b"\xff\xd8\xff" + b"\0" * media.LARGEST, "image/jpeg")
    files.put("/there", PNG, "image/png")
    files.redirect("/from", files.url("/there").replace("127.0.0.1", "localhost"))
    files.redirect("/round", files.url("/round"))
    files.redirect("/inside", "file:///etc/passwd")
    auth = ("AC1", TOKEN)
    assert media.fetch(files.url("/from"), auth, "127.0.0.1", private=True) == PNG
    asked = dict(files.authorised)
    assert asked["/from"].startswith("Basic ")
    assert asked["/there"] == "", "another host does not get our credentials"
    for path, reason, again in (("/big", "too_large", False), ("/round", "refused", False),
                                ("/inside", "refused", False), ("/none", "unreachable", True)):  # fmt: skip
        with pytest.raises(media.FetchError) as wrong:
            media.fetch(files.url(path), None, "", private=True)
        assert (wrong.value.reason, wrong.value.again) == (reason, again), path


def test_a_file_that_is_none_says_why_and_one_that_is_away_is_tried_again(office: Office, files: WebFiles) -> None:
    files.put("/page", b"<script>alert(1)</script>", "image/png")
    files.put("/away", b"", "image/png", 503)
    media_of = {"from": CUSTOMER, "to": LINE, "body": ""}
    answer = office.hook({"id": "1", **media_of, "media": [{"url": files.url("/page"), "name": "a.png"}]})
    assert answer.status_code == 200
    assert office.fetch() is None
    assert (office.file()["reason"], office.file()["path"]) == ("type", "")
    with office.world.store.write() as tx:
        tx.execute(update(t.attachments).values(reason=None, source=files.url("/away")))
        due.put(tx.conn, messages.FETCH, office_file(tx.conn), tx.now_ms())
    again = office.fetch()
    assert again is not None
    assert again > now_ms()


def office_file(conn: Any) -> str:
    """The only file's id."""
    return str(conn.scalar(select(t.attachments.c.id)))


def test_the_generic_webhook_both_ways(office: Office) -> None:
    given = {"id": "r-1", "from": CUSTOMER, "to": LINE, "body": "Bonjour"}
    first = office.hook(given)
    assert first.status_code == 200
    assert office.hook(given).json() == first.json(), "once, however often it comes"
    assert [one["body"] for one in office.texts()] == ["Bonjour"]
    other = SECRET[:-4] + "abcd"
    assert office.hook(given, secret=other).status_code == 403
    assert office.hook(given, **{"webhook-timestamp": "1000000000"}).status_code == 403, "an old one, replayed"
    assert office.hook({"id": "2"}).status_code == 422
    assert office.hook({"id": "r-1", "state": "delivered"}, path="/status").status_code == 404, "not one we sent"
    conversation = office.texts()[0]["conversation_id"]
    sent = office.ask("POST", f"/desk/conversations/{conversation}/messages", json={"text": "1", "command": new_id()})
    with office.world.store.write() as tx:
        outbox.claim(tx, sent.json()["message"], "outbox:1", 1, "desk")
    report = {"message": sent.json()["message"], "state": "failed", "code": "no_such_number"}
    assert office.hook(report, path="/status").status_code == 204
    text = office.texts()[-1]
    assert (text["state"], text["reason"], text["remote_code"]) == ("failed", "undelivered", "no_such_number")


def test_a_late_report_of_an_earlier_try_says_nothing_of_the_last(office: Office) -> None:
    url = f"/desk/conversations/{office.begin()}/messages"
    message = office.ask("POST", url, json={"text": "Hi", "command": new_id()}).json()["message"]
    with office.world.store.write() as tx:
        for _ in range(2):
            outbox.claim(tx, message, "outbox:1", 1, "desk")
            outbox.settle(tx, message, "outbox:1", Outcome(State.FAILED, again=True, pause_s=0), 2, "desk")
        outbox.claim(tx, message, "outbox:1", 3, "desk")
        outbox.settle(tx, message, "outbox:1", Outcome(State.SENT), 4, "desk")
    for tried, state in ((1, "sent"), (2, "sent"), (3, "failed")):
        path = f"/status?message={message}&try={tried}"
        assert office.hook({"message": message, "state": "failed"}, path=path).status_code == 204
        assert office.texts()[-1]["state"] == state


def test_a_text_with_files_is_not_sent_again_without_them(office: Office) -> None:
    url = f"/desk/conversations/{office.begin()}"
    made = office.ask("POST", f"{url}/attachments?name=a.png", content=PNG).json()["id"]
    body = {"text": "", "attachments": [made], "command": new_id()}
    message = office.ask("POST", f"{url}/messages", json=body).json()["message"]
    with office.world.store.write() as tx:
        tx.execute(update(t.messages).where(t.messages.c.id == message).values(state="failed"))
        tx.execute(insert(t.message_accounts).values(id="sip", name="S", kind="sip", settings={}, created_at=1))
        tx.execute(update(t.lines).values(message_account_id="sip"))
    refused = office.ask("POST", f"/desk/messages/{message}/resend", json={"command": new_id()})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_files")
    assert office.texts()[-1]["state"] == "failed"


def test_writing_to_a_customer(office: Office) -> None:
    conversation = office.begin()
    url, command = f"/desk/conversations/{conversation}", new_id()
    composer = office.ask("GET", f"{url}/composer").json()
    assert composer["eligibility"] == {"ok": True, "code": None, "message": None}
    assert (composer["kind"], composer["mms"], composer["opted_out"]) == ("webhook", True, False)
    made = office.ask("POST", f"{url}/attachments?name=My%20cat.exe", content=PNG)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"], "name": "My cat.png", "content_type": "image/png", "size": len(PNG), "reason": None,
        "ready": True,
    }  # fmt: skip
    draft = {"text": "Hi", "attachments": [made.json()["id"]], "version": 0, "command": new_id()}
    assert office.ask("PUT", f"{url}/draft", json=draft).json() == {"version": 1}
    changed = office.ask("PUT", f"{url}/draft", json=draft | {"text": "Ho"})
    assert (changed.status_code, changed.json()["error"]["code"], changed.json()["error"]["text"]) == (
        409, "changed", "Hi",
    )  # fmt: skip
    assert office.ask("GET", f"/desk/attachments/{made.json()['id']}").status_code == 200
    admin = office.world.user("Ada", "administrator")
    assert office.ask("GET", f"/desk/attachments/{made.json()['id']}", admin).status_code == 404, "Ann's draft is hers"
    body = {"text": " Hi Ø ", "attachments": draft["attachments"], "command": command}
    sent = [office.ask("POST", f"{url}/messages", json=body) for _ in range(2)]
    assert [one.status_code for one in sent] == [202, 202]
    assert sent[0].json() == sent[1].json(), "one text, however often it is posted"
    text = office.texts()[-1]
    assert (text["body"], text["state"], text["user_id"]) == ("Hi Ø", "queued", office.ann)
    assert office.ask("GET", f"{url}/draft").json() == {"text": "", "attachments": [], "version": 2}
    with office.world.store.read() as conn:
        shown = rows.shown(conn, [text["id"]])[text["id"]]
    assert [one["id"] for one in shown["files"]] == draft["attachments"]
    assert shown["user"] == {"id": office.ann, "name": "Ann"}
    taken = office.ask("DELETE", f"/desk/attachments/{made.json()['id']}")
    assert taken.status_code == 409
    assert office.ask("POST", f"{url}/messages", office.bo, json=body | {"command": new_id()}).status_code == 404
    for wrong, field in (
        ({"text": " "}, "text"),
        ({"text": "x" * 1601}, "text"),
        ({"attachments": ["x"]}, "attachments"),
    ):
        answer = office.ask("POST", f"{url}/messages", json={"text": "a", "command": new_id(), **wrong})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])


def test_what_is_too_long_is_said_in_words_and_emoji_count_once(office: Office) -> None:
    url = f"/desk/conversations/{office.begin()}"
    kept = office.ask("POST", f"{url}/notes", json={"text": "😀" * 20_000, "command": new_id()})
    assert kept.status_code == 201
    draft = {"attachments": [], "version": 0, "command": new_id()}
    refused = office.ask("PUT", f"{url}/draft", json={**draft, "text": "😀" * 6_401})
    assert refused.json()["error"]["fields"] == {"text": "Use at most 6,400 characters."}
    assert office.ask("PUT", f"{url}/draft", json={**draft, "text": "😀" * 6_400}).status_code == 200
    sent = office.ask("POST", f"{url}/messages", json={"text": "😀" * 1_601, "command": new_id()})
    assert sent.json()["error"]["fields"] == {"text": "Use at most 1,600 characters."}
    assert office.ask("POST", f"{url}/messages", json={"text": "😀" * 1_600, "command": new_id()}).status_code == 202


def test_a_file_that_texts_do_not_carry(office: Office) -> None:
    url = f"/desk/conversations/{office.begin()}/attachments?name=x.svg"
    assert office.ask("POST", url, content=b"<svg onload=alert(1)>").status_code == 422
    assert office.ask("POST", url, content=b"").status_code == 422
    assert office.ask("POST", url, content=PNG + b"\0" * 5_000_000).status_code in (413, 422)
    assert office.ask("POST", url, office.bo, content=PNG).status_code == 404
    folder = office.world.desk.settings.data_dir / attachments.FOLDER
    assert not folder.exists() or not [one for one in folder.rglob("*") if one.is_file()]


def test_an_upload_that_nobody_sent_is_deleted(office: Office) -> None:
    made = office.ask("POST", f"/desk/conversations/{office.begin()}/attachments?name=x.png", content=PNG).json()
    path = Path(office.world.desk.settings.data_dir / office.file()["path"])
    assert path.is_file()
    assert office.ask("DELETE", f"/desk/attachments/{made['id']}", office.bo).status_code == 404
    assert office.ask("DELETE", f"/desk/attachments/{made['id']}").status_code == 204
    assert not path.exists()
    assert office.ask("GET", f"/desk/attachments/{made['id']}").status_code == 404


def test_a_gateway_fetches_a_file_by_a_link_that_runs_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made = office.ask("POST", f"/desk/conversations/{office.begin()}/attachments?name=x.png", content=PNG).json()
    box = office.world.desk.box
    link = f"/hooks/media/{media_links.made(box, made['id'])}"
    assert office.world.client.get(link).content == PNG
    assert office.world.client.get(f"/hooks/media/{box.seal('a password')}").status_code == 403
    late = now_ms() / 1000 + 25 * 3600
    monkeypatch.setattr("aircall_core.desk.media_links.time.time", lambda: late)
    assert office.world.client.get(link).status_code == 403


def test_why_a_text_cannot_be_sent(office: Office) -> None:
    conversation = office.begin()

    def why() -> str:
        code = office.ask("GET", f"/desk/conversations/{conversation}/composer").json()["eligibility"]["code"]
        body = {"text": "Hi", "command": new_id()}
        sent = office.ask("POST", f"/desk/conversations/{conversation}/messages", json=body)
        assert (sent.status_code, sent.json()["error"]["code"]) == (409, code)
        return str(code)

    store = office.world.store

    def change(table: Any, **values: Any) -> None:
        with store.write() as tx:
            tx.execute(update(table).values(**values))

    with store.write() as tx:
        messages.receive(
            tx, line_id=office.line, account_id=office.account, number=CUSTOMER, body="Arrêt !", remote_id="s",
            at=tx.now_ms(), actor="desk",
        )  # fmt: skip
    assert why() == "opted_out"
    assert office.texts()[-1]["body"].startswith("Support: you will get no more texts"), "confirmed once"
    change(t.conversations, party="anonymous")
    assert why() == "not_a_number"
    change(t.message_accounts, enabled=False)
    assert why() == "account_off"
    change(t.lines, message_account_id=None)
    assert why() == "no_account"
    with store.write() as tx:
        tx.execute(update(t.settings).where(t.settings.c.key == "plan").values(value={"plan": "professional"}))
    assert why() == "plan"


def test_opting_out_stops_what_is_queued_and_start_opens_again(office: Office) -> None:
    conversation = office.begin()
    url = f"/desk/conversations/{conversation}/messages"
    queued = office.ask("POST", url, json={"text": "Offer!", "command": new_id()}).json()["message"]
    for word, remote in (("STOP", "1"), ("stop", "2"), ("START", "3"), ("Hello", "4")):
        assert office.hook({"id": remote, "from": CUSTOMER, "to": LINE, "body": word}).status_code == 200
    texts = {one["id"]: one for one in office.texts()}
    assert (texts[queued]["state"], texts[queued]["reason"]) == ("failed", "opted_out")
    said = [one["body"] for one in texts.values() if one["direction"] == "outbound" and one["user_id"] is None]
    assert len(said) == 2, "one confirmation of each change"
    changes = [one.event.data["out"] for one in office.world.store.events(0) if one.kind == "opt_out.changed"]
    assert changes == [True, False]
    resent = office.ask("POST", f"/desk/messages/{queued}/resend", json={"command": new_id()})
    assert resent.status_code == 202
    assert (
        office.ask("POST", f"/desk/messages/{queued}/resend", office.bo, json={"command": new_id()}).status_code == 404
    )


def test_a_conversation_that_begins_with_a_text(office: Office) -> None:
    shown = {"lines": [{"id": office.line, "name": "Support"}]}
    assert office.ask("GET", "/desk/text-lines").json() == shown
    assert office.ask("GET", "/desk/text-lines", office.bo).json() == {"lines": []}, "not Bo's line"
    url, command = f"/desk/lines/{office.line}/messages", new_id()
    body = {"to": "06 55 55 55 55", "text": "Hello", "command": command}
    sent = [office.ask("POST", url, json=body).json() for _ in range(2)]
    assert sent[0] == sent[1]
    assert office.texts()[-1]["party"] == "+33655555555"
    assert office.ask("POST", url, office.bo, json=body | {"command": new_id()}).status_code == 404
    # Not a number; an emergency; a premium rate; a country that the company does not allow.
    for to in ("abc", "112", "+33899700000", "+8821612345678"):
        refused = office.ask("POST", url, json=body | {"to": to, "command": new_id()})
        assert refused.status_code in (409, 422), to
    cleo = office.world.user("Cleo", lines=(office.line,))
    assert office.ask("POST", url, cleo, json=body).json()["error"]["code"] == "command_used"
    events = [one.kind for one in office.world.store.events(0) if one.event.conversation_id == sent[0]["conversation"]]
    assert events == ["conversation.opened", "message.written"]


def test_senders_that_are_names_have_conversations_of_their_own_and_nobody_answers_them(office: Office) -> None:
    for place, sender in enumerate(("AMAZON", "Bank 24", "<b>x</b>\u202e")):
        given = {"id": str(place), "from": sender, "to": LINE, "body": "Your code"}
        assert office.hook(given).status_code == 200
    texts = office.texts()
    assert {one["party"] for one in texts} == {"AMAZON", "Bank 24", "<b>x</b>"}
    assert len({one["conversation_id"] for one in texts}) == 3
    composer = office.ask("GET", f"/desk/conversations/{texts[0]['conversation_id']}/composer").json()
    assert composer["eligibility"]["code"] == "not_a_number"


def test_a_blocked_sender_is_not_filed(office: Office) -> None:
    with office.world.store.write() as tx:
        tx.execute(insert(t.blocked_numbers).values(id=new_id(), pattern=CUSTOMER, created_at=1))
    answer = office.hook({"id": "1", "from": CUSTOMER, "to": LINE, "body": "Buy!"})
    assert (answer.status_code, answer.json()) == (200, {"message": None})
    assert office.texts() == []


def test_the_figures_say_what_waits_and_which_gateway_is_away(office: Office) -> None:
    office.begin()
    for _ in range(2):
        body = {"to": CUSTOMER, "text": "Hello", "command": new_id()}
        assert office.ask("POST", f"/desk/lines/{office.line}/messages", json=body).status_code == 202
    with office.world.store.write() as tx:
        rows.set_account_state(tx.conn, office.account, "failing", "unreachable", 1)
    office.world.client._transport.client = ("127.0.0.1", 5000)
    lines = office.world.client.get("/metrics").text.splitlines()
    assert 'aircall_texts{state="queued"} 2.0' in lines
    assert 'aircall_texts{state="sending"} 0.0' in lines
    assert "aircall_text_accounts_failing 1.0" in lines


def test_nobody_makes_us_write_to_a_premium_number(office: Office) -> None:
    given = {"id": "1", "from": "+33899700000", "to": LINE, "body": "STOP"}
    assert office.hook(given).status_code == 200
    assert [one["direction"] for one in office.texts()] == ["inbound"], "opted out, and not confirmed"
