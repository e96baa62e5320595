"""Opening hours and working hours."""

from typing import Any

from pydantic import BaseModel, Field

from aircall_core.desk import schedules
from aircall_core.service.endpoint import Ask
from aircall_core.store import schedules as rows


class ScheduleChange(BaseModel):
    """A schedule: what is given is set. `weekly` is seven days from Monday, `special` days by date, of [from, to]."""

    name: str | None = Field(None, max_length=200)
    timezone: str | None = Field(None, max_length=64)
    weekly: list[list[list[str]]] | None = Field(None, max_length=7)
    country: str | None = Field(None, max_length=2)
    subdivision: str | None = Field(None, max_length=8)
    special: dict[str, list[list[str]]] | None = Field(None, max_length=400)


def list_schedules(ask: Ask) -> dict[str, Any]:
    """GET /desk/schedules"""
    with ask.desk.store.read() as conn:
        return {"schedules": rows.all_schedules(conn)}


def add_schedule(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/schedules"""
    with ask.desk.store.write() as tx:
        return 201, {"id": schedules.create(tx, ask.actor, ask.body.model_dump(exclude_unset=True))}


def change_schedule(ask: Ask) -> dict[str, str]:
    """PATCH /desk/schedules/{schedule}"""
    with ask.desk.store.write() as tx:
        schedules.change(tx, ask.actor, ask.id("schedule"), ask.body.model_dump(exclude_unset=True))
    return {"id": ask.id("schedule")}


def remove_schedule(ask: Ask) -> None:
    """DELETE /desk/schedules/{schedule}"""
    with ask.desk.store.write() as tx:
        schedules.remove(tx, ask.actor, ask.id("schedule"))
