"""Calls out: by which lines a user may call, whether a number may be dialled, and what the company allows."""

from typing import Any

from pydantic import BaseModel, Field

from aircall_core import numbers
from aircall_core.desk import dialling, do_not_call
from aircall_core.desk.errors import not_found
from aircall_core.domain.dialling import LONGEST, UNFINISHED
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import dialling as rows
from aircall_core.store import people
from aircall_core.store.queries import dialling as stored
from aircall_core.store.queries.inbox import visible_lines


class DiallingChange(BaseModel):
    """What is given is changed. ``own_countries``: only the company's country and its lines', whatever was chosen."""

    countries: list[str] | None = Field(None, max_length=300)
    own_countries: bool = False
    user_cap: int | None = None
    line_cap: int | None = None


class NewNumber(BaseModel):
    """A number, written in any way, that nobody shall dial."""

    number: str = Field(max_length=60)
    note: str = Field("", max_length=400)


def lines(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial/lines: the lines this user may call out by, each with the number that it shows."""
    with ask.desk.store.read() as conn:
        found = rows.lines_out(conn, visible_lines(conn, ask.who.user_id, ask.who.role))
    return {
        "lines": [
            {
                "id": line["id"],
                "name": line["name"],
                "number": line["number"],
                "country": line["country"],
                "caller_id": line["caller_id"] or line["number"],
                "spoken": numbers.spoken_form(line["caller_id"] or line["number"], line["country"]),
            }
            for line in found
        ]
    }


def check(ask: Ask) -> dict[str, Any]:
    """GET /desk/dial/check?line=&number=: what would come of dialling this, for who is still typing.

    ``why`` is None or {code, message, unfinished}: an unfinished number may still become one.
    """
    line, typed = ask.request.query_params.get("line", ""), ask.request.query_params.get("number", "")
    if len(typed) > LONGEST:
        raise Refused(422, "invalid", "Please check the marked fields.", fields={"number": "This is too long."})
    with ask.desk.store.read() as conn:
        if not people.sees_line(conn, ask.who.user_id, ask.who.role, line):
            raise not_found("The line")
        seen = dialling.look(conn, line, typed, ask.who.user_id)
        number = seen.verdict.number
        name = rows.contact_name(conn, number) if number.startswith("+") else ""
    country = seen.verdict.country
    return {
        "number": number,
        "spoken": numbers.spoken_form(number, seen.way["country"]) if number else "",
        "country": country,
        "country_name": numbers.country_name(country),
        "flag": numbers.flag(country),
        "emergency": seen.verdict.emergency,
        "extension": seen.verdict.extension,
        "contact_name": name,
        "allowed": seen.refused is None,
        "why": None
        if seen.refused is None
        else {
            "code": seen.refused.code,
            "message": seen.refused.message,
            "unfinished": seen.refused.why in UNFINISHED,
        },
    }


def read_dialling(ask: Ask) -> dict[str, Any]:
    """GET /desk/dialling: the rules; countries null means ``own``, the company's and its lines'."""
    with ask.desk.store.read() as conn:
        return {**stored.settings(conn), "own": sorted(stored.own_countries(conn))}


def change_dialling(ask: Ask) -> dict[str, Any]:
    """PATCH /desk/dialling"""
    wanted = {name: value for name, value in ask.body.model_dump().items() if value is not None}
    if wanted.pop("own_countries"):
        wanted["countries"] = None
    with ask.desk.store.write() as tx:
        dialling.change(tx, ask.actor, wanted)
    return read_dialling(ask)


def list_do_not_call(ask: Ask) -> dict[str, Any]:
    """GET /desk/do-not-call?search=: the newest hundred, and how many there are."""
    search = ask.request.query_params.get("search", "")[:LONGEST]
    with ask.desk.store.read() as conn:
        return {"numbers": rows.entries(conn, search=search), "count": rows.count(conn)}


def forbid(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/do-not-call"""
    with ask.desk.store.write() as tx:
        return 201, {"number": do_not_call.add(tx, ask.actor, ask.body.number, ask.body.note)}


def allow(ask: Ask) -> None:
    """DELETE /desk/do-not-call/{number}: the number's digits, without the plus."""
    with ask.desk.store.write() as tx:
        do_not_call.remove(tx, ask.actor, f"+{ask.id('number')}")
