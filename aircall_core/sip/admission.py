"""Who is let in: an INVITE judged by its source, its credentials, the number it dials and the room there is."""

from collections import Counter
from collections.abc import Callable

from aircall_core.logs import get_logger
from aircall_core.sip.digest import Digest
from aircall_core.sip.events import Admitted, Invite, Verdict
from aircall_core.sip.trunks import Directory, Trunk, source_ip

log = get_logger(__name__)

RINGING = 180
LOGGED_SOURCES = 1000  # refusals are logged once a source until so many have been seen, and always counted


class Admission:
    """Judges an INVITE inside the library's callback: from memory alone, in microseconds."""

    def __init__(self, directory: Directory, digest: Digest, capacity: int, in_use: Callable[[], int]) -> None:
        """`capacity`: calls let in at once; `in_use`: slots of the library taken by others than the one judged."""
        self.directory = directory
        self.capacity = capacity
        self.in_use = in_use
        self.draining = False
        self.counts: Counter[str] = Counter()
        self._digest = digest
        self._logged: set[tuple[str, str]] = set()

    def judge(self, invite: Invite) -> Verdict:
        """180 for a known trunk and line while there is room, else why not.

        A full worker sends no Retry-After: a carrier would stop all of its traffic for so long.
        """
        source = str(source_ip(invite.source) or "")
        trunk = self._known(invite) or self._proven(invite, source)
        if trunk is None:
            realms, given = self.directory.realms, invite.message.every("authorization")
            stale = any(self._digest.is_stale(self._digest.fields(one), source) for one in given)
            if realms and (stale or not given):
                values = self._digest.challenges(realms, source, stale=stale)
                challenges = tuple(("WWW-Authenticate", value) for value in values)
                return self._refuse("challenged", source, 401, "Unauthorized", challenges)
            return self._refuse("stranger", source, 403, "Forbidden")
        found = self.directory.line_for(invite.message)
        if found is None:
            return self._refuse("unknown_number", source, 404, "Not Found")
        if self.draining:
            return self._refuse("draining", source, 503, "Service Unavailable")
        if self.in_use() >= self.capacity:
            return self._refuse("full", source, 503, "Service Unavailable")
        return Verdict(RINGING, admitted=Admitted(trunk, *found))

    def _known(self, invite: Invite) -> Trunk | None:
        return self.directory.trunk_from(invite.source) or self.directory.trunk_called(invite.message)

    def _proven(self, invite: Invite, source: str) -> Trunk | None:
        """The trunk whose user name and password the caller knows."""
        for header in invite.message.every("authorization"):
            given = self._digest.fields(header)
            claimed = self._claimed(given)
            if claimed is not None and self._digest.verify(given, "INVITE", claimed.password, source):
                return claimed
        return None

    def _claimed(self, given: dict[str, str]) -> Trunk | None:
        return self.directory.trunk_of_user(given.get("username", ""), given.get("realm", "")) if given else None

    def _refuse(
        self, why: str, source: str, code: int, reason: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> Verdict:
        self.counts[why] += 1
        if len(self._logged) < LOGGED_SOURCES and (why, source) not in self._logged:
            self._logged.add((why, source))
            log.warning("call_refused", why=why, code=code, count=self.counts[why])
        return Verdict(code, reason, headers)
