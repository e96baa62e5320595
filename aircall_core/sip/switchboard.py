"""The worker's desk: who is let in, which call an event belongs to, and the one loop in which all of it happens."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from aircall_core.domain.call import Direction
from aircall_core.domain.events import CALL_DIAL_WANTED as DIAL_WANTED
from aircall_core.domain.events import INTENTS, MESSAGE_SEND_WANTED, EventRow
from aircall_core.ids import new_id, now_ms
from aircall_core.logs import get_logger
from aircall_core.sip import events as sip
from aircall_core.sip import replies as link
from aircall_core.sip.admission import Admission
from aircall_core.sip.calls import Call
from aircall_core.sip.children import Child, InternalChild, OutboundChild
from aircall_core.sip.farewell import ringing_of
from aircall_core.sip.lookup import LookedUp
from aircall_core.sip.message import printable
from aircall_core.sip.outbound import OutboundCall
from aircall_core.sip.outleg import OutLeg
from aircall_core.sip.recorder import Saved
from aircall_core.sip.text_in import TextsIn
from aircall_core.sip.text_out import TextsOut
from aircall_core.sip.tools import AUDIBLE, AWAITING, Accept, LegEars, Origin, Stage, Tools
from aircall_core.sip.trunks import Directory, caller_of
from aircall_core.store.calls import Owner

log = get_logger(__name__)
T = TypeVar("T")
Message = link.Message | Saved | LookedUp


class Switchboard:
    """Calls by number and by leg; takes what the network, the store and the timers say to the right one."""

    def __init__(self, tools: Tools, admission: Admission, owner: Owner, *, registers: bool) -> None:
        """`owner`: this life of the worker; `registers`: whether it registers the trunks."""
        self.tools, self.admission = tools, admission
        self.inbox: deque[Message] = deque()
        self.calls: dict[str, Call] = {}
        self.replaced = False
        self.texts_in = TextsIn(tools, admission)
        self.texts_out = TextsOut(tools, owner, lambda: admission.draining)
        self._owner = owner
        self._ended: deque[str] = deque(maxlen=256)  # late wishes for these are ours to answer
        self._registers = registers

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
            if call.stage in AWAITING:
                _alone(lambda one: one.agent.on_audio(), call)
            elif call.stage is Stage.ENDED and call.token not in endpoint.legs:
                self._forget(call)
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
            case sip.Gone(token, code, by_far):
                if ears := self.tools.routes.pop(token, None):
                    ears.on_gone(code=code, by_far=by_far)
            case sip.TextArrived():
                self.texts_in.on_arrived(event)
            case sip.TextAnswered():
                self.texts_out.on_answered(event)
            case sip.ProbeAnswered():
                self.texts_out.on_probed(event)
            case sip.Progress() | sip.Confirmed() | sip.Media() | sip.Digit() | sip.Referred():
                if ears := self.tools.routes.get(event.token):
                    _hear(ears, event)

    def _arrived(self, invite: sip.Invite, admitted: sip.Admitted) -> None:
        line = admitted.line
        caller = caller_of(invite.message, line.country)
        call_id = new_id()
        number = "" if caller.anonymous else caller.number[:64]
        origin = Origin(invite.source, invite.has_offer, line.id, number, line.country, admitted.trunk.id)
        call = Call(self.tools, call_id, invite.token, origin)
        self.calls[call_id] = self.tools.routes[invite.token] = call
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

    def _forget(self, call: Call) -> None:
        """It is over, and its leg is gone."""
        self.calls.pop(call.id, None)
        self._ended.append(call.id)
        log.info("call_gone", call=call.id)

    def _id_of(self, token: int) -> str:
        ears = self.tools.routes.get(token)
        return ears.id if isinstance(ears, Call) else ""

    # ---- calls that users have us make

    def _dial(self, row: EventRow, call_id: str) -> None:
        """A call out, or a colleague asked; of its line, and where it is a child, beside its parent."""
        data, line_id = row.event.data, row.event.line_id or ""
        if (data["node"], data["epoch"]) != (self._owner.node, self._owner.epoch) or call_id in self._ended:
            return
        asked = Accept(str(data["started_by"]), str(data["peer"] or ""), str(data["command"]))
        line = self.tools.directory.lines.get(line_id)
        origin = Origin("", True, line_id, "", line.country if line else "")
        call: OutboundCall | Child
        parent = self.calls.get(str(data["parent"])) if data["parent"] else None
        if now_ms() > int(str(data["deadline"])):
            self._refuse(call_id, asked, "expired")
        elif data["direction"] != Direction.INTERNAL and self.tools.full():
            self._refuse(call_id, asked, "full")
        elif data["parent"] and (parent is None or parent.stage is not Stage.TALKING):
            self._refuse(call_id, asked, "parent_over")
        elif parent is not None:
            kind = InternalChild if data["direction"] == Direction.INTERNAL else OutboundChild
            call = kind(self.tools, call_id, origin, asked, parent.family, join=bool(data["join"]))
            self.calls[call_id] = parent.family.children[call_id] = call
            parent.connect()
        else:
            self.calls[call_id] = OutboundCall(self.tools, call_id, origin, asked)

    def _refuse(self, call_id: str, asked: Accept, code: str) -> None:
        """It is over before it began."""
        self._ended.append(call_id)
        self.tools.put("command_failed", call_id, user_id=asked.user, command=asked.command, code=code)
        self.tools.put("ended", call_id, by="system", at=now_ms(), reason=code, command=asked.command)

    # ---- the store

    def _on_message(self, message: Message) -> None:
        match message:
            case link.Heard(rows):
                for row in rows:
                    self._on_event(row, row.event.call_id or "")
            case (
                link.Planned() | link.Redirected() | link.Standing() | link.Returned() | link.DialTold()
                | link.HandedOn() | link.KeysClaimed() | link.Fence()
            ):  # fmt: skip
                if call := self.calls.get(message.call_id):
                    self._on_reply(call, message)
            case link.TextKept() | link.TextClaimed():
                self._on_text(message)
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
        if row.kind == MESSAGE_SEND_WANTED:
            self.texts_out.on_wanted(row)
        elif call is not None and call.stage is not Stage.ENDED:
            call.on_event(row)
        elif row.kind == DIAL_WANTED and call is None:
            self._dial(row, call_id)
        elif row.kind in INTENTS and (call is not None or call_id in self._ended):
            # Wished for while the caller hung up: a command's end is always an event.
            data = row.event.data
            if data.get("command"):
                user = row.event.user_id
                self.tools.put("command_failed", call_id, user_id=user, command=data["command"], code="call_over")

    def _on_text(self, message: link.TextReply) -> None:
        match message:
            case link.TextKept(ref, code):
                self.texts_in.on_kept(ref, code)
            case link.TextClaimed(message_id, text):
                self.texts_out.on_claimed(message_id, text)

    def _on_reply(self, call: Call, message: link.Reply) -> None:
        match message:
            case link.Planned(_, plan):
                call.on_plan(plan)
            case link.Redirected(_, plan):
                call.flow.on_redirected(plan)
            case link.Standing(_, ref, entered):
                call.flow.on_entered(entered, ref)
            case link.Returned(_, entered):
                call.on_returned(entered)
            case link.DialTold(_, ref, plan):
                if isinstance(call, OutboundCall) and not ref:
                    call.on_dial_plan(plan)
                elif isinstance(call, InternalChild) and not ref:
                    call.end("system", "refused", command=call.asked.command)
                else:
                    call.flow.on_dial_plan(plan, ref)
            case link.HandedOn(_, plan):
                call.transfers.on_plan(plan)
            case link.KeysClaimed(_, ref, digits):
                call.keypad.on_claimed(ref, digits)
            case link.Fence():
                log.warning("call_fenced", call=call.id)
                call.drop()

    def use(self, directory: Directory) -> None:
        """These are the lines and trunks from now on."""
        self.admission.directory = self.tools.directory = directory
        self.tools.lookups.secrets = directory.secrets
        if not self._registers:
            return
        for trunk_id in directory.unreadable:
            log.error("trunk_unreadable", trunk=trunk_id, why="its password was encrypted with another key")
            self.tools.put(link.TRUNK, "", trunk_id=trunk_id, state="failed", code=0)
        for trunk_id in self.tools.endpoint.accounts.register(directory.trunks.values()):
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
            "legs": len(self.tools.endpoint.legs),
            "bridge_ports": self.tools.endpoint.bridge_ports(),
            "refused": dict(self.admission.counts),
            "texts_waiting": self.tools.endpoint.pager.waiting,
            "malformed": self.tools.endpoint.counters.malformed,
        }


def _hear(ears: LegEars, event: sip.Event) -> None:
    match event:
        case sip.Progress(_, code) if isinstance(ears, OutLeg):
            ears.on_progress(code)
        case sip.Confirmed():
            ears.on_confirmed()
        case sip.Media(_, active, held):
            ears.on_media(active=active, held=held)
        case sip.Digit(_, digit):
            ears.on_digit(digit)
        case sip.Referred(_, code):
            ears.on_referred(code)


def _alone(handle: Callable[[T], None], what: T) -> None:
    """Whatever goes wrong with one call must not end the others: it is said with its place, and the loop goes on."""
    try:
        handle(what)
    except Exception:
        log.exception("handler_failed", what=type(what).__name__)
