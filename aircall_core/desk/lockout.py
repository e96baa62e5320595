"""How long failed sign-ins keep an account or an address waiting: a pure rule over counts.

Stored, so that a restart forgives nothing. An attempt is counted before the password is looked at and forgiven when it
was right, so that a hundred attempts at once are counted as a hundred.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

FORGET_MS = 24 * 3600 * 1000  # after a day without failures the count begins anew


@dataclass(frozen=True, slots=True)
class Rule:
    """``free`` failures cost nothing, each further one doubles the wait from one second up to ``longest_s``."""

    free: int
    longest_s: int

    def wait_ms(self, count: int) -> int:
        """The wait after the ``count``-th failure in a row."""
        over = count - self.free
        if over <= 0:
            return 0
        return int(min(2.0 ** min(over - 1, 30), self.longest_s) * 1000)


# An office shares one address, so it may fail more often than one person does. The account's wait stays short enough
# that a stranger who knows an e-mail address cannot lock its owner out for the day.
ACCOUNT = Rule(free=5, longest_s=300)
ADDRESS = Rule(free=30, longest_s=900)


def account_subject(email: str) -> str:
    """The key of an account's failures. Hashed: people type passwords into the wrong field."""
    return "account:" + hashlib.sha256(email.strip().lower().encode()).hexdigest()


def address_subject(address: str) -> str:
    """The key of an address's failures; for IPv6 its /64, which is what one subscriber gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address:{parsed.ipv4_mapped}"
        return f"address:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"address:{parsed}"
