"""Zendesk: the user with the caller's number, and how many of their tickets are open (an API token)."""

from aircall_core.crm.port import Access, Answer, Http, Question, basic, caller, part


class Zendesk:
    """Two requests for a caller who is known: the user, then the count of tickets."""

    def __init__(self, access: Access, http: Http) -> None:
        self._access, self._http = access, http

    async def ask(self, question: Question) -> Answer:
        """The user as Zendesk has it, with ``open_tickets`` and a ``link``."""
        found = await self._get("users/search", f'phone:"{question.number}"')
        user = caller(part(found, "users"), lambda one: (one.get("phone"),), question.number)
        if user is None:
            return None
        user_id = int(part(user, "id"))
        count = await self._get("search/count", f"type:ticket requester:{user_id} status<solved")
        link = f"{self._access.address}/agent/users/{user_id}"
        return {**user, "open_tickets": part(count, "count"), "link": link}

    async def _get(self, path: str, query: str) -> object:
        opened = basic(f"{self._access.settings.get('email')}/token", self._access.secret)
        url = f"{self._access.address}/api/v2/{path}.json"
        return await self._http.json("GET", url, params={"query": query}, headers=opened)
