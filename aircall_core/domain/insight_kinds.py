"""The kinds of sources of insight cards: what each needs to be told, and the card it makes unless told otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

RULES: Final = "rules"
HTTP: Final = "http"
POSTED: Final = "posted"  # a program that sends cards about live calls by itself
UNASKED: Final = (RULES, POSTED)  # kinds that no question is sent to


@dataclass(frozen=True, slots=True)
class SourceKind:
    """What sets a kind apart. ``address``: an example; ``secret``: whether it cannot do without one."""

    name: str
    address: str = ""
    secret: bool = False
    fields: tuple[str, ...] = ()  # further settings, all of them texts
    needs: tuple[str, ...] = ()  # of these, those that must not be empty
    lines: tuple[Mapping[str, Any], ...] = ()


def is_asked(kind: str, number: str) -> bool:
    """Whether a source of this kind is asked about a number: a CRM knows customers, not extensions or short codes."""
    return bool(number) and (kind == HTTP or (kind not in UNASKED and number.startswith("+")))


def _line(kind: str, text: str, label: str = "", link: str = "", email: str = "", *when: str) -> dict[str, Any]:
    line: dict[str, Any] = {"type": kind, "text": text, "label": label, "link": link, "email": email}
    if when:
        line["when"] = dict(zip(("field", "is", "value"), (*when, "", ""), strict=False))
    return line


_KINDS = (
    SourceKind(
        RULES,
        lines=(
            _line("title", "{{contact.company}}", "", "", "", "contact.company", "known"),
            _line("shortText", "{{contact.description}}", "About"),
        ),
    ),
    SourceKind(HTTP, "https://example.com/caller?number={{number}}", fields=("method", "auth", "name")),
    SourceKind(
        "hubspot",
        "https://api.hubapi.com",
        secret=True,
        fields=("portal",),
        lines=(
            _line("title", "{{answer.firstname}} {{answer.lastname}}", "HubSpot", "{{answer.link}}"),
            _line("shortText", "{{answer.jobtitle}}", "Role"),
            _line("shortText", "{{answer.company}}", "Company"),
            _line("shortText", "{{answer.lifecyclestage}}", "Stage"),
            _line("shortText", "{{answer.notes_last_contacted}}", "Last contacted"),
        ),
    ),
    SourceKind(
        "salesforce",
        "https://example.my.salesforce.com",
        secret=True,
        fields=("client_id",),
        needs=("client_id",),
        lines=(
            _line("title", "{{answer.Name}}", "{{answer.attributes.type}}", "{{answer.link}}"),
            _line("shortText", "{{answer.Title}}", "Role"),
            _line("shortText", "{{answer.Account.Name}}", "Account"),
            _line("user", "{{answer.Owner.Name}}", "Owner", "", "{{answer.Owner.Email}}"),
        ),
    ),
    SourceKind(
        "zendesk",
        "https://example.zendesk.com",
        secret=True,
        fields=("email",),
        needs=("email",),
        lines=(
            _line("title", "{{answer.name}}", "Zendesk", "{{answer.link}}"),
            _line("shortText", "{{answer.open_tickets}}", "Open tickets", "", "", "answer.open_tickets", "above", "0"),
            _line("shortText", "{{answer.notes}}", "Notes"),
        ),
    ),
    SourceKind(
        "pipedrive",
        "https://example.pipedrive.com",
        secret=True,
        lines=(
            _line("title", "{{answer.name}}", "Pipedrive", "{{answer.link}}"),
            _line("shortText", "{{answer.organization.name}}", "Organisation"),
            _line("shortText", "{{answer.open_deals}}", "Open deals", "", "", "answer.open_deals", "above", "0"),
            _line("shortText", "{{answer.deal.title}}", "Newest deal", "{{answer.deal.link}}"),
        ),
    ),
    SourceKind(POSTED, secret=True),
)
KINDS: Final[Mapping[str, SourceKind]] = {one.name: one for one in _KINDS}
METHODS: Final = ("GET", "POST")
AUTHS: Final = ("none", "bearer", "basic", "header")
CACHE_MIN: Final = (0, 1440)  # minutes that an answer counts for, least and most
DEFAULT_CACHE_MIN: Final = 10
PATIENCE_S: Final = 2.0  # a source that has not answered by then is not waited for
