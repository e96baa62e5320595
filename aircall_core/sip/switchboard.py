"""The worker's desk: who is let in, which call an event belongs to, and the one loop in which all of it happens."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from aircall_core.domain.events import INTENTS, EventRow
from aircall_core.ids import new_id, now_ms
from aircall_core.logs import get_logger
from aircall_core.sip import events as sip
from aircall_core.sip import storelink as link
from aircall_core.sip.admission import Admission
from aircall_core.sip.calls import InboundCall
from aircall_core.sip.farewell import ringing_of
from aircall_core.sip.lookup import LookedUp
from aircall_core.sip.message import printable
from aircall_core.sip.recorder import Saved
from aircall_core.sip.tools import AUDIBLE, Origin, Stage, Tools
from aircall_core.sip.trunks import Directory, caller_of

log = get_logger(__name__)
T = TypeVar("T")
Message = link.Message | Saved | LookedUp


class Switchboard:
    """Calls by number and by leg; takes what the network, the store and the timers say to the right one."""

    def __init__(self, tools: Tools, admission: Admission, accounts: int, *, registers: bool) -> None:
        """`accounts`: how many the library holds; `registers`: whether this worker registers the trunks."""
        self.tools, self.admission = tools, admission
        self.inbox: deque[Message] = deque()
        self.calls: dict[str, InboundCall] = {}
        self.replaced = False
        self._by_token: dict[int, InboundCall] = {}
        self._ended: deque[str] = deque(maxlen=256)  # late wishes for these are ours to answer
        self._accounts, self._registers = accounts, registers

    def tell(self, message: Message) -> None:
        """From any thread: has the SIP thread hear this at once."""
        self.inbox.append(message)
        self.tools.endpoint.wake()

    def wants(self, call_id: str) -> bool:
        """Whether a gateway may bring audio for this call."""
        call = self.calls.get(call_id)
        return call is not None and call.stage in AUDIBLE

    def turn(self, milliseconds: int = 10) -> None:
        """One turn of the loop."""
        endpoint = self.tools.endpoint
        endpoint.poll(milliseconds)
        while endpoint.events:
            _alone(self._on_sip, endpoint.events.popleft())
        while self.inbox:
            _alone(self._on_message, self.inbox.popleft())
        self.tools.links.poll()
        for call in list(self.calls.values()):
            if call.stage is Stage.ACCEPTING:
                _alone(lambda one: one.agent.on_audio(), call)
        for action in self.tools.timers.due():
            _alone(lambda do: do(), action)

    def end_all(self, reason: str) -> None:
        """Ends every call: those who talk by BYE, those who ring by 480."""
        for call in list(self.calls.values()):
            call.end("system", reason)

    # ---- the network

    def _on_sip(self, event: sip.Event) -> None:
        match event:
            case sip.Arrived(invite, admitted):
                self._arrived(invite, admitted)
            case sip.Refused(invite, verdict):
                self.tools.endpoint.refuse(invite.token, verdict.code, verdict.reason, verdict.headers)
            case sip.Registration(trunk_id, code, active):
                state = "registered" if active else "failed"
                log.info("trunk_state", trunk=trunk_id, state=state, code=code)
                self.tools.put(link.TRUNK, "", trunk_id=trunk_id, state=state, code=code)
            case sip.Asked(token, what):
                self.admission.counts[what.lower()] += 1
                log.warning("request_refused", what=what, call=self._id_of(token))
            case sip.Confirmed(token):
                if call := self._by_token.get(token):
                    call.on_confirmed()
            case sip.Media(token, active, held):
                if call := self._by_token.get(token):
                    call.on_media(active=active, held=held)
            case sip.Digit(token, digit):
                if call := self._by_token.get(token):
                    call.on_digit(digit)
            case sip.Gone(token, code, by_caller):
                self._gone(token, code, by_caller=by_caller)

    def _arrived(self, invite: sip.Invite, admitted: sip.Admitted) -> None:
        line = admitted.line
        caller = caller_of(invite.message, line.country)
        call_id = new_id()
        number = "" if caller.anonymous else caller.number[:64]
        origin = Origin(invite.source, invite.has_offer, line.id, number, line.country)
        call = InboundCall(self.tools, call_id, invite.token, origin)
        self.calls[call_id] = self._by_token[invite.token] = call
        log.info("call_arrived", call=call_id, line=line.id, trunk=admitted.trunk.id)
        leg = self.tools.endpoint.legs.get(invite.token)
        self.tools.put(
            link.ARRIVAL,
            call_id,
            line_id=line.id,
            trunk_id=admitted.trunk.id,
            from_number=caller.number[:64],
            from_display=caller.display,
            to_number=admitted.dialled[:64],
            anonymous=caller.anonymous,
            sip_call_id=printable(invite.message.get("call-id"))[:255],
            arrived_at=now_ms(),
            dialog=ringing_of(invite.message, leg.local_tag, invite.source).as_json() if leg else None,
        )

    def _gone(self, token: int, code: int, *, by_caller: bool) -> None:
        call = self._by_token.pop(token, None)
        if call is None:
            return
        call.on_gone(code=code, by_caller=by_caller)
        self.calls.pop(call.id, None)
        self._ended.append(call.id)
        log.info("call_gone", call=call.id, code=code, by_caller=by_caller)

    def _id_of(self, token: int) -> str:
        call = self._by_token.get(token)
        return call.id if call else ""

    # ---- the store

    def _on_message(self, message: Message) -> None:
        match message:
            case link.Heard(rows):
                for row in rows:
                    self._on_event(row, row.event.call_id or "")
            case link.Planned() | link.Redirected() | link.Standing() | link.Returned() | link.Fence():
                if call := self.calls.get(message.call_id):
                    self._on_reply(call, message)
            case LookedUp():
                if call := self.calls.get(message.call_id):
                    call.flow.on_looked_up(message)
            case link.NewDirectory(directory):
                self.use(directory)
            case link.DiskLow(low):
                self._disk(low=low)
            case link.Replaced():
                self.replaced = True
            case Saved():
                self._saved(message)

    def _on_event(self, row: EventRow, call_id: str) -> None:
        call = self.calls.get(call_id)
        if call is not None and call.stage is not Stage.ENDED:
            call.on_event(row)
        elif row.kind in INTENTS and (call is not None or call_id in self._ended):
            # Wished for while the caller hung up: a command's end is always an event.
            data = row.event.data
            if data.get("command"):
                user = row.event.user_id
                self.tools.put("command_failed", call_id, user_id=user, command=data["command"], code="call_over")

    def _on_reply(self, call: InboundCall, message: link.Reply) -> None:
        match message:
            case link.Planned(_, plan):
                call.on_plan(plan)
            case link.Redirected(_, plan):
                call.flow.on_redirected(plan)
            case link.Standing(_, ref, entered):
                call.flow.on_entered(entered, ref)
            case link.Returned(_, entered):
                call.on_returned(entered)
            case link.Fence():
                log.warning("call_fenced", call=call.id)
                call.drop()

    def use(self, directory: Directory) -> None:
        """These are the lines and trunks from now on."""
        self.admission.directory = directory
        self.tools.lookups.secrets = directory.secrets
        if not self._registers:
            return
        for trunk_id in directory.unreadable:
            log.error("trunk_unreadable", trunk=trunk_id, why="its password was encrypted with another key")
            self.tools.put(link.TRUNK, "", trunk_id=trunk_id, state="failed", code=0)
        for trunk_id in self.tools.endpoint.register_trunks(directory.trunks.values(), self._accounts):
            log.error("trunk_not_registered", trunk=trunk_id, why="the library holds no more accounts")
            self.tools.put(link.TRUNK, "", trunk_id=trunk_id, state="failed", code=0)

    def _disk(self, *, low: bool) -> None:
        self.tools.record = not low
        log.warning("disk_low" if low else "disk_fine")
        if low:
            for call in self.calls.values():
                call.disk_full()

    def _saved(self, saved: Saved) -> None:
        if saved.error:
            self.tools.put("recording", saved.call_id, state="failed", reason="mixdown")
        else:
            self.tools.put(
                link.SAVED,
                saved.call_id,
                path=saved.path,
                duration_ms=saved.duration_ms,
                size_bytes=saved.size_bytes,
                at=now_ms(),
                kind=saved.kind,
            )

    def status(self) -> dict[str, Any]:
        """For the node's row and the health page."""
        return {
            "calls_up": len(self.calls),
            "bridge_ports": self.tools.endpoint.bridge_ports(),
            "refused": dict(self.admission.counts),
            "malformed": self.tools.endpoint.counters.malformed,
        }


def _alone(handle: Callable[[T], None], what: T) -> None:
    """Whatever goes wrong with one call must not end the others: it is said with its place, and the loop goes on."""
    try:
        handle(what)
    except Exception:
        log.exception("handler_failed", what=type(what).__name__)
