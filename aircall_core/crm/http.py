"""A company's own service: one request with the caller's number in it, JSON back, mapped by the card's template.

An answer that is a card already (``{"contents": [...]}``) needs no template.
"""

from typing import Any

from aircall_core.crm.port import Access, Answer, Http, Question, SourceError, basic
from aircall_core.domain.insight import fill


class HttpSource:
    """Asks an address: GET with variables in it, or POST of what is known as JSON."""

    def __init__(self, access: Access, http: Http) -> None:
        self._access, self._http = access, http

    async def ask(self, question: Question) -> Answer:
        """The answer as it is; 204 and 404 say that the caller is not known there."""
        method = str(self._access.settings.get("method") or "GET")
        body: dict[str, Any] = {"json": dict(question.values)} if method == "POST" else {}
        url = fill(self._access.address, question.values, quoted=True)
        try:
            answer = await self._http.json(method, url, headers=self._opened(), **body)
        except SourceError as error:
            if error.code == "not_found":
                return None
            raise
        if answer is not None and not isinstance(answer, dict | list):
            raise SourceError("not_understood")
        return answer

    def _opened(self) -> dict[str, str]:
        settings, secret = self._access.settings, self._access.secret
        name = str(settings.get("name") or "")
        match settings.get("auth"):
            case "bearer":
                return {"authorization": f"Bearer {secret}"}
            case "basic":
                return basic(name, secret)
            case "header":
                return {name: secret}
            case _:
                return {}
