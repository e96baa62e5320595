"""The inbox for browsers: its lists, its counts, and what is done to many conversations at once."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from aircall_core.desk import assignment, messages, undelivered
from aircall_core.desk import conversations as desk
from aircall_core.desk.errors import DeskError
from aircall_core.domain import words
from aircall_core.service.answers import Refused, is_id
from aircall_core.service.commands import Command
from aircall_core.service.endpoint import Ask
from aircall_core.store import Tx
from aircall_core.store.queries import conversation as seen
from aircall_core.store.queries import inbox as queries
from aircall_core.store.queries import inbox_rows

PAGE: Final = 50
MOST: Final = 200
LONGEST: Final = 200


def rows(ask: Ask) -> dict[str, Any]:
    """GET /desk/inbox?view=&category=&line=&from=&to=&user=&type=&tag=&search=&sort=&after=&limit=&conversation=

    ``line`` and ``conversation`` (only among these) may stand several times. ``from`` (included), ``to`` (excluded):
    ms. {"rows", "after": the next page's cursor, None at the end, "older": whether a search has older hits that were
    not looked at}; a page may be short, and still have a next one.
    """
    asked = ask.request.query_params
    view, category = _one_of(ask, "view", queries.VIEWS), _one_of(ask, "category", queries.CATEGORIES, queries.OPEN)
    of_type = _one_of(ask, "type", ("", *queries.TYPES[view]))
    typed = asked.get("search", "")
    if len(typed) > LONGEST:
        raise Refused(422, "too_long", f"Search for at most {LONGEST} characters.")
    only: set[str] | None = set(asked.getlist("conversation")[:MOST]) or None
    limit = max(1, min(_number(ask, "limit") or PAGE, MOST))
    older = False
    after = _cursor(asked.get("after", ""))
    with ask.desk.store.read() as conn:
        lines = _narrowed(queries.visible_lines(conn, ask.who.user_id, ask.who.role), _lines(ask))
        wanted = queries.Wanted(
            ask.who.user_id, lines, view, category, _number(ask, "from"), _number(ask, "to"),
            of_type, asked.get("user", "")[:64], asked.get("tag", "")[:64], only,
            _one_of(ask, "sort", ("newest", "oldest")) == "oldest",
        )  # fmt: skip
        if typed.strip():
            places, next_page, older = queries.found_page(conn, words.query(typed), wanted, after, limit)
        else:
            places, next_page = queries.page(conn, wanted, after, limit)
        shown = inbox_rows.shown(conn, ask.who.user_id, view, places, of_type)
    return {"rows": shown, "after": f"{next_page[0]}.{next_page[1]}" if next_page else None, "older": older}


def counts(ask: Ask) -> dict[str, int]:
    """GET /desk/inbox/counts?view=&line=: how many each category has; 1000 stands for more than 999."""
    view = _one_of(ask, "view", queries.VIEWS)
    with ask.desk.store.read() as conn:
        lines = _narrowed(queries.visible_lines(conn, ask.who.user_id, ask.who.role), _lines(ask))
        return queries.counts(conn, ask.who.user_id, lines, view)


class Bulk(Command):
    """What shall be done, to which conversations. ``user_id``: whose they shall be (assign; none: nobody's).

    resend, put_aside: their texts that were not delivered.
    """

    conversations: list[str] = Field(min_length=1, max_length=MOST)
    do: Literal["read", "unread", "close", "reopen", "assign", "resend", "put_aside"]
    user_id: str | None = Field(default=None, max_length=64)


def _assign(tx: Tx, one: str, ask: Ask) -> None:
    assignment.assign(tx, one, ask.who.user_id, ask.body.user_id, command=ask.body.command)


def _resend(tx: Tx, one: str, ask: Ask) -> None:
    for message in undelivered.to_send_again(tx, one):
        messages.resend(tx, message, ask.who.user_id, ask.who.role)


_DEEDS: Final[Mapping[str, Callable[[Tx, str, Ask], None]]] = {
    "read": lambda tx, one, ask: desk.mark_read(tx, one, ask.who.user_id),
    "unread": lambda tx, one, ask: desk.mark_unread(tx, one, ask.who.user_id, command=ask.body.command),
    "close": lambda tx, one, ask: desk.close(tx, one, ask.who.user_id, command=ask.body.command),
    "reopen": lambda tx, one, ask: desk.reopen(tx, one, ask.who.user_id, command=ask.body.command),
    "assign": _assign,
    "resend": _resend,
    "put_aside": lambda tx, one, ask: undelivered.put_aside(tx, one, ask.who.user_id, command=ask.body.command),
}


def bulk(ask: Ask) -> dict[str, Any]:
    """POST /desk/inbox/bulk: each by itself, so that one that is refused keeps back no other.

    {"done": how many, "refused": [{"id", "code", "message"}]}.
    """
    done, refused = 0, []
    for one in dict.fromkeys(ask.body.conversations):
        try:
            with ask.desk.store.read() as conn:
                if not seen.may_see(conn, one, ask.who.user_id, ask.who.role):
                    raise DeskError("not_found", "The conversation does not exist.", 404)
            with ask.desk.store.write() as tx:
                _DEEDS[ask.body.do](tx, one, ask)
            done += 1
        except DeskError as wrong:
            refused.append({"id": one, "code": wrong.code, "message": wrong.message})
    return {"done": done, "refused": refused}


def _lines(ask: Ask) -> list[str]:
    wanted = ask.request.query_params.getlist("line")
    if len(wanted) > MOST or not all(map(is_id, wanted)):
        raise Refused(400, "bad_request", f"line is the id of a line, and stands at most {MOST} times.")
    return wanted


def _narrowed(visible: list[str] | None, wanted: list[str]) -> list[str] | None:
    if not wanted:
        return visible
    return sorted({one for one in wanted if visible is None or one in visible})


def _one_of(ask: Ask, name: str, known: tuple[str, ...], default: str | None = None) -> str:
    value = ask.request.query_params.get(name, known[0] if default is None else default)
    if value not in known:
        raise Refused(400, "bad_request", f"{name} is one of {', '.join(one for one in known if one)}.")
    return value


def _number(ask: Ask, name: str) -> int | None:
    value = ask.request.query_params.get(name, "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 15):
        raise Refused(400, "bad_request", f"{name} must be a whole number.")
    return int(value)


def _cursor(value: str) -> queries.Place | None:
    if not value:
        return None
    at, _, one = value.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= 15 and 1 <= len(one) <= 64):
        raise Refused(400, "bad_request", "after is the cursor of a page.")
    return int(at), one
