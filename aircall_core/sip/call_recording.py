"""Whether and from when an agent's talk is recorded: off, on, or after a spoken notice, as the line wants it."""

from typing import TYPE_CHECKING

from aircall_core.logs import get_logger
from aircall_core.sip import prompts
from aircall_core.sip.recorder import Recorder, RecorderFailed
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import InboundCall

log = get_logger(__name__)


class CallRecording:
    """The recording of one call's talk."""

    def __init__(self, call: "InboundCall") -> None:
        self.call = call
        self._noticed = self._begun = False

    @property
    def running(self) -> bool:
        """Whether there is a file to be made whole at the end."""
        return type(self.call.bridge.recorder) is Recorder

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
