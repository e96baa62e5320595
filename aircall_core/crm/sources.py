"""The sources that there are, opened: kept while their settings stay as they are, and asked with a time limit."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from aircall_core import outward
from aircall_core.crm.http import HttpSource
from aircall_core.crm.hubspot import HubSpot
from aircall_core.crm.pipedrive import Pipedrive
from aircall_core.crm.port import Access, Http, Question, Source, SourceError
from aircall_core.crm.salesforce import Salesforce
from aircall_core.crm.zendesk import Zendesk
from aircall_core.domain.insight import Line, clean, lines_of
from aircall_core.domain.insight_kinds import HTTP, KINDS, PATIENCE_S

_OPENED_BY: Final[Mapping[str, Callable[[Access, Http], Source]]] = {
    HTTP: HttpSource,
    "hubspot": HubSpot,
    "salesforce": Salesforce,
    "zendesk": Zendesk,
    "pipedrive": Pipedrive,
}


class Opened:
    """One source with its connections and its card's template."""

    def __init__(self, kind: str, settings: Mapping[str, Any], secret: str) -> None:
        self._client = outward.client(private=bool(settings.get("private")))
        self._template = settings.get("lines") or KINDS[kind].lines
        access = Access(
            str(settings.get("address", "")).rstrip("/") if kind != HTTP else settings["address"], settings, secret
        )
        self._source = _OPENED_BY[kind](access, Http(self._client))

    async def card(self, question: Question) -> list[Line]:
        """The card's lines; [] when the caller is not known there. SourceError when it did not answer as agreed."""
        try:
            async with asyncio.timeout(PATIENCE_S):  # for all of its requests together
                answer = await self._source.ask(question)
        except TimeoutError:
            raise SourceError("too_slow") from None
        except (KeyError, IndexError, TypeError, ValueError):
            raise SourceError("not_understood") from None
        if answer is None:
            return []
        if not self._template and isinstance(answer, Mapping):
            return clean(answer.get("contents"))
        return lines_of(self._template, {**question.values, "answer": answer})

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
