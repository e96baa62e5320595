"""Texts with customers: who may send one from where, what becomes of one that comes in. Their way: domain/message.py.

Sending puts a text into the store, queued; the outbox (desk/outbox.py) takes it from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aircall_core import numbers
from aircall_core.desk import dialling, undelivered
from aircall_core.desk.conversations import reopen_for
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.notes import storable
from aircall_core.domain import events as kinds
from aircall_core.domain import opt_out
from aircall_core.domain.dialling import Why as Not
from aircall_core.domain.events import Event, line_audience
from aircall_core.domain.message import LARGEST_FILES, LONGEST, MOST_FILES, State, Why
from aircall_core.domain.plan import Feature, gate
from aircall_core.ids import new_id
from aircall_core.store import (
    Connection,
    Tx,
    calls,
    clock,
    conversations,
    drafts,
    due,
    indexing,
    people,
    provisioning,
    unread,
)
from aircall_core.store import messages as rows
from aircall_core.store.queries import company
from aircall_core.store.queries import conversation as conversation_queries

LONGEST_INBOUND: Final = 20_000  # characters; what is beyond is cut off
FETCH: Final = "message.file"  # a due row: a file that came with a text is to be fetched
LONGEST_EXTENSION: Final = 6  # digits of a number inside the company, which only SIP reaches
TWILIO: Final = "twilio"
SIP: Final = "sip"
_SAID: Final[Mapping[str, str]] = {
    "plan": "Texts are not part of your plan. An administrator can change that under Settings, Plan.",
    "no_account": "This line has no texts. An administrator can choose an account for them in the line's settings.",
    "account_off": "The account through which this line sends texts is switched off.",
    "not_a_number": "There is no number here that a text can be sent to.",
    "opted_out": "This customer asked for no more texts from this line.",
}


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a line can send a text to a number; else why not: plan, no_account, account_off, not_a_number,
    opted_out. ``account`` is the one it goes through, if there is any.
    """

    code: str = ""
    account: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether it can."""
        return not self.code

    @property
    def message(self) -> str:
        """Why not, in a sentence."""
        return _SAID.get(self.code, "")


@dataclass(frozen=True, slots=True)
class Written:
    """A text that is queued, and its conversation."""

    message: str
    conversation: str


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that came with a text: where it is to be fetched from, and what the gateway says that it is."""

    source: str
    name: str = ""
    content_type: str = ""


def eligibility(conn: Connection, line: Mapping[str, Any], party: str) -> Eligibility:
    """Whether this line (its row) can send a text to this party. The one place that decides it."""
    if not gate(Feature.SMS, company.everything(conn), clock.now_ms(conn)).on:
        return Eligibility("plan")
    account = rows.account(conn, line["message_account_id"]) if line["message_account_id"] else None
    if account is None or not line["enabled"]:
        return Eligibility("no_account")
    if not account["enabled"]:
        return Eligibility("account_off", account)
    if not _takes_texts(party, account["kind"]):
        return Eligibility("not_a_number", account)
    if rows.is_out(conn, line["id"], party):
        return Eligibility("opted_out", account)
    return Eligibility("", account)


def send(
    tx: Tx, conversation_id: str, user_id: str, role: str, text: str, files: Sequence[str], command: str
) -> Written:
    """The user writes to the customer of this conversation; ``files`` are ids of uploaded ones. Repeatable by command.

    Raises DeskError not_found, or the code of `eligibility` (409); Invalid.
    """
    tx.take_turn()
    if known := _known(tx, command, user_id):
        return known
    if not conversation_queries.may_see(tx.conn, conversation_id, user_id, role):
        raise not_found("The conversation")
    conversation = conversations.get(tx.conn, conversation_id, lock=True)
    assert conversation is not None
    line = provisioning.line(tx.conn, conversation["line_id"])
    assert line is not None
    account = _account_for(tx, line, conversation["party"])
    given = _files(tx, files, conversation_id, user_id, account)
    text = _text(text, bool(given))
    message = _write(tx, conversation, account["id"], text, user_id, command, len(given))
    for place, file in enumerate(given):
        if not rows.take_file(tx.conn, file["id"], message, place):
            raise Invalid({"attachments": "A file went with another text already. Attach it again."})
    drafts.clear(tx.conn, conversation_id, user_id, tx.now_ms())
    return Written(message, conversation_id)


