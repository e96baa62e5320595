"""Words by which customers ask for no more texts, and for texts again. A word counts when it is all that they wrote."""

import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

Wish = Literal["out", "in"]

# Every language's words count on every line: who writes STOP to a French line means it.
_OUT: Final = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out",  # en
        "arret", "arreter", "desabonner", "desinscription", "fin",  # fr
        "alto", "baja", "parar", "cancelar", "detener",  # es
    }
)  # fmt: skip
_IN: Final = frozenset(
    {"start", "unstop", "subscribe", "reprendre", "abonner", "reprise", "empezar", "comenzar", "alta", "iniciar"}
)

# In letters of the GSM alphabet, so that each is one SMS.
_OUT_SAID: Final[Mapping[str, str]] = {
    "en": "{line}: you will get no more texts from this number. Reply START to get them again.",
    "fr": "{line} : vous ne recevrez plus de SMS de ce numéro. Répondez START pour en recevoir à nouveau.",
    "es": "{line}: ya no le escribimos por SMS. Responda START para recibirlos de nuevo.",
}
_IN_SAID: Final[Mapping[str, str]] = {
    "en": "{line}: you will get texts from this number again. Reply STOP to get no more.",
    "fr": "{line} : vous recevrez à nouveau les SMS de ce numéro. Répondez STOP pour ne plus en recevoir.",
    "es": "{line}: le escribimos de nuevo por SMS. Responda STOP para no recibir SMS.",
}


def wish_of(text: str) -> Wish | None:
    """Whether the customer asks to be left alone, or to be written to again."""
    if len(text) > 40:
        return None
    plain = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(one if one.isalpha() else " " for one in plain if not unicodedata.combining(one))
    words = " ".join(letters.split())
    return "out" if words in _OUT else "in" if words in _IN else None


def confirmation(wish: Wish, language: str, line_name: str) -> str:
    """What the customer is told, once, in the line's language (else in English)."""
    said = _OUT_SAID if wish == "out" else _IN_SAID
    return said.get(language, said["en"]).format(line=line_name)
