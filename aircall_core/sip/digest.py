"""Digest authentication of an INVITE, our side: the challenge and the check (RFC 7616, RFC 8760; MD5 for old PBXs)."""

import hashlib
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

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

    def challenges(self, realms: Iterable[str], source_ip: str) -> list[str]:
        """WWW-Authenticate values of every realm, the strongest first (RFC 8760 2.4)."""
        nonce = self._nonce(int(self._clock()), source_ip)
        return [
            f'Digest realm="{realm}", nonce="{nonce}", algorithm={name}, qop="auth"'
            for realm in realms
            for name in ("SHA-256", "MD5")
        ]

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
        secret = digest(f"{given.get('username', '')}:{given.get('realm', '')}:{password}".encode())
        request = digest(f"{method}:{given.get('uri', '')}".encode())
        if given.get("qop") != "auth":
            return False
        middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
        if not hmac.compare_digest(digest(f"{secret}:{middle}:{request}".encode()), given.get("response", "").lower()):
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
        try:
            at = int(nonce.partition(".")[0], 16)
        except ValueError:
            return False
        return hmac.compare_digest(nonce, self._nonce(at, source_ip)) and 0 <= self._clock() - at <= NONCE_LIFE_S