def start(tx: Tx, line_id: str, to: str, user_id: str, role: str, text: str, command: str) -> Written:
    """The user writes to a number as typed, from a line they see: in its conversation, or in a new one."""
    tx.take_turn()
    line = provisioning.line(tx.conn, line_id)
    if line is None or not people.sees_line(tx.conn, user_id, role, line_id):
        raise not_found("The line")
    if known := _known(tx, command, user_id):
        return known
    number = numbers.normalise(to, line["country"])
    if not number:
        raise Invalid({"to": "Enter a number."})
    account = _account_for(tx, line, number)
    if refusal := _refusal(tx.conn, line_id, number, account["kind"]):
        raise Invalid({"to": refusal})
    text = _text(text, False)
    conversation = _conversation(tx, line, number, f"user:{user_id}", tx.now_ms())
    return Written(_write(tx, conversation, account["id"], text, user_id, command, 0), conversation["id"])


def _known(tx: Tx, command: str, user_id: str) -> Written | None:
    """The text that this command of the user has made already. Raises DeskError when it was another user's command."""
    row = rows.by_command(tx.conn, command)
    if row is not None and row["user_id"] != user_id:
        raise DeskError("command_used", "This command was used before.")
    return None if row is None else Written(row["id"], row["conversation_id"])


def resend(tx: Tx, message_id: str, user_id: str, role: str) -> Written:
    """A user sends a text again that failed, or of which nobody knows. One that is on its way again already stays so.

    Raises DeskError not_found, sent (409), no_files, or the code of `eligibility`.
    """
    row = rows.get(tx.conn, message_id)
    if row is None or not people.sees_line(tx.conn, user_id, role, row["line_id"]) or row["direction"] != "outbound":
        raise not_found("The text")
    if row["state"] in (State.QUEUED, State.SENDING):
        return Written(message_id, row["conversation_id"])
    line = provisioning.line(tx.conn, row["line_id"])
    assert line is not None
    account = _account_for(tx, line, row["party"])
    if account["kind"] == SIP and rows.files_of(tx.conn, message_id):  # the line went another way when it was written
        raise DeskError(Why.NO_FILES.value, "This line sends texts only, no files. Write the text anew without them.")
    if not rows.change(
        tx.conn, message_id, states=(State.FAILED, State.UNKNOWN), state=State.QUEUED.value, reason=None,
        remote_code=None, remote_id=None, account_id=account["id"], queued_at=tx.now_ms(), not_before=None,
        claimed_by=None, sent_at=None, delivered_at=None, put_aside_at=None,
    ):  # fmt: skip
        raise DeskError("sent", "This text was sent.")
    tx.append(state_event(row, State.QUEUED, f"user:{user_id}"))
    return Written(message_id, row["conversation_id"])


def receive(
    tx: Tx, *, line_id: str, account_id: str, number: str, body: str, remote_id: str | None, at: int, actor: str,
    files: Sequence[InboundFile] = (), wish: opt_out.Wish | None = None,
) -> str | None:  # fmt: skip
    """A text has come to a line; its id. One that the gateway has brought before changes nothing (same id).

    ``number``: E.164 where it could be read so, '' when withheld. ``wish``: no more texts, or texts again, as the
    gateway has read it and answered. None: the sender is on the blocklist. Raises DeskError not_found when there is
    no such line.
    """
    tx.take_turn()
    known = rows.by_remote_id(tx.conn, account_id, remote_id) if remote_id else None
    if known is not None:
        return str(known["id"])
    line = provisioning.line(tx.conn, line_id)
    if line is None:
        raise not_found("The line")
    party = number or numbers.ANONYMOUS
    blocked = calls.blocked_by(tx.conn, party)
    if blocked is not None:
        calls.count_blocked(tx.conn, blocked, at)
        return None
    conversation = _conversation(tx, line, party, actor, at)
    message_id, body = new_id(), storable(body)[:LONGEST_INBOUND]
    rows.add(
        tx.conn, id=message_id, conversation_id=conversation["id"], line_id=line_id, account_id=account_id,
        direction="inbound", party=party, body=body, state=State.RECEIVED.value, remote_id=remote_id, at=at,
    )  # fmt: skip
    for place, file in enumerate(files[:MOST_FILES]):
        file_id = new_id()
        rows.add_file(
            tx.conn, id=file_id, message_id=message_id, conversation_id=conversation["id"], position=place,
            name=file.name[:120], content_type=file.content_type[:64] or "application/octet-stream", size_bytes=0,
            path="", source=file.source, created_at=at,
        )  # fmt: skip
        due.put(tx.conn, FETCH, file_id, tx.now_ms())
    indexing.message(tx.conn, message_id)
    row = {"id": message_id, "line_id": line_id, "conversation_id": conversation["id"]}
    tx.append(event(kinds.MESSAGE_RECEIVED, row, actor, message=message_id, files=min(len(files), MOST_FILES)))
    _newest(tx, conversation, "inbound", at, actor, message_id)
    _heed(tx, line, conversation, party, wish or opt_out.wish_of(body), account_id, at, confirm=wish is None)
    return message_id


