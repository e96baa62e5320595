"""Pipedrive: the person with the caller's number, and their open deals (a personal API token)."""

from typing import Any

from aircall_core.crm.port import Access, Answer, Http, Question, caller, first, part

MOST_PERSONS = 20  # whose number has these digits somewhere
MOST_DEALS = 100


class Pipedrive:
    """Two requests for a caller who is known: the person, then the open deals, the newest first."""

    def __init__(self, access: Access, http: Http) -> None:
        self._access, self._http = access, http

    async def ask(self, question: Question) -> Answer:
        """The person as Pipedrive has it, with ``open_deals`` (their number), the newest ``deal`` and a ``link``."""
        # Numbers are kept as typed: the digits that every spelling of them ends with.
        looked_for = {"term": question.national or question.number, "fields": "phone", "limit": MOST_PERSONS}
        items = part(await self._get("persons/search", looked_for), "data", "items")
        found = caller(items, lambda one: part(one, "item", "phones") or (), question.number)
        if found is None:
            return None
        person: dict[str, Any] = dict(part(found, "item"))
        number = int(part(person, "id"))
        wanted = {"person_id": number, "status": "open", "sort_by": "add_time", "sort_direction": "desc"}
        deals = part(await self._get("deals", {**wanted, "limit": MOST_DEALS}), "data") or []
        newest = first(deals)
        deal = None if newest is None else {**newest, "link": f"{self._access.address}/deal/{int(part(newest, 'id'))}"}
        link = f"{self._access.address}/person/{number}"
        return {**person, "open_deals": len(deals), "deal": deal, "link": link}

    async def _get(self, path: str, params: dict[str, Any]) -> object:
        url, opened = f"{self._access.address}/api/v2/{path}", {"x-api-token": self._access.secret}
        return await self._http.json("GET", url, params=params, headers=opened)
