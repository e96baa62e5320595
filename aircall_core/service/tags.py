"""The company's tags."""

from typing import Any

from pydantic import BaseModel, Field

from aircall_core.desk import tag_settings
from aircall_core.service.endpoint import Ask
from aircall_core.store import tags as rows


class NewTag(BaseModel):
    """A tag to make."""

    name: str = Field(max_length=200)
    color: str = Field(max_length=16)


class TagChange(BaseModel):
    """What is given is changed."""

    name: str | None = Field(None, max_length=200)
    color: str | None = Field(None, max_length=16)
    archived: bool | None = None


def list_tags(ask: Ask) -> dict[str, Any]:
    """GET /desk/tags: those that can be chosen first, archived ones last."""
    with ask.desk.store.read() as conn:
        return {"tags": rows.all_tags(conn)}


def add_tag(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/tags"""
    with ask.desk.store.write() as tx:
        return 201, {"id": tag_settings.create(tx, ask.actor, **ask.body.model_dump())}


def change_tag(ask: Ask) -> dict[str, str]:
    """PATCH /desk/tags/{tag}"""
    with ask.desk.store.write() as tx:
        tag_settings.change(tx, ask.actor, ask.id("tag"), **ask.body.model_dump(exclude_unset=True))
    return {"id": ask.id("tag")}


def remove_tag(ask: Ask) -> None:
    """DELETE /desk/tags/{tag}"""
    with ask.desk.store.write() as tx:
        tag_settings.remove(tx, ask.actor, ask.id("tag"))
