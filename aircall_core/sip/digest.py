"""Digest authentication of an INVITE, our side: the challenge and the check (RFC 7616, RFC 8760; MD5 for old PBXs)."""

import hashlib
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from aircall_core.sip.message import raw

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASH: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}
NONCE_LIFE_S = 60
_REMEMBERED = 4096


class Digest:
    """Makes nonces that need no memory (signed time and source) and refuses the second use of an answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key = os.urandom(32)
        self._clock = clock
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()

    def challenges(self, realms: Iterable[str], source_ip: str, *, stale: bool = False) -> list[str]:
        """WWW-Authenticate values of every realm. `stale`: the password may be right, the nonce was too old.

        MD5 alone, though an answer by SHA-256 is taken too: user agents in the field (baresip 1.0, Asterisk's chan_sip)
        give up when they meet an algorithm that they do not know, wherever it stands among the challenges.
        """
        nonce, told = self._nonce(int(self._clock()), source_ip), ", stale=true" if stale else ""
        return [f'Digest realm="{realm}", nonce="{nonce}", algorithm=MD5, qop="auth"{told}' for realm in realms]

    def is_stale(self, given: dict[str, str], source_ip: str) -> bool:
        """Whether the nonce is one of ours for this source, and too old: to be asked again, not refused."""
        age = self._age(given.get("nonce", ""), source_ip)
        return age is not None and age > NONCE_LIFE_S

    def fields(self, header: str) -> dict[str, str]:
        """The parameters of an Authorization value; {} when it is not Digest."""
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            return {}
        return {name.lower(): quoted or bare for name, quoted, bare in _PAIR.findall(rest)}

    def verify(self, given: dict[str, str], method: str, password: str, source_ip: str) -> bool:
        """Whether these parameters prove the password. A nonce count is good once (replay)."""
        digest = _HASH.get(given.get("algorithm", "MD5").upper())
        nonce = given.get("nonce", "")
        if digest is None or not self._fresh(nonce, source_ip):
            return False
        secret = digest(raw(f"{given.get('username', '')}:{given.get('realm', '')}:{password}"))
        request = digest(raw(f"{method}:{given.get('uri', '')}"))
        if given.get("qop") != "auth":
            return False
        middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
        expected = digest(raw(f"{secret}:{middle}:{request}"))
        if not hmac.compare_digest(raw(expected), raw(given.get("response", "").lower())):
            return False
        use = (nonce, given.get("nc", ""))
        if use in self._used:
            return False
        self._used[use] = None
        while len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        return True

    def _nonce(self, at: int, source_ip: str) -> str:
        mark = hmac.new(self._key, f"{at}|{source_ip}".encode(), hashlib.sha256).hexdigest()[:32]
        return f"{at:x}.{mark}"

    def _fresh(self, nonce: str, source_ip: str) -> bool:
        age = self._age(nonce, source_ip)
        return age is not None and 0 <= age <= NONCE_LIFE_S

    def _age(self, nonce: str, source_ip: str) -> float | None:
        """Seconds since we made this nonce for this source; None when we did not."""
        try:
            at = int(nonce.partition(".")[0], 16)
        except ValueError:
            return None
        return self._clock() - at if hmac.compare_digest(raw(nonce), raw(self._nonce(at, source_ip))) else None
