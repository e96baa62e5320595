"""Accounts for texts and templates: what is refused at which field, secrets, and what stays in use."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import insight_sources, lines, message_accounts, message_templates, trunks
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.desk.secrets import SecretBox, open_box
from aircall_core.ids import new_id
from aircall_core.store import Store, message_settings, open_store
from aircall_core.store import tables as t
from tests.support.desk_kit import add_line
from tests.support.processes import eventually

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


def test_a_secret_is_not_led_to_another_host(store: Store, box: SecretBox) -> None:
    account, _ = add(store, box, "the-token", **TWILIO)
    sid = TWILIO["settings"]

    def change(secret: str = "", **settings: object) -> None:
        with store.write() as tx:
            message_accounts.change(tx, "user:u", box, account, secret=secret, settings={**sid, **settings})

    for wanted in (
        {"api_url": "https://evil.example.com"},
        {"api_url": "https://api.twilio.com:8443"},
        {"api_url": "http://api.twilio.com", "private": True},
    ):
        with pytest.raises(Invalid) as wrong:
            change(**wanted)
        assert mistakes(wrong.value) == {"secret"}, wanted
    with pytest.raises(Invalid) as wrong:
        change("another-token", api_url="http://proxy.example.com")
    assert mistakes(wrong.value) == {"api_url"}, "in clear only within one's own network"
    with pytest.raises(Invalid) as wrong:
        change(api_url="https://[")
    assert mistakes(wrong.value) == {"api_url"}
    change(api_url="https://api.twilio.com/")
    change("another-token", api_url="https://proxy.example.com")
    with pytest.raises(Invalid) as wrong:
        change()
    assert mistakes(wrong.value) == {"secret"}, "nor back again"
    with store.read() as conn:
        assert box.open(str(conn.scalar(select(t.message_accounts.c.secret)))) == "another-token"


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
    for url in ("", "http://x.org/", "ftp://x.org", "https://user:pw@x.org/", "https://x.org/ a", "https://"):
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


def test_what_two_change_at_once_is_both_changed(postgres_url: str, tmp_path: Path) -> None:
    """On two desks: one names it, the other changes the rest, and neither writes back what it read before."""
    trunk: dict[str, Any] = {"name": "Carrier", "kind": "address", "cidrs": ["192.0.2.0/24"]}
    card: dict[str, Any] = {"name": "Cards", "kind": "rules", "settings": {"lines": [{"type": "title", "text": "Hi"}]}}
    with open_store(postgres_url) as here, open_store(postgres_url) as there:
        box = open_box(tmp_path)
        with here.write() as tx:
            account, _ = message_accounts.create(tx, "user:u", box, secret="s", **TWILIO)
            template = message_templates.create(tx, "user:u", name="Hours", body="We are open.")
            carrier, cards = (
                trunks.create(tx, "user:u", box, **trunk), insight_sources.create(tx, "user:u", box, **card)
            )  # fmt: skip
        deeds: tuple[Callable[..., None], ...] = (
            lambda tx, **new: message_accounts.change(tx, "user:u", box, account, **new),
            lambda tx, **new: message_templates.change(tx, "user:u", template, **new),
            lambda tx, **new: trunks.change(tx, "user:u", box, carrier, **new),
            lambda tx, **new: insight_sources.change(tx, "user:u", box, cards, **new),
        )
        rest: tuple[dict[str, Any], ...] = (
            {"enabled": False}, {"body": "We are closed."}, {"transport": "tcp"}, {"enabled": False}
        )  # fmt: skip
        for deed, new in zip(deeds, rest, strict=True):

            def switch(deed: Any = deed, new: dict[str, Any] = new) -> None:
                with there.write() as tx:
                    deed(tx, **new)

            other = threading.Thread(target=switch)
            with here.write() as tx:
                deed(tx, name="New")
                other.start()
                eventually(lambda: someone_waits(here), 10, "the other desk waiting for the row")
            other.join()
        with here.read() as conn:
            found = [
                tuple(conn.execute(select(*columns)).one())
                for columns in (
                    (t.message_accounts.c.name, t.message_accounts.c.enabled),
                    (t.message_templates.c.name, t.message_templates.c.body),
                    (t.trunks.c.name, t.trunks.c.transport),
                    (t.insight_sources.c.name, t.insight_sources.c.enabled),
                )
            ]
    assert found == [("New", False), ("New", "We are closed."), ("New", "tcp"), ("New", False)]


def someone_waits(store: Store) -> bool:
    """Whether somebody waits for a lock in this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with store.read() as conn:
        return bool(conn.exec_driver_sql(query).scalar())


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
