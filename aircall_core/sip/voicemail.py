"""The caller leaves a message: greeting, tone, then they alone are recorded until hang-up, # or the time is up."""

from aircall_core.ids import now_ms
from aircall_core.logs import get_logger
from aircall_core.sip import prompts
from aircall_core.sip.recorder import RecorderFailed, VoicemailRecorder
from aircall_core.sip.steps import StepRun

log = get_logger(__name__)

LEAST_S = 2.0  # of sound: less is somebody who hung up
LOUD = 400  # of 32767, -38 dBFS: below it lies a line's noise
PAUSE_FRAMES = 15  # 0.3 s: pauses between words count as speech


class Meter:
    """How long somebody has spoken: frames with a loud sample, and the short pauses after them."""

    def __init__(self) -> None:
        self.frames = 0
        self._quiet = PAUSE_FRAMES

    def hear(self, frame: bytes) -> None:
        """20 ms of the caller (in the bridge's clock: short work)."""
        samples = memoryview(frame).cast("h")
        if max(samples) >= LOUD or min(samples) <= -LOUD:
            self._quiet = 0
        else:
            self._quiet += 1
        if self._quiet < PAUSE_FRAMES:
            self.frames += 1

    @property
    def seconds(self) -> float:
        """Of sound so far."""
        return self.frames * 0.02


class Voicemail(StepRun):
    """The step that ends a flow with a recording."""

    _recording = False

    def begin(self) -> None:
        """Picks up and greets."""
        if not self.call.tools.record:  # no room on the disk: nobody shall speak into the void
            self.run.give_up("disk")
            return
        self.meter = Meter()
        self.call.pick_up()
        self.call.voice.quiet()
        self._greet(self.clip(self.step["prompt"]))

    def on_digit(self, digit: str) -> None:
        """# goes on to the tone, and ends the message."""
        if digit == "#" and self._recording:
            self.call.part(prompts.GOODBYE, "voicemail")
        elif digit == "#":
            self._greet()

    def stop(self) -> None:
        """The disk is full, or the time is up."""
        if self._recording:
            self.call.part(prompts.GOODBYE, "voicemail")

    def end(self) -> None:
        """Keeps what was said if it was something."""
        self.call.deadlines.cancel("voicemail")
        self.call.voice.hush()
        if not self._recording:
            return
        self._recording = False
        self.call.bridge.close_recorder()
        if self.meter.seconds >= LEAST_S:
            self.run.message_left = True
            self.call.tools.recordings.finish_voicemail(self.call.id)
        else:
            self.call.tools.recordings.discard_voicemail(self.call.id)

    def _greet(self, *clips: prompts.Clip) -> None:
        self.call.voice.say([*clips, *self.shipped(prompts.BEEP)], self._record)

    def _record(self) -> None:
        try:
            recorder = VoicemailRecorder(self.call.tools.recordings.parts, self.call.id)
        except RecorderFailed as problem:
            log.error("recorder_failed", call=self.call.id, error=str(problem))
            self.run.give_up("recorder")
            return
        self._recording, self.call.bridge.recorder = True, recorder
        self.call.bridge.listen(self.meter.hear)
        self.call.connect()
        self.call.say("voicemail", at=now_ms())
        self.call.deadlines.set("voicemail", float(self.step["max_s"]), self.stop)
