"""What the log says of a call, and which part of the call hears it: users' wishes, and who is rung."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.domain import events as kinds

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

Data = Mapping[str, Any]


def _ringing(call: "Call", user: str, data: Data) -> None:
    call.rung.began(user, data.get("user_s"))


def _ring_stopped(call: "Call", user: str, data: Data) -> None:
    call.rung.stopped(user)
    if call.flow.ringing is not None:
        call.flow.ringing.on_stopped(str(data.get("reason", "")))


def _returned(call: "Call", user: str, data: Data) -> None:
    for other in data["ringing"]:
        call.rung.began(str(other), data.get("user_s"))


HANDLERS: Mapping[str, Callable[["Call", str, Data], None]] = {
    kinds.CALL_RINGING: _ringing,
    kinds.CALL_RING_STOPPED: _ring_stopped,
    kinds.CALL_RETURNED: _returned,
    kinds.CALL_ACCEPTING: lambda call, user, data: call.agent.on_accepting(user, data),
    kinds.CALL_AUDIO: lambda call, user, data: call.agent.on_audio_wanted(user, data),
    kinds.CALL_MUTE_WANTED: lambda call, user, data: call.agent.on_mute_wanted(user, data),
    kinds.CALL_HOLD_WANTED: lambda call, user, data: call.hold.on_wanted(user, data),
    kinds.CALL_KEYS_WANTED: lambda call, user, data: call.keypad.on_wanted(user, data),
    kinds.CALL_RECORD_WANTED: lambda call, user, data: call.recording.on_wanted(user, data),
    kinds.CALL_TRANSFER_WANTED: lambda call, user, data: call.transfers.on_transfer_wanted(user, data),
    kinds.CALL_COMPLETE_WANTED: lambda call, user, data: call.transfers.on_complete_wanted(user, data),
    kinds.CALL_HANGUP_WANTED: lambda call, user, data: call.on_hangup_wanted(user, data),
}
