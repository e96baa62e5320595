"""Salesforce: the contact, account or lead with the caller's number, by REST (OAuth client credentials)."""

from aircall_core.crm.port import Access, Answer, Http, Question, SourceError, caller, part

VERSION = "v61.0"
PHONES = ("Phone", "MobilePhone")
_OWNER = ["Id", "Name", "Owner.Name", "Owner.Email"]
SEARCHED = (
    {"name": "Contact", "fields": [*_OWNER, *PHONES, "Title", "Account.Name"], "limit": 10},
    {"name": "Account", "fields": [*_OWNER, "Phone", "Industry"], "limit": 10},
    {"name": "Lead", "fields": [*_OWNER, *PHONES, "Title", "Company", "Status"], "limit": 10},
)


class Salesforce:
    """Signs in when it has no token, or when Salesforce takes the one it has no longer, then searches."""

    def __init__(self, access: Access, http: Http) -> None:
        self._access, self._http = access, http
        self._token: str | None = None

    async def ask(self, question: Question) -> Answer:
        """The record as Salesforce has it, with a ``link`` to it."""
        had_one = self._token is not None
        try:
            return await self._search(question)
        except SourceError as error:
            if error.code != "signed_out" or not had_one:
                raise
        self._token = None
        return await self._search(question)

    async def _search(self, question: Question) -> Answer:
        address = self._access.address
        token = self._token = self._token or await self._sign_in()
        answer = await self._http.json(
            "POST",
            f"{address}/services/data/{VERSION}/parameterizedSearch",
            headers={"authorization": f"Bearer {token}"},
            # Digits alone: in PHONE fields Salesforce looks past how a number was written.
            json={"q": question.national or question.number, "in": "PHONE", "sobjects": list(SEARCHED)},
        )
        records = part(answer, "searchRecords")
        found = caller(records, lambda one: [one.get(name) for name in PHONES], question.number)
        return None if found is None else {**found, "link": f"{address}/{part(found, 'Id')}"}

    async def _sign_in(self) -> str:
        given = {
            "grant_type": "client_credentials",
            "client_id": self._access.settings.get("client_id"),
            "client_secret": self._access.secret,
        }
        try:
            answer = await self._http.json("POST", f"{self._access.address}/services/oauth2/token", data=given)
        except SourceError as error:
            # It answers 400 to a wrong client (RFC 6749, 5.2).
            raise SourceError("signed_out" if error.code == "bad_request" else error.code) from None
        return str(part(answer, "access_token"))