def event(kind: str, row: Mapping[str, Any], actor: str, /, *, user_id: str | None = None, **data: object) -> Event:
    """An event of a text, for everybody who may see its line."""
    return Event(
        kind, line_audience(row["line_id"]), actor, conversation_id=row["conversation_id"], line_id=row["line_id"],
        user_id=user_id, data=data,
    )  # fmt: skip


def state_event(row: Mapping[str, Any], state: State, actor: str, reason: str | None = None) -> Event:
    """A text is in another state."""
    return event(kinds.MESSAGE_STATE, row, actor, message=row["id"], state=state.value, reason=reason)


def _heed(
    tx: Tx, line: Mapping[str, Any], conversation: Mapping[str, Any], party: str, wish: opt_out.Wish | None,
    account_id: str, at: int, *, confirm: bool,
) -> None:  # fmt: skip
    """The customer may have asked for no more texts, or for texts again: it is so at once, and confirmed once."""
    if wish is None or party == numbers.ANONYMOUS:
        return
    changed = rows.opt_out(tx.conn, line["id"], party, at) if wish == "out" else rows.opt_in(tx.conn, line["id"], party)
    if not changed:
        return
    of = {"line_id": line["id"], "conversation_id": conversation["id"]}
    tx.append(event(kinds.OPT_OUT_CHANGED, of, "system", out=wish == "out"))
    if wish == "out":
        for row in rows.queued_for(tx.conn, line["id"], party):
            if rows.change(
                tx.conn, row["id"], states=(State.QUEUED,), state=State.FAILED.value, reason=Why.OPTED_OUT.value
            ):
                tx.append(state_event(row, State.FAILED, "system", Why.OPTED_OUT.value))
                undelivered.ended(tx, row, State.FAILED, "system")
    account = rows.account(tx.conn, account_id)
    # Twilio answers its own words by itself, and takes no text to such a number any more.
    if account is None or not account["enabled"] or not confirm:
        return
    if _refusal(tx.conn, line["id"], party, account["kind"]) is None:  # nobody makes us write to premium numbers
        _write(tx, conversation, account_id, opt_out.confirmation(wish, line["language"], line["name"]), None, None, 0)


def _write(
    tx: Tx, conversation: Mapping[str, Any], account_id: str, text: str, user_id: str | None, command: str | None,
    files: int,
) -> str:  # fmt: skip
    """Queue a text; its id. Texts of one conversation have times of their own, in the order in which they go out."""
    now = tx.now_ms()
    newest = rows.newest_at(tx.conn, conversation["id"])
    at = now if newest is None else max(now, newest + 1)
    message_id, actor = new_id(), f"user:{user_id}" if user_id else "system"
    rows.add(
        tx.conn, id=message_id, conversation_id=conversation["id"], line_id=conversation["line_id"],
        account_id=account_id, direction="outbound", party=conversation["party"], body=text, state=State.QUEUED.value,
        command=command, user_id=user_id, at=at, queued_at=now,
    )  # fmt: skip
    indexing.message(tx.conn, message_id)
    tx.append(
        event(
            kinds.MESSAGE_WRITTEN, {**conversation, "conversation_id": conversation["id"]}, actor, user_id=user_id,
            message=message_id, files=files, command=command,
        )
    )  # fmt: skip
    if user_id is not None:
        _newest(tx, conversation, "outbound", at, actor, message_id, user_id)
    return message_id


