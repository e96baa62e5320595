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

    def __init__(self, account: "TrunkAccount", endpoint: "Endpoint", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        """`call_id`: the library's, of a call that has come in; without it the call is yet to be made."""
        super().__init__(account, call_id)
        self.endpoint = endpoint
        self.token = endpoint.next_token()
        self.outgoing = call_id == pj.PJSUA_INVALID_ID
        self.account_id = int(account.getId())
        self.local_tag = ""  # ours, learnt from our first answer
        self.invite: message.Message | None = None
        self.answer_heard: tuple[message.Message, str] | None = None  # the 200 to a call of ours, and its source
        endpoint.legs[self.token] = self

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """The dialog moves on."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            # Out of the table here and now: a later destructor would hang up the next call that gets the same number.
            self.endpoint.legs.pop(self.token, None)
            by_far = _by_far(prm.e, info, outgoing=self.outgoing)
            self.endpoint.events.append(events.Gone(self.token, info.lastStatusCode, by_far))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.endpoint.events.append(events.Confirmed(self.token))
        elif self.outgoing:
            self._on_progress(prm.e, info)
        elif info.state == pj.PJSIP_INV_STATE_EARLY and not self.local_tag:
            sent = message.parse(prm.e.body.tsxState.src.tdata.wholeMsg)
            self.local_tag = message.address(sent.get("to")).params.get("tag", "")

    def _on_progress(self, event: Any, info: Any) -> None:
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            self.endpoint.events.append(events.Progress(self.token, info.lastStatusCode))
        elif info.state == pj.PJSIP_INV_STATE_CONNECTING and event.type == pj.PJSIP_EVENT_TSX_STATE:
            heard = event.body.tsxState.src.rdata
            self.answer_heard = (message.parse(heard.wholeMsg), heard.srcAddress)

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
    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        """What came of a REFER of ours."""
        if prm.finalNotify or prm.statusCode >= 300:
            self.endpoint.events.append(events.Referred(self.token, int(prm.statusCode)))

    def onCallRedirected(self, prm: Any) -> int:  # noqa: N802
        """3xx: we call nobody but whom we were told to, by the trunk we were told."""
        return int(pj.PJSIP_REDIRECT_STOP)

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
        self.requests = 0  # texts and questions of ours that are not answered yet

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
    def onInstantMessageStatus(self, prm: Any) -> None:  # noqa: N802
        """A text of ours was answered, or was not."""
        self.requests -= 1
        said = prm.rdata.wholeMsg
        call_id = message.printable(message.parse(said).get("call-id"))
        token = self.endpoint.messenger.token_of(prm.userData)
        self.endpoint.events.append(events.TextAnswered(token, int(prm.code), bool(said), call_id))

    @guarded
    def onSendRequest(self, prm: Any) -> None:  # noqa: N802
        """An OPTIONS of ours was answered, or was not."""
        self.requests -= 1
        event = prm.e
        heard = event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG
        token = self.endpoint.messenger.token_of(prm.userData)
        self.endpoint.events.append(events.ProbeAnswered(token, bool(heard)))

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


def _by_far(event: Any, info: Any, *, outgoing: bool) -> bool:
    """Whether the far end ended it: BYE (it comes in), or CANCEL of a call that came in (487 goes out)."""
    if info.lastStatusCode == pj.PJSIP_SC_REQUEST_TERMINATED and not outgoing:
        return True
    if event.type != pj.PJSIP_EVENT_TSX_STATE:
        return False
    state = event.body.tsxState
    return bool(state.tsx.method == "BYE" and state.tsx.role == pj.PJSIP_ROLE_UAS)
