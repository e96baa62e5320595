"""Cards that programs post about live calls, each signed with its source's own secret (standardwebhooks.com).

Who cannot sign learns nothing: not even whether there is such a source.
"""

from typing import Any

from pydantic import AliasChoices, BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from aircall_core import numbers
from aircall_core.desk import insights
from aircall_core.desk.secrets import SecretKeyError
from aircall_core.domain.insight_kinds import POSTED
from aircall_core.messaging import webhook
from aircall_core.service.answers import Refused, is_id
from aircall_core.service.endpoint import Ask
from aircall_core.store import insights as rows
from aircall_core.store.queries import people


class CardLine(BaseModel):
    """One line of a posted card. ``email``: whose line it is, of type ``user``."""

    type: str = Field(max_length=20)
    text: str = Field("", max_length=2000)
    label: str | None = Field(None, max_length=2000)
    link: str | None = Field(None, max_length=4000)
    email: str | None = Field(None, max_length=1000)


class Card(BaseModel):
    """A card: its lines, under either of the names that clients of Aircall's API use, and the call that it is about.

    ``call``: its id. Or ``number``: every call that goes on with this customer, however the number is written.
    """

    call: str | None = Field(None, max_length=64)
    number: str | None = Field(None, max_length=64)
    contents: list[CardLine] = Field(validation_alias=AliasChoices("contents", "cards"), max_length=100)


async def post(ask: Ask) -> tuple[int, dict[str, int]]:
    """POST /hooks/cards/{source}: {call or number, contents}; 201 with how many calls show it."""
    raw = await ask.request.body()
    return await run_in_threadpool(_post, ask, raw)


def _post(ask: Ask, raw: bytes) -> tuple[int, dict[str, int]]:
    source = _signed(ask, raw)
    try:
        card = Card.model_validate_json(raw)
    except ValidationError:
        raise Refused(422, "invalid", "This is not a card: see docs/insight-cards.md.") from None
    if (card.call is None) == (card.number is None):
        raise Refused(422, "invalid", "Say which call the card is about: call (its id), or number.")
    contents = [one.model_dump(exclude_none=True) for one in card.contents]
    with ask.desk.store.write() as tx:
        count = 1
        if card.number is not None:
            number = numbers.normalise(card.number, people.company(tx.conn)["country"])
            count = insights.post_about(tx, "desk", number, contents)
        elif card.call is not None and is_id(card.call):
            insights.post(tx, "desk", card.call, contents)
        else:
            raise Refused(404, "not_found", "There is no such call.")
        rows.asked(tx.conn, source["id"], source["version"], tx.now_ms(), None)
    return 201, {"calls": count}


def _signed(ask: Ask, raw: bytes) -> dict[str, Any]:
    """The source that the path names, if this was signed with its secret."""
    forged = Refused(403, "forged", "This request is not signed as it should be.")
    with ask.desk.store.read() as conn:
        source = rows.source(conn, ask.id("source"))
    if source is None or source["kind"] != POSTED or not source["enabled"] or not source["secret"]:
        raise forged
    try:
        secret = ask.desk.box.open(source["secret"])
    except SecretKeyError as wrong:
        raise forged from wrong
    if not webhook.is_signed(secret, raw, ask.request.headers):
        raise forged
    return source
