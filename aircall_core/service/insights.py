"""Insight cards over HTTP: what is shown of a caller, and the sources behind it. Posted ones: card_hook.py."""

import time
from typing import Any

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from aircall_core import numbers
from aircall_core.crm.port import SourceError
from aircall_core.desk import insight_sources
from aircall_core.desk.errors import Invalid, not_found
from aircall_core.domain.insight import Line, lines_of
from aircall_core.domain.insight_kinds import POSTED, RULES
from aircall_core.service import asker
from aircall_core.service.endpoint import Ask
from aircall_core.store import insights as rows
from aircall_core.store.queries import conversation, people
from aircall_core.store.queries import insights as queries
from aircall_core.store.queries.insights import Subject


class TemplateLine(BaseModel):
    """A line of a source's card: texts with variables, and when it is shown."""

    type: str = Field(max_length=20)
    text: str = Field("", max_length=1000)
    label: str = Field("", max_length=1000)
    link: str = Field("", max_length=1000)
    email: str = Field("", max_length=1000)
    when: dict[str, str] | None = Field(None, max_length=3)


class SourceSettings(BaseModel):
    """What a source is told; each kind has its own."""

    address: str = Field("", max_length=1000)
    private: bool = False
    cache_min: int = 10
    method: str = Field("", max_length=8)
    auth: str = Field("", max_length=8)
    name: str = Field("", max_length=200)
    portal: str = Field("", max_length=200)
    client_id: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    lines: list[TemplateLine] = Field(default_factory=list, max_length=50)


class SourceChange(BaseModel):
    """A source: what is given is set. An empty secret keeps the one it has."""

    name: str | None = Field(None, max_length=200)
    kind: str | None = Field(None, max_length=16)
    enabled: bool | None = None
    secret: str | None = Field(None, max_length=8000)
    settings: SourceSettings | None = None


class Trial(BaseModel):
    """A number to ask a source about."""

    number: str = Field(max_length=40)


# ---- cards


def of_call(ask: Ask) -> dict[str, Any]:
    """GET /desk/calls/{call}/insight"""
    call_id = ask.id("call")
    with ask.desk.store.read() as conn:
        subject = queries.of_call(conn, call_id)
        if subject is None or not queries.may_see(conn, call_id, subject, ask.who.user_id, ask.who.role):
            raise not_found("The call")
        return queries.shown(conn, subject)


def of_conversation(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/insight: what is known, and sources are asked for what is not."""
    conversation_id = ask.id("conversation")
    with ask.desk.store.read() as conn:
        if not conversation.may_see(conn, conversation_id, ask.who.user_id, ask.who.role):
            raise not_found("The conversation")
        subject = queries.of_conversation(conn, conversation_id)
        assert subject is not None
        found = queries.shown(conn, subject)
        wanted = queries.is_stale(conn, subject)
    if wanted and ask.desk.asker is not None:
        ask.desk.asker.want(subject)
        found["asking"] = True
    return found


# ---- sources


def list_sources(ask: Ask) -> dict[str, Any]:
    """GET /desk/insight-sources: no secret leaves the store."""
    with ask.desk.store.read() as conn:
        return {"sources": queries.listed(conn)}


def add_source(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/insight-sources: its id, and the secret that was made for it, which is shown this once."""
    given = _given(ask.body)
    made = insight_sources.made_secret(given.get("kind", ""))
    with ask.desk.store.write() as tx:
        source_id = insight_sources.create(tx, ask.actor, ask.desk.box, **given | ({"secret": made} if made else {}))
    return 201, {"id": source_id} | ({"secret": made} if made else {})


def change_source(ask: Ask) -> dict[str, str]:
    """PATCH /desk/insight-sources/{source}"""
    with ask.desk.store.write() as tx:
        insight_sources.change(tx, ask.actor, ask.desk.box, ask.id("source"), **_given(ask.body))
    return {"id": ask.id("source")}


def remove_source(ask: Ask) -> None:
    """DELETE /desk/insight-sources/{source}"""
    with ask.desk.store.write() as tx:
        insight_sources.remove(tx, ask.actor, ask.id("source"))


async def test_source(ask: Ask) -> dict[str, Any]:
    """POST /desk/insight-sources/{source}/test: one question now, whose answer is shown and not kept."""
    source, subject, values = await run_in_threadpool(_trial, ask)
    began = time.monotonic()
    contents, error = await _asked(ask, source, subject, values)
    return {"contents": contents or [], "error": error, "ms": round((time.monotonic() - began) * 1000)}


async def _asked(
    ask: Ask, source: dict[str, Any], subject: Subject, values: dict[str, Any]
) -> tuple[list[Line] | None, str | None]:
    if source["kind"] == RULES:
        return lines_of(source["settings"]["lines"], values), None
    try:
        opened = asker.open_source(source, ask.desk.box)
    except SourceError as problem:
        return None, problem.code
    try:
        return await asker.ask(source, opened, asker.question_of(subject.number, values))
    finally:
        await opened.close()


def _trial(ask: Ask) -> tuple[dict[str, Any], Subject, dict[str, Any]]:
    with ask.desk.store.read() as conn:
        source = rows.source(conn, ask.id("source"))
        if source is None or source["kind"] == POSTED:
            raise not_found("The source")
        number = numbers.normalise(ask.body.number, people.company(conn)["country"])
        if not number:
            raise Invalid({"number": "Enter a telephone number."})
        subject = Subject("", "", number)
        return source, subject, queries.values_of(conn, subject)


def _given(body: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in body.model_dump(exclude_none=True).items() if name in body.model_fields_set}
