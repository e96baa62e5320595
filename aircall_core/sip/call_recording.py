"""Whether and from when an agent's talk is recorded: off, on, or after a spoken notice, as the line wants it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.logs import get_logger
from aircall_core.sip import prompts
from aircall_core.sip.recorder import Recorder, RecorderFailed
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

log = get_logger(__name__)


class CallRecording:
    """The recording of one call's talk."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self._noticed = self._begun = False
        self._paused = self._on_hold = False  # by the agent; by the line's wish while the call is held

    @property
    def running(self) -> bool:
        """Whether there is a file to be made whole at the end."""
        return type(self.call.bridge.recorder) is Recorder

    @property
    def taping(self) -> bool:
        """Whether the file grows now."""
        return self.running and not (self._paused or self._on_hold)

    def on_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The agent pauses or resumes it. Nothing is recorded from the click on; notices lie outside the recording."""
        call, on = self.call, bool(data["on"])
        if not self.running or call.stage is not Stage.TALKING:
            call.refuse_command(user, data, "not_recording")
            return
        told = {"user_id": user, "command": data.get("command")}
        if not on:
            self._paused = True
            call.connect()
            call.say("recording", state="paused", reason="agent", **told)
            self._notify(prompts.PAUSED, lambda: None)
        else:
            self._notify(prompts.RESUMED, lambda: self._resume(told))

    def _resume(self, told: Mapping[str, Any]) -> None:
        self._paused = False
        self.call.connect()
        self.call.say("recording", state="started", reason="resumed", **told)

    def _notify(self, prompt: str, then: Callable[[], None]) -> None:
        """Speaks of it to both, where the line wants that."""
        call = self.call
        if call.line is None or not call.line.pause_notice:
            then()
            return
        call.voice.say([call.tools.prompts.get(prompt, call.language)], then)

    def on_hold(self) -> None:
        """Where the line wants it, a held call is not recorded."""
        if self.taping and self.call.line is not None and self.call.line.pause_on_hold:
            self._on_hold = True
            self.call.connect()
            self.call.say("recording", state="paused", reason="hold")

    def on_unhold(self) -> None:
        """It goes on, unless the agent has paused it."""
        if self._on_hold:
            self._on_hold = False
            self.call.connect()
            if self.taping:
                self.call.say("recording", state="started", reason="resumed")

    def open_talk(self) -> None:
        """The answered caller's stream is up: notice and recording where the line wants them, then the agent."""
        call = self.call
        if not call.media_up:
            return
        if self._begun or call.voice.speaking:  # the stream was renewed; or it was stopped for good, since another
            call.connect()  # would take its file's place
            return
        wanted = call.plan.recording if call.plan else "off"
        if wanted != "off" and not call.tools.record:
            wanted = "off"
            call.say("recording", state="failed", reason="disk")
        if wanted == "notice" and not self._noticed:
            self._noticed = True
            call.voice.say([call.tools.prompts.get(prompts.NOTICE, call.language)], self._start)
        elif wanted != "off":
            self._start()
        else:
            call.connect()

    def stop(self, reason: str) -> None:
        """The disk runs full: the call goes on, its recording ends here."""
        if self.running:
            self.call.bridge.close_recorder()
            self.call.tools.recordings.finish(self.call.id)
            self.call.say("recording", state="stopped", reason=reason)

    def _start(self) -> None:
        call = self.call
        if call.stage is Stage.PARTING:
            return
        if not self._begun:
            try:
                call.bridge.recorder = Recorder(call.tools.recordings.parts, call.id)
            except RecorderFailed as problem:
                log.error("recorder_failed", call=call.id, error=str(problem))
                call.say("recording", state="failed", reason="recorder")
            else:
                self._begun = True
                call.say("recording", state="started")
        call.connect()
