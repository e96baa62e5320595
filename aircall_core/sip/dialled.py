"""What our own requests are made of: numbers that fit into a URI, headers in the library's form."""

import re
from collections.abc import Iterable
from typing import Any

import pjsua2 as pj

DIALLED = re.compile(r"\+?[0-9*#]{2,32}")  # nothing that could turn the URI into another one


def headers_of(headers: Iterable[tuple[str, str]]) -> Any:
    """Headers for `txOption.headers`."""
    kept = pj.SipHeaderVector()
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        kept.append(header)
    return kept
