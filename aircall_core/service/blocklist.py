"""Callers who are not let in."""

from typing import Any

from pydantic import BaseModel, Field

from aircall_core.desk import blocklist
from aircall_core.service.endpoint import Ask
from aircall_core.store import blocklist as rows


class NewEntry(BaseModel):
    """A number in any spelling, a prefix ending in *, or ``anonymous``."""

    number: str = Field(max_length=60)
    note: str = Field("", max_length=400)


class EntryChange(BaseModel):
    """What is given is changed."""

    note: str = Field(max_length=400)


def list_blocked(ask: Ask) -> dict[str, Any]:
    """GET /desk/blocklist"""
    with ask.desk.store.read() as conn:
        return {"entries": rows.entries(conn)}


def block(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/blocklist"""
    with ask.desk.store.write() as tx:
        return 201, {"id": blocklist.add(tx, ask.actor, number=ask.body.number, note=ask.body.note)}


def change_blocked(ask: Ask) -> dict[str, str]:
    """PATCH /desk/blocklist/{entry}"""
    with ask.desk.store.write() as tx:
        blocklist.change(tx, ask.actor, ask.id("entry"), note=ask.body.note)
    return {"id": ask.id("entry")}


def unblock(ask: Ask) -> None:
    """DELETE /desk/blocklist/{entry}"""
    with ask.desk.store.write() as tx:
        blocklist.remove(tx, ask.actor, ask.id("entry"))
