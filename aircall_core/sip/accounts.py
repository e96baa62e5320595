"""The library's accounts: those that register with a carrier, and those that only call through a trunk.

A registered trunk calls out by its registration's account. Others get an account of their own when they are first used,
since the library keeps credentials by account. Builds with assertions abort at one account too many, so they are
counted: one is the default's, which takes whatever comes.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip import leg
from aircall_core.sip.trunks import CONTACT_TOKEN, Trunk

if TYPE_CHECKING:
    from aircall_core.sip.endpoint import Endpoint

log = get_logger(__name__)

REGISTER_S = 120  # how long a registration lasts: also how late we learn that the carrier is away


class Accounts:
    """The accounts of trunks. For the main thread."""

    def __init__(self, endpoint: "Endpoint") -> None:
        self.limit = 1  # how many the library holds
        self._endpoint = endpoint
        self._registered: dict[str, tuple[Trunk, leg.TrunkAccount]] = {}
        self._calling: dict[str, tuple[Trunk, leg.TrunkAccount]] = {}
        self._old: list[leg.TrunkAccount] = []  # a call goes on through them

    def register(self, trunks: Iterable[Trunk]) -> list[str]:
        """Registers these trunks, drops the others; ids of those for which the library has no account left."""
        wanted = {trunk.id: trunk for trunk in trunks if trunk.registrar}
        self._drop_all_but(wanted)
        too_many = []
        for trunk in wanted.values():
            if trunk.id in self._registered:
                continue
            if not self._room():
                too_many.append(trunk.id)
                continue
            self._registered[trunk.id] = (trunk, self._create(trunk, registers=True))
        return too_many

    def calling(self, trunk: Trunk) -> leg.TrunkAccount | None:
        """The account that calls out through this trunk; None when the library has none left."""
        for kept in (self._registered, self._calling):
            if trunk.id in kept and kept[trunk.id][0] == trunk:
                return kept[trunk.id][1]
        if trunk.id in self._calling:
            self._retire(self._calling.pop(trunk.id)[1])
        if not self._room():
            log.error("no_account_left", trunk=trunk.id)
            return None
        account = self._create(trunk, registers=False)
        self._calling[trunk.id] = (trunk, account)
        return account

    def unregister(self) -> None:
        """Registrations withdrawn: the worker leaves."""
        for _, account in self._registered.values():
            try:
                account.setRegistration(False)
            except pj.Error as problem:
                log.info("unregister_failed", error=problem.reason)

    def _drop_all_but(self, wanted: Mapping[str, Trunk]) -> None:
        """Registrations of trunks that are gone or have changed.

        In a frame of its own: an account that is named anywhere when the next one is made dies after that one has got
        its number, and takes it with it.
        """
        for trunk_id, (trunk, account) in list(self._registered.items()):
            if wanted.get(trunk_id) != trunk:
                del self._registered[trunk_id]
                self._retire(account)

    def _room(self) -> bool:
        self._old = [account for account in self._old if not self._dropped(account)]
        return 1 + len(self._registered) + len(self._calling) + len(self._old) < self.limit

    def _retire(self, account: leg.TrunkAccount) -> None:
        if not self._dropped(account):
            self._old.append(account)

    def _dropped(self, account: leg.TrunkAccount) -> bool:
        """Drops the account unless a call goes on through it, or a text of its own waits for an answer."""
        if account.requests or any(one.account_id == account.getId() for one in self._endpoint.legs.values()):
            return False
        account.shutdown()
        return True

    def _create(self, trunk: Trunk, *, registers: bool) -> leg.TrunkAccount:
        account = leg.TrunkAccount(self._endpoint, trunk.id)
        account.create(self._config(trunk, registers=registers))
        return account

    def _config(self, trunk: Trunk, *, registers: bool) -> Any:
        tail = transport_of(trunk)
        form = self._endpoint.account_config(f"sip:{trunk.username or 'aircall'}@{self.domain(trunk)}")
        if registers:
            form.regConfig.registrarUri = f"sip:{trunk.registrar}{tail}"
            form.regConfig.timeoutSec, form.regConfig.retryIntervalSec = REGISTER_S, 5
            form.regConfig.contactUriParams = f";{CONTACT_TOKEN}={trunk.token}" if trunk.token else ""
            form.regConfig.firstRetryIntervalSec = 2
        if trunk.proxy:
            form.sipConfig.proxies.append(f"sip:{trunk.proxy};lr{tail}")
        if trunk.username:
            form.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", trunk.username, 0, trunk.password))
        return form

    def domain(self, trunk: Trunk) -> str:
        """Who we say to be a user of: the carrier's, where we register; else this machine."""
        if trunk.registrar:
            return trunk.realm or trunk.registrar.rsplit(":", 1)[0]
        return self._endpoint.config.public_address or self._endpoint.config.host


def transport_of(trunk: Trunk) -> str:
    """The parameter that a URI of this trunk needs."""
    return "" if trunk.transport == "udp" else f";transport={trunk.transport}"
