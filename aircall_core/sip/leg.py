"""pjsua2's classes with our ears: calls, accounts, log. They note what happened and return; endpoint.py says why."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip import events, message

if TYPE_CHECKING:
    from aircall_core.sip.endpoint import Endpoint

log = get_logger(__name__)
KEYS = frozenset("0123456789*#")  # A to D, flash and whatever a broken packet holds are none
P = ParamSpec("P")


def guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """No exception may leave a callback: the library swallows it, and its traceback would keep the call alive."""

    @functools.wraps(callback)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - logged without its traceback, which is the point
            log.error("callback_failed", callback=callback.__name__, error=repr(problem)[:200])

    return safe


class SipLeg(pj.Call):  # type: ignore[misc]
    """One SIP call. Lives in `endpoint.legs` alone, and leaves it inside its last callback."""

    def __init__(self, account: "TrunkAccount", endpoint: "Endpoint", call_id: int) -> None:
        super().__init__(account, call_id)
        self.endpoint = endpoint
        self.token = endpoint.next_token()
        self.local_tag = ""  # ours, learnt from our first answer
        self.invite: message.Message | None = None
        endpoint.legs[self.token] = self

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """The dialog moves on."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and not self.local_tag:
            sent = message.parse(prm.e.body.tsxState.src.tdata.wholeMsg)
            self.local_tag = message.address(sent.get("to")).params.get("tag", "")
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.endpoint.events.append(events.Confirmed(self.token))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            # Out of the table here and now: a later destructor would hang up the next call that gets the same number.
            self.endpoint.legs.pop(self.token, None)
            self.endpoint.events.append(events.Gone(self.token, info.lastStatusCode, _by_caller(prm.e, info)))

    @guarded
    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Audio is up, held, or gone."""
        info = self.getInfo()  # held: what `media` yields lives in it (read from a temporary it is freed memory)
        audio = (one.status for one in info.media if one.type == pj.PJMEDIA_TYPE_AUDIO)
        status = next(audio, pj.PJSUA_CALL_MEDIA_NONE)
        remote_hold = pj.PJSUA_CALL_MEDIA_REMOTE_HOLD  # sendonly; held by inactive, the stream is not there at all
        held = status in (remote_hold, pj.PJSUA_CALL_MEDIA_NONE)
        active = status in (remote_hold, pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD)
        self.endpoint.events.append(events.Media(self.token, active, held))

    @guarded
    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        """A key of the caller's telephone, once for each press."""
        if prm.digit in KEYS:
            self.endpoint.events.append(events.Digit(self.token, prm.digit))

    @guarded
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        """REFER: a caller may not make us dial (toll fraud)."""
        prm.statusCode = pj.PJSIP_SC_DECLINE
        self.endpoint.events.append(events.Asked(self.token, "REFER"))

    @guarded
    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        """INVITE with Replaces: nobody takes over somebody else's call."""
        prm.statusCode = pj.PJSIP_SC_DECLINE
        self.endpoint.events.append(events.Asked(self.token, "Replaces"))


class TrunkAccount(pj.Account):  # type: ignore[misc]
    """An account: the default one that takes whatever comes, or a trunk's registration."""

    def __init__(self, endpoint: "Endpoint", trunk_id: str) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.trunk_id = trunk_id

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """INVITE: judged at once; a refusal is left to the main loop, since here it can abort the process."""
        leg = SipLeg(self, self.endpoint, prm.callId)
        parsed = message.parse(prm.rdata.wholeMsg)
        leg.invite = parsed
        invite = events.Invite(
            leg.token, parsed, prm.rdata.srcAddress, self.trunk_id, has_offer="m=audio" in parsed.body
        )
        verdict = _judged(self.endpoint.judge, invite)
        if verdict.admitted is not None:
            form = pj.CallOpParam()
            form.statusCode = verdict.code
            leg.answer(form)
            self.endpoint.events.append(events.Arrived(invite, verdict.admitted))
        else:
            self.endpoint.events.append(events.Refused(invite, verdict))

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """The registrar answered, or did not."""
        active = prm.code // 100 == 2 and prm.expiration > 0
        self.endpoint.events.append(events.Registration(self.trunk_id, int(prm.code), active))

    @guarded
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        """Nobody watches our presence."""
        prm.code = pj.PJSIP_SC_FORBIDDEN


def _judged(judge: Callable[[events.Invite], events.Verdict], invite: events.Invite) -> events.Verdict:
    """The verdict; 500 when judging fails, since a call without an answer would keep its slot for ever."""
    try:
        return judge(invite)
    except Exception as problem:  # noqa: BLE001 - see `guarded`
        log.error("judging_failed", error=type(problem).__name__)
        return events.Verdict(500, "Server Internal Error")


class LogWriter(pj.LogWriter):  # type: ignore[misc]
    """The library's log lines, from any of its threads."""

    def __init__(self, said: Callable[[int, str], None]) -> None:
        super().__init__()
        self._said = said

    @guarded
    def write(self, entry: Any) -> None:
        """One line."""
        self._said(entry.level, entry.msg)


def _by_caller(event: Any, info: Any) -> bool:
    """Whether the far end ended it: CANCEL (487 goes out) or BYE (it comes in)."""
    if info.lastStatusCode == pj.PJSIP_SC_REQUEST_TERMINATED:
        return True
    if event.type != pj.PJSIP_EVENT_TSX_STATE:
        return False
    state = event.body.tsxState
    return bool(state.tsx.method == "BYE" and state.tsx.role == pj.PJSIP_ROLE_UAS)
