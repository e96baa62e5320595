"""Recording: two mono files while the call lasts, one stereo file after it (caller left, inside right); a voicemail is
one mono file.

    data_dir/recordings/parts/<worker>/<call>.{caller,inside}.wav   ->   data_dir/recordings/YYYY/MM/<call>.wav
    data_dir/recordings/parts/<worker>/<call>.voicemail.wav   ->   data_dir/recordings/YYYY/MM/<call>.voicemail.wav

The library writes the parts; a child process (mixdown.py) makes the file, so that neither the SIP thread nor the
bridge's clock ever waits for it. Parts that a crash left behind are found and repaired at the next start.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pjsua2 as pj

from aircall_core.logs import get_logger

log = get_logger(__name__)

LEAST_MS = 2000  # of sound in a voicemail that a dead worker left: voicemail.py judges those of the living
CALLER, INSIDE, VOICEMAIL = ".caller.wav", ".inside.wav", ".voicemail.wav"


class RecorderFailed(RuntimeError):
    """The files cannot be made, or the library has no recorder left."""


class Recorder:
    """Both channels of one call, on the bridge. Both begin and end in one poll, so that they are of equal length."""

    endings: ClassVar[Mapping[str, str]] = {"left": CALLER, "right": INSIDE}

    def __init__(self, folder: Path, call_id: str) -> None:
        """Raises RecorderFailed."""
        self._channels: dict[str, Any] = {}
        for name, ending in self.endings.items():
            channel = pj.AudioMediaRecorder()
            try:
                channel.createRecorder(str(folder / f"{call_id}{ending}"))
            except pj.Error as problem:
                raise RecorderFailed(problem.reason) from None
            self._channels[name] = channel

    def channel(self, name: str) -> Any:
        """The bridge's port of `left` or `right`."""
        return self._channels.get(name)

    def close(self) -> None:
        """Ends the files (the library writes their headers as it lets go of them)."""
        self._channels.clear()


class VoicemailRecorder(Recorder):
    """The caller alone, on a file of its own: a call may have been recorded before."""

    endings: ClassVar[Mapping[str, str]] = {"left": VOICEMAIL}


@dataclass(frozen=True)
class Job:
    """One recording to be made whole. `inside` is '' for a voicemail; `least_ms`: with less sound it is thrown away."""

    call_id: str
    caller: str
    inside: str
    out: str
    least_ms: int = 0


@dataclass(frozen=True)
class Saved:
    """A recording that is whole; `error` says why it is not."""

    call_id: str
    path: str
    kind: str = "call"  # call | voicemail
    duration_ms: int = 0
    size_bytes: int = 0
    error: str = ""


class Recordings:
    """The folders, and the thread that has recordings made whole."""

    def __init__(self, data_dir: Path, worker: str, done: Callable[[Saved], None]) -> None:
        """`done` is called in another thread, once for each finished recording."""
        self.data_dir = data_dir
        self.parts = data_dir / "recordings" / "parts" / worker
        self.parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._done = done
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)

    def start(self) -> None:
        """Begins with what an earlier life left behind."""
        for part in sorted(self.parts.glob("*" + CALLER)):
            self.finish(part.name.removesuffix(CALLER))
        for part in sorted(self.parts.glob("*" + VOICEMAIL)):
            self.finish_voicemail(part.name.removesuffix(VOICEMAIL), least_ms=LEAST_MS)
        self._thread.start()

    def finish(self, call_id: str) -> None:
        """Has the two parts of a call merged."""
        caller, inside = (str(self.parts / f"{call_id}{ending}") for ending in (CALLER, INSIDE))
        self._jobs.put(Job(call_id, caller, inside, str(self._place(call_id, ".wav"))))

    def finish_voicemail(self, call_id: str, *, least_ms: int = 0) -> None:
        """Has a voicemail made whole, if there is sound in it for so long."""
        part = str(self.parts / f"{call_id}{VOICEMAIL}")
        self._jobs.put(Job(call_id, part, "", str(self._place(call_id, VOICEMAIL)), least_ms))

    def discard_voicemail(self, call_id: str) -> None:
        """Nobody has said anything."""
        (self.parts / f"{call_id}{VOICEMAIL}").unlink(missing_ok=True)

    def close(self, seconds: float) -> None:
        """Waits for what is under way; the rest is done at the next start."""
        self._jobs.put(None)
        self._thread.join(seconds)

    def _place(self, call_id: str, ending: str) -> Path:
        year, month = datetime.fromtimestamp(_born(call_id), UTC).strftime("%Y/%m").split("/")
        return self.data_dir / "recordings" / year / month / f"{call_id}{ending}"

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            kind = "call" if job.inside else "voicemail"
            saved = self._make(job, kind) or self._make(job, kind) or Saved(job.call_id, "", kind, error="mixdown_died")
            if saved.error:
                log.error("recording_failed", call_id=job.call_id, error=saved.error)
            if saved.error or saved.size_bytes:  # else there was too little in it, and it is gone
                self._done(saved)

    def _make(self, job: Job, kind: str) -> Saved | None:
        """One recording by the child; None when there is none to be had, or it died over this one."""
        try:
            found = json.loads(self._asked(job))
        except (OSError, ValueError) as problem:  # this thread must go on: every later recording hangs on it
            log.warning("mixdown_lost", error=str(problem))
            self._end_child()
            return None
        relative = str(Path(job.out).relative_to(self.data_dir))
        return Saved(job.call_id, relative, kind, found["duration_ms"], found["size_bytes"], found["error"])

    def _asked(self, job: Job) -> str:
        """What the child, started if there is none, answers to a job; '' when it has ended."""
        if self._child is None:
            words = [sys.executable, "-m", "aircall_core.sip.mixdown"]
            self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(asdict(job)) + "\n")
        stdin.flush()
        return stdout.readline()

    def _end_child(self) -> None:
        """The next job gets another one."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()  # closes the pipes, too
            self._child = None


def _born(call_id: str) -> float:
    """The time in a call's id (seconds since the epoch): the same folder whenever the file is made."""
    number = 0
    for char in call_id[:10]:
        number = number << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(char)
    return number / 1000
