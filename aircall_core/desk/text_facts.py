"""What became of texts that go by SIP, as a worker reports it: like all facts, to be repeated without harm."""

from dataclasses import dataclass

from aircall_core.desk import messages, outbox
from aircall_core.desk.facts import actor_of
from aircall_core.domain.message import Outcome, State, Why
from aircall_core.store import messages as rows
from aircall_core.store import provisioning
from aircall_core.store.calls import Owner
from aircall_core.store.engine import Tx


@dataclass(frozen=True, slots=True)
class TextToSend:
    """A claimed text, and how it goes. ``number`` is E.164 or an extension; ``caller_id`` is shown to its owner."""

    message: str
    body: str
    number: str
    trunk_id: str
    caller_id: str
    country: str  # the line's: how national numbers are dialled


def text_received(
    tx: Tx, owner: Owner, _call: str, *, line_id: str, account_id: str, number: str, body: str, remote_id: str, at: int
) -> None:
    """A text has come to a line. ``remote_id``: its Call-ID and CSeq, by which a repeated one is known."""
    messages.receive(
        tx, line_id=line_id, account_id=account_id, number=number, body=body, remote_id=remote_id, at=at,
        actor=actor_of(owner),
    )  # fmt: skip


def text_claim(tx: Tx, owner: Owner, _call: str, *, message: str) -> TextToSend | None:
    """The worker is about to send this text: whoever asks first gets it, and nobody after."""
    row = outbox.claim(tx, message, claimer_of(owner), tx.now_ms(), actor_of(owner))
    if row is None:
        return None
    line = provisioning.line(tx.conn, row["line_id"])
    account = rows.account(tx.conn, row["account_id"] or "")
    assert line is not None
    trunk_id = account["trunk_id"] if account is not None else None
    shown = line["caller_id"] or line["number"]
    return TextToSend(message, row["body"], row["party"], trunk_id or "", shown, line["country"])


def text_result(
    tx: Tx, owner: Owner, _call: str, *, message: str, state: str, reason: str | None, remote_code: str | None,
    remote_id: str | None, again: bool, at: int,
) -> None:  # fmt: skip
    """What became of a text that this worker had claimed. ``again``: it was certainly not taken, and may be later."""
    why = Why(reason) if reason else None
    outcome = Outcome(State(state), why, remote_code=remote_code, remote_id=remote_id, again=again)
    if outbox.settle(tx, message, claimer_of(owner), outcome, at, actor_of(owner)):
        _account_state(tx, message, outcome, at)


def _account_state(tx: Tx, message: str, outcome: Outcome, at: int) -> None:
    """What this text's end says of the account: that it works, or that others had better not wait for it."""
    row = rows.get(tx.conn, message)
    account = rows.account(tx.conn, row["account_id"]) if row is not None and row["account_id"] else None
    failing = outcome.again or outcome.reason in (Why.TIMEOUT, Why.CREDENTIALS, Why.NO_TRUNK)
    state = "failing" if failing else "ok"
    why = outcome.reason.value if failing and outcome.reason else None
    if account is not None and (account["state"], account["state_reason"]) != (state, why):
        rows.set_account_state(tx.conn, account["id"], state, why, at)


def claimer_of(owner: Owner) -> str:
    """This life of the worker, as ``claimed_by`` names it."""
    return f"{owner.node}:{owner.epoch}"
