"""What a caller hears from us: messages, tones and music, all through the one prompt port of the call's bridge.

Messages are held in memory, so a timer knows when each is over. Behind them lies a background, which goes on after a
message where it was: the house's hold music (one player for all calls, which never stops), or a clip in a loop.
"""

from collections.abc import Callable, Sequence

from aircall_core.sip.audio import Pull
from aircall_core.sip.bridge import CallBridge
from aircall_core.sip.prompts import Clip
from aircall_core.sip.timers import Deadlines


class Voice:
    """One call's voice. `renew` has the bridge's connections made anew."""

    def __init__(self, bridge: CallBridge, deadlines: Deadlines, renew: Callable[[], None]) -> None:
        self.music = False  # the hold music is the background
        self._bridge, self._deadlines, self._renew = bridge, deadlines, renew
        self._loop: Pull | None = None  # the background, when it is a clip
        self._up = self._speaking = False
        self._waiting: tuple[tuple[Clip, ...], Callable[[], None]] | None = None  # for the call's stream

    @property
    def on_port(self) -> bool:
        """Whether the prompt port sounds now."""
        return self._speaking or self._loop is not None

    @property
    def speaking(self) -> bool:
        """Whether a message plays, or waits for the stream."""
        return self._speaking or self._waiting is not None

    def say(self, clips: Sequence[Clip], then: Callable[[], None]) -> None:
        """Plays these after another, then calls `then`; what was being said is cut. Waits for the call's stream."""
        self._silence()
        self._waiting = (tuple(clips), then)
        if self._up:
            self._begin()

    def hush(self) -> None:
        """Cuts what is being said, and forgets what was to follow."""
        if self.speaking:
            self._silence()
            self._resume()

    def hold(self, clip: Clip | None = None) -> None:
        """The background from now on: a clip in a loop, or the hold music."""
        self.music = clip is None or not clip.frames
        self._loop = clip.looped() if clip is not None and clip.frames else None
        self._resume()

    def quiet(self) -> None:
        """No message and no background."""
        self._silence()
        self.music, self._loop = False, None
        self._resume()

    def stream(self, *, up: bool) -> None:
        """The call's stream is there, or gone: what waits for it begins."""
        self._up = up
        if up and self._waiting is not None:
            self._begin()

    def _begin(self) -> None:
        assert self._waiting is not None
        (clips, then), self._waiting = self._waiting, None
        self._speaking = True
        frames = iter([frame for clip in clips for frame in clip.frames])
        self._bridge.play(lambda: next(frames, None))
        self._renew()
        self._deadlines.set("spoken", sum(clip.seconds for clip in clips), lambda: self._over(then))

    def _over(self, then: Callable[[], None]) -> None:
        self._speaking = False
        then()
        if not self._speaking:  # else the next message has followed this one without a pause
            self._resume()

    def _silence(self) -> None:
        self._deadlines.cancel("spoken")
        self._speaking, self._waiting = False, None

    def _resume(self) -> None:
        if not self._speaking:
            self._bridge.play(self._loop)
            self._renew()
