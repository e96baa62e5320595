"""The demo's texts: an account through the echo phone, templates, and what customers wrote today."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aircall_core.config import Settings
from aircall_core.desk import company, lines, message_accounts, message_templates, messages, outbox
from aircall_core.desk import secrets as secret_keys
from aircall_core.domain.message import Outcome, State
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, Tx, accounts, backdate, indexing, message_settings, provisioning
from aircall_core.store.queries.company import everything

ACCOUNT = "Texts by the echo"
_BY, _MINUTE_MS, _PAUSE_MS = "demo:1", 60_000, 140_000


def furnish(store: Store, settings: Settings, plan: Mapping[str, Any], trunk_id: str) -> None:
    """Texts on every line, through this trunk, with what was written today; once."""
    box = secret_keys.open_box(settings.data_dir, settings.secret_key)
    with store.write() as tx:
        if message_settings.account_named(tx.conn, ACCOUNT) is not None:
            return
        add_ons = sorted({*everything(tx.conn)["add_ons"], "sms"})
        company.change(tx, "system", {"add_ons": add_ons})
        account, _ = message_accounts.create(tx, "system", box, name=ACCOUNT, kind=messages.SIP, trunk_id=trunk_id)
        by_name = {line["name"]: line for line in provisioning.all_lines(tx.conn)}
        for line in by_name.values():
            lines.change(tx, "system", line["id"], message_account_id=account)
        for template in plan["templates"]:
            message_templates.create(tx, "system", **template)
        agents = [user["id"] for user in accounts.all_users(tx.conn) if user["role"] == "agent"]
    now = now_ms()
    for place, thread in enumerate(plan["texts"]):
        at = now - thread["minutes_ago"] * _MINUTE_MS
        for way, text in thread["lines"]:
            told = _Told(account, by_name[thread["line"]]["id"], thread["number"], text, at)
            _at(store, at, told.received if way == "in" else partial(told.sent, agents[place % len(agents)]))
            at += _PAUSE_MS


class _Told:
    """One text of the past."""

    def __init__(self, account: str, line: str, number: str, text: str, at: int) -> None:
        self.account, self.line, self.number, self.text, self.at = account, line, number, text, at

    def received(self, tx: Tx) -> None:
        """The customer wrote it."""
        messages.receive(
            tx, line_id=self.line, account_id=self.account, number=self.number, body=self.text, remote_id=new_id(),
            at=self.at, actor="system",
        )  # fmt: skip

    def sent(self, user: str, tx: Tx) -> None:
        """A colleague wrote it, and it was delivered: in one transaction, so that no outbox ever sees it."""
        message = messages.start(tx, self.line, self.number, user, "supervisor", self.text, new_id()).message
        outbox.claim(tx, message, _BY, self.at, "system")
        outbox.settle(tx, message, _BY, Outcome(State.DELIVERED), self.at, "system")
        backdate.message(tx.conn, message, self.at)
        indexing.message(tx.conn, message)  # at its new time


def _at(store: Store, at: int, deed: Callable[[Tx], None]) -> None:
    """Do it, and file its events under the moment it tells of."""
    with store.write() as tx:
        deed(tx)
    seqs = tx.seqs
    with store.write() as tx:
        backdate.backdate(tx.conn, dict.fromkeys(seqs, at))