def _newest(
    tx: Tx, conversation: Mapping[str, Any], direction: str, at: int, actor: str, message_id: str,
    user_id: str | None = None,
) -> None:  # fmt: skip
    """The conversation's newest is this text: it is open again. Unread for all, or answered by this user."""
    opened = reopen_for(tx, conversation, "message", actor)
    missed = None if user_id is None else False  # a reply answers a missed call
    conversations.touch(
        tx.conn, conversation["id"], at=at, direction=direction, message_id=message_id, missed=missed, **opened
    )
    if user_id is not None:
        unread.seen(tx.conn, conversation["id"], user_id)
    else:
        unread.news(tx.conn, conversation["id"], conversation["line_id"], at)


def _conversation(tx: Tx, line: Mapping[str, Any], party: str, actor: str, at: int) -> dict[str, Any]:
    """The conversation of a line with a number, made if there is none."""
    found = conversations.find(tx.conn, line["id"], party, lock=True)
    if found is not None:
        return found
    contact, _ = conversations.caller(tx.conn, party)
    conversation_id = new_id()
    conversations.add(
        tx.conn, id=conversation_id, line_id=line["id"], party=party, contact_id=contact, opened_at=at, last_at=at
    )
    indexing.conversation(tx.conn, conversation_id)
    row = {"conversation_id": conversation_id, "line_id": line["id"]}
    tx.append(event(kinds.CONVERSATION_OPENED, row, actor))
    made = conversations.get(tx.conn, conversation_id)
    assert made is not None
    return made


def _account_for(tx: Tx, line: Mapping[str, Any], party: str) -> Mapping[str, Any]:
    found = eligibility(tx.conn, line, party)
    if not found.ok:
        raise DeskError(found.code, found.message)
    assert found.account is not None
    return found.account


def _refusal(conn: Connection, line_id: str, number: str, kind: str) -> str | None:
    """Why no text is begun to this number, in a sentence: what must not be dialled must not be written to either."""
    verdict = dialling.judge(number, dialling.policy(conn, line_id))
    if verdict.emergency or verdict.why in (Not.EMERGENCY, Not.EMERGENCY_ELSEWHERE):
        return "Emergency services do not read texts from here. Call them."
    if verdict.why is None or (kind == SIP and number.isdigit() and len(number) <= LONGEST_EXTENSION):
        return None
    return dialling.words(verdict.why, {"country": verdict.country, **verdict.params})


def _takes_texts(party: str, kind: str) -> bool:
    """E.164; by SIP also an extension."""
    digits = party.removeprefix("+")
    return digits.isascii() and digits.isdigit() and (party.startswith("+") or kind == SIP)


def _text(text: str, has_files: bool) -> str:
    text = storable(text).strip()
    if not text and not has_files:
        raise Invalid({"text": "Write something."})
    if len(text) > LONGEST:
        raise Invalid({"text": f"Use at most {LONGEST:,} characters."})
    return text


def takes_files(kind: str, public_url: str) -> bool:
    """Whether files can go through an account of this kind: a gateway fetches them at the address that browsers use."""
    return kind != SIP and (kind != TWILIO or bool(public_url))


def _files(
    tx: Tx, ids: Sequence[str], conversation_id: str, user_id: str, account: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The uploaded files of a text, checked."""
    if not ids:
        return []
    if account["kind"] == SIP:
        raise Invalid({"attachments": "This line sends texts only, no files."})
    found = rows.files(tx.conn, list(dict.fromkeys(ids)))
    own = [one for one in found if (one["conversation_id"], one["user_id"]) == (conversation_id, user_id)]
    if len(own) != len(set(ids)) or any(one["message_id"] for one in own):
        raise Invalid({"attachments": "A file is not there any more. Attach it again."})
    if len(own) > MOST_FILES or sum(one["size_bytes"] for one in own) > LARGEST_FILES:
        most = f"at most {MOST_FILES} files of {LARGEST_FILES // 1_000_000} MB together"
        raise Invalid({"attachments": f"Send {most}."})
    return own
