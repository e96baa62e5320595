"""HubSpot: the contact with the caller's number, by the CRM search API (a private app's token)."""

from typing import Any

from aircall_core.crm.port import Access, Answer, Http, Question, SourceError, caller, part

PROPERTIES = (
    "firstname", "lastname", "company", "jobtitle", "email", "phone", "mobilephone", "lifecyclestage", "hs_lead_status",
    "notes_last_contacted", "hubspot_owner_id",
)  # fmt: skip
MOST = 10


class HubSpot:
    """One search for each question. HubSpot keeps numbers as they were typed, and beside them as it reads them."""

    def __init__(self, access: Access, http: Http) -> None:
        self._access, self._http = access, http

    async def ask(self, question: Question) -> Answer:
        """The properties of the contact that changed last, with ``id`` and a ``link`` to it."""
        looked_for = [
            ("phone", question.number),
            ("mobilephone", question.number),
            ("hs_searchable_calculated_phone_number", question.national),
            ("hs_searchable_calculated_mobile_number", question.national),
        ]
        groups = [
            {"filters": [{"propertyName": name, "operator": "EQ", "value": value}]}
            for name, value in looked_for
            if value
        ]
        answer = await self._http.json(
            "POST",
            f"{self._access.address}/crm/v3/objects/contacts/search",
            headers={"authorization": f"Bearer {self._access.secret}"},
            json={
                "filterGroups": groups,
                "properties": list(PROPERTIES),
                "sorts": [{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}],
                "limit": MOST,
            },
        )
        found = caller(part(answer, "results"), _phones, question.number)
        if found is None:
            return None
        record = str(part(found, "id"))
        portal = str(self._access.settings.get("portal") or "")
        link = f"https://app.hubspot.com/contacts/{portal}/record/0-1/{record}" if portal else ""
        return {**dict(part(found, "properties") or {}), "id": record, "link": link}


def _phones(record: dict[str, Any]) -> list[object]:
    known = record.get("properties")
    if not isinstance(known, dict):
        raise SourceError("not_understood")
    return [known.get("phone"), known.get("mobilephone")]
