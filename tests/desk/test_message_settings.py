"""Accounts for texts and templates: what is refused at which field, secrets, and what stays in use."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import lines, message_accounts, message_templates
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.desk.secrets import SecretBox, open_box
from aircall_core.ids import new_id
from aircall_core.store import Store, message_settings
from aircall_core.store import tables as t
from tests.support.desk_kit import add_line

TWILIO: dict[str, Any] = {"name": "Twilio", "kind": "twilio", "settings": {"account_sid": "AC" + "0" * 32}}
WEBHOOK: dict[str, Any] = {"name": "Own", "kind": "webhook", "settings": {"url": "https://texts.example.com/send"}}


@pytest.fixture
def box(tmp_path: Path) -> SecretBox:
    return open_box(tmp_path)


def add(store: Store, box: SecretBox, secret: str = "", **wanted: Any) -> tuple[str, str]:
    with store.write() as tx:
        return message_accounts.create(tx, "user:u", box, secret=secret, **wanted)


def mistakes(wrong: Invalid) -> set[str]:
    fields = wrong.details["fields"]
    assert isinstance(fields, dict)
    return set(fields)


def wrong_fields(store: Store, box: SecretBox, secret: str = "", **wanted: Any) -> set[str]:
    with pytest.raises(Invalid) as wrong:
        add(store, box, secret, **wanted)
    return mistakes(wrong.value)


def test_an_account_keeps_its_secret_to_itself(store: Store, box: SecretBox) -> None:
    account, made = add(store, box, "the-token", **TWILIO)
    assert made == ""
    with store.read() as conn:
        shown = message_settings.accounts_list(conn)
        audit = conn.execute(select(t.audit.c.changes)).scalars().all()
        sealed = conn.scalar(select(t.message_accounts.c.secret))
    assert "the-token" not in json.dumps([shown, audit, sealed])
    assert box.open(str(sealed)) == "the-token"
    assert (shown[0]["id"], shown[0]["has_secret"], "secret" in shown[0]) == (account, True, False)
    with store.write() as tx:
        message_accounts.change(tx, "user:u", box, account, name="Other")
    with store.read() as conn:
        assert box.open(str(conn.scalar(select(t.message_accounts.c.secret)))) == "the-token"


def test_a_webhook_gets_a_signing_secret_unless_it_brings_one(store: Store, box: SecretBox) -> None:
    _, made = add(store, box, **WEBHOOK)
    assert made.startswith("whsec_")
    again = {**WEBHOOK, "name": "Own too"}
    assert add(store, box, made, **again)[1] == ""
    assert wrong_fields(store, box, "whsec_short", **{**WEBHOOK, "name": "x"}) == {"secret"}


def test_what_is_wrong_is_said_at_its_field(store: Store, box: SecretBox) -> None:
    add(store, box, "s", **TWILIO)
    assert wrong_fields(store, box, "s", **{**TWILIO, "name": "twilio"}) == {"name"}
    assert wrong_fields(store, box, name="x", kind="pigeon") == {"kind"}
    assert wrong_fields(store, box, name="", kind="twilio", settings={"account_sid": "AC1"}) == {
        "name", "account_sid", "secret",
    }  # fmt: skip
    for url in ("", "ftp://x.org", "https://user:pw@x.org/", "https://x.org/ a", "https://", "javascript:alert(1)"):
        assert wrong_fields(store, box, name="x", kind="webhook", settings={"url": url}) == {"url"}, url
    assert wrong_fields(store, box, name="x", kind="sip") == {"trunk_id"}
    assert wrong_fields(store, box, name="x", kind="sip", trunk_id="nothing") == {"trunk_id"}
    with store.write() as tx:
        tx.execute(
            insert(t.trunks).values(id="T" * 26, name="In", kind="address", cidrs=["192.0.2.0/24"], created_at=1)
        )
    assert wrong_fields(store, box, name="x", kind="sip", trunk_id="T" * 26) == {"trunk_id"}, "it takes nothing out"
    with store.write() as tx:
        tx.execute(update(t.trunks).values(outbound_host="192.0.2.1"))
    assert add(store, box, name="x", kind="sip", trunk_id="T" * 26)[1] == ""


def test_an_account_in_use_stays(store: Store, box: SecretBox) -> None:
    account, _ = add(store, box, "s", **TWILIO)
    with store.write() as tx:
        line = add_line(tx)
        lines.change(tx, "user:u", line, message_account_id=account, auto_close_min=60)
        row = tx.conn.execute(select(t.lines).where(t.lines.c.id == line)).mappings().one()
        assert (row["message_account_id"], row["auto_close_min"]) == (account, 60)
    with store.write() as tx, pytest.raises(DeskError, match="Support"):
        message_accounts.remove(tx, "user:u", account)
    with store.write() as tx:
        lines.change(tx, "user:u", line, message_account_id="", auto_close_min=0)
        message_accounts.remove(tx, "user:u", account)
        assert message_settings.accounts_list(tx.conn) == []
    with store.write() as tx, pytest.raises(Invalid) as wrong:
        lines.change(tx, "user:u", line, message_account_id=account, auto_close_min=10**7)
    assert mistakes(wrong.value) == {"message_account_id", "auto_close_min"}


def test_an_account_with_texts_on_their_way_stays(store: Store, box: SecretBox) -> None:
    account, _ = add(store, box, "s", **TWILIO)
    with store.write() as tx:
        line, conversation = add_line(tx), new_id()
        tx.execute(insert(t.conversations).values(id=conversation, line_id=line, party="+1", opened_at=1, last_at=1))
        tx.execute(
            insert(t.messages).values(
                id=new_id(), conversation_id=conversation, line_id=line, account_id=account, direction="outbound",
                party="+1", body="x", state="queued", at=1,
            )
        )  # fmt: skip
    with store.write() as tx, pytest.raises(DeskError, match="wait"):
        message_accounts.remove(tx, "user:u", account)


def test_templates(store: Store) -> None:
    with store.write() as tx:
        line = add_line(tx)
        one = message_templates.create(tx, "user:u", name=" Opening  hours ", body="Hi {{contact.name}}\n")
        message_templates.create(tx, "user:u", name="Line's", body="From {{ line.name }}", line_id=line)
        message_templates.change(tx, "user:u", one, line_id=line)
        found = message_settings.templates_list(tx.conn)
    assert [(row["name"], row["body"], row["line"]) for row in found] == [
        ("Line's", "From {{ line.name }}", "Support"),
        ("Opening hours", "Hi {{contact.name}}", "Support"),
    ]
    for wanted, fields in (
        ({"name": "opening hours", "body": "x"}, {"name"}),
        ({"name": "", "body": ""}, {"name", "body"}),
        ({"name": "x", "body": "{{secret}}"}, {"body"}),
        ({"name": "x", "body": "x" * 1601}, {"body"}),
        ({"name": "x", "body": "x", "line_id": "nothing"}, {"line_id"}),
    ):
        with store.write() as tx, pytest.raises(Invalid) as wrong:
            message_templates.create(tx, "user:u", **wanted)
        assert mistakes(wrong.value) == fields, wanted
    with store.write() as tx:
        message_templates.remove(tx, "user:u", one)
        with pytest.raises(DeskError):
            message_templates.remove(tx, "user:u", one)
