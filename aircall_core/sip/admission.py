"""Who is let in: an INVITE, or a text, judged by source, credentials, the number it is for and the room there is."""

import time
from collections import Counter
from collections.abc import Callable

from aircall_core.logs import get_logger
from aircall_core.sip.digest import Digest
from aircall_core.sip.events import Admitted, Invite, Verdict
from aircall_core.sip.message import Message
from aircall_core.sip.trunks import Directory, Trunk, source_ip

log = get_logger(__name__)

RINGING, OK, SILENCE = 180, 200, 0
REFUSED_TEXTS_S = 50  # refusals of texts a second that are answered, challenges among them; a flood hears nothing
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS"  # of a number that takes no texts
LOGGED_SOURCES = 1000  # refusals are logged once a source until so many have been seen, and always counted


class Admission:
    """Judges an INVITE inside the library's callback: from memory alone, in microseconds."""

    def __init__(
        self, directory: Directory, digest: Digest, capacity: int, in_use: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`capacity`: calls let in at once; `in_use`: slots of the library taken by others than the one judged."""
        self.directory = directory
        self.capacity = capacity
        self.in_use = in_use
        self.draining = False
        self.counts: Counter[str] = Counter()
        self._digest = digest
        self._logged: set[tuple[str, str]] = set()
        self._clock = clock
        self._refused_texts, self._refused_at = 0.0, 0.0

    def judge(self, invite: Invite) -> Verdict:
        """180 for a known trunk and line while there is room, else why not.

        A full worker sends no Retry-After: a carrier would stop all of its traffic for so long.
        """
        source = str(source_ip(invite.source) or "")
        trunk = self._trunk(invite.message, invite.source, "INVITE")
        if isinstance(trunk, Verdict):
            return trunk
        found = self.directory.line_for(invite.message)
        if found is None:
            return self._refuse("unknown_number", source, 404, "Not Found")
        if self.draining:
            return self._refuse("draining", source, 503, "Service Unavailable")
        if self.in_use() >= self.capacity:
            return self._refuse("full", source, 503, "Service Unavailable")
        return Verdict(RINGING, admitted=Admitted(trunk, *found))

    def judge_text(self, message: Message, source: str) -> Verdict:
        """200 for a text to a line that takes texts, from a known trunk; 0: say nothing, too many were refused."""
        verdict = self._judged_text(message, source)
        if verdict.admitted is None and self._flooded():
            self.counts["flood"] += 1
            return Verdict(SILENCE)
        return verdict

    def _judged_text(self, message: Message, source: str) -> Verdict:
        trunk = self._trunk(message, source, "MESSAGE")
        if isinstance(trunk, Verdict):
            return trunk
        ip, found = str(source_ip(source) or ""), self.directory.line_for(message)
        if found is None:
            return self._refuse("unknown_number", ip, 404, "Not Found")
        if not found[0].texts:
            return self._refuse("no_texts", ip, 405, "Method Not Allowed", (("Allow", ALLOW),))
        if self.draining:
            return self._refuse("draining", ip, 503, "Service Unavailable")
        return Verdict(OK, admitted=Admitted(trunk, *found))

    def _flooded(self) -> bool:
        """Whether more refusals than so many a second are asked for (a bucket that leaks)."""
        now = self._clock()
        self._refused_texts = max(0.0, self._refused_texts - (now - self._refused_at) * REFUSED_TEXTS_S)
        self._refused_at = now
        if self._refused_texts >= REFUSED_TEXTS_S:
            return True
        self._refused_texts += 1
        return False

    def _trunk(self, message: Message, whence: str, method: str) -> Trunk | Verdict:
        """The trunk that a request comes by; what a stranger hears."""
        source = str(source_ip(whence) or "")
        known = self.directory.trunk_from(whence) or self.directory.trunk_called(message)
        trunk = known or self._proven(message, source, method)
        if trunk is not None:
            return trunk
        realms, given = self.directory.realms, message.every("authorization")
        stale = any(self._digest.is_stale(self._digest.fields(one), source) for one in given)
        if realms and (stale or not given):
            values = self._digest.challenges(realms, source, stale=stale)
            challenges = tuple(("WWW-Authenticate", value) for value in values)
            return self._refuse("challenged", source, 401, "Unauthorized", challenges)
        return self._refuse("stranger", source, 403, "Forbidden")

    def _proven(self, message: Message, source: str, method: str) -> Trunk | None:
        """The trunk whose user name and password the sender knows."""
        for header in message.every("authorization"):
            given = self._digest.fields(header)
            claimed = self._claimed(given)
            if claimed is not None and self._digest.verify(given, method, claimed.password, source):
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
