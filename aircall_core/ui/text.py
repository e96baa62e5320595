"""Everything the console says, by key. What other languages lack is said in English.

One file a language in `locales/`, and beside it a folder of the same name for the texts of larger parts of the console.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "locales"
DEFAULT = "en"


@lru_cache(maxsize=8)
def catalogue(language: str = DEFAULT) -> dict[str, dict[str, str]]:
    """The texts of a language by section and key."""
    own: dict[str, dict[str, str]] = {}
    for path in (FOLDER / f"{language}.json", *sorted((FOLDER / language).glob("*.json"))):
        for section, texts in json.loads(path.read_text("utf-8")).items():
            own.setdefault(section, {}).update(texts)
    if language == DEFAULT:
        return own
    english = catalogue(DEFAULT)
    return {section: {**texts, **own.get(section, {})} for section, texts in english.items()}


def languages() -> list[str]:
    """The languages there are texts for."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def browser_texts(language: str = DEFAULT) -> dict[str, str]:
    """The texts of the components in the browser."""
    return catalogue(language)["ui"]


def t(key: str, /, language: str = DEFAULT, **values: Any) -> str:
    """The text `section.key` with its values filled in. A missing key is a mistake of ours and raises KeyError."""
    section, _, name = key.partition(".")
    return catalogue(language)[section][name].format(**values)
