"""Who hears whom: the connections of one call in pjsua2's conference bridge.

What should be connected is computed from the call's situation (`connections`); the bridge makes it so. Sources and
sinks have names: caller, agent, prompt, music, silence, the recorder's two channels left (caller) and right, and the
meter, which hears a voicemail.
"""

from typing import Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip.audio import AudioPort, PortPool, Pull, Push
from aircall_core.sip.endpoint import Endpoint
from aircall_core.sip.pcm import PcmLink
from aircall_core.sip.recorder import Recorder

log = get_logger(__name__)

Connection = tuple[str, str]


def connections(
    *, agent: bool, away: bool, muted: bool, speaking: bool, music: bool, recording: bool, taping: bool
) -> frozenset[Connection]:
    """Who transmits to whom in a call whose stream is up.

    `agent`: an agent's audio link is attached; `away`: nothing comes from it; `speaking`: the prompt port plays (a
    message, a tone, a line's own music); `music`: the hold music plays while no agent is there; `taping`: the caller
    speaks on a voicemail. A muted agent is not recorded either. The silence source keeps both channels in step.
    """
    heard = agent and not away and not muted
    pairs: set[Connection] = set()
    if agent:
        pairs.add(("caller", "agent"))
    if speaking:
        pairs.add(("prompt", "caller"))
        if agent:
            pairs.add(("prompt", "agent"))
    elif away if agent else music:
        pairs.add(("music", "caller"))
    elif heard:
        pairs.add(("agent", "caller"))
    if recording:
        pairs |= {("caller", "left"), ("silence", "left"), ("silence", "right")}
        if heard and not speaking:
            pairs.add(("agent", "right"))
    if taping:
        pairs |= {("caller", "left"), ("silence", "left"), ("caller", "meter")}
    return frozenset(pairs)


class Media:
    """What all calls share: the pool of ports, the music (which never stops), the silence."""

    def __init__(self, endpoint: Endpoint, music: str) -> None:
        """After the endpoint's start. Raises pj.Error when the music cannot be played."""
        self.endpoint = endpoint
        self.pool = PortPool(endpoint.config.rate)
        self.silence = self.pool.take()
        self.music = pj.AudioMediaPlayer()
        self.music.createPlayer(music)


class CallBridge:
    """One call's place in the bridge."""

    def __init__(self, media: Media, token: int) -> None:
        self.media = media
        self.token = token
        self.recorder: Recorder | None = None
        self._agent: AudioPort | None = None
        self._prompt: AudioPort | None = None
        self._meter: AudioPort | None = None
        self._made: set[Connection] = set()

    def attach(self, link: PcmLink) -> None:
        """The agent speaks and hears through this link from now on."""
        if self._agent is None:
            self._agent = self.media.pool.take()
        self._agent.pull, self._agent.push = link.pull, link.push

    def detach(self) -> None:
        """No agent is on the line."""
        if self._agent is not None:
            self._agent.pull = self._agent.push = None

    def play(self, source: Pull | None) -> None:
        """What the prompt port plays when it is connected."""
        if self._prompt is None:
            self._prompt = self.media.pool.take()
        self._prompt.pull = source

    def listen(self, ear: Push) -> None:
        """Who hears the caller through the meter port when it is connected."""
        if self._meter is None:
            self._meter = self.media.pool.take()
        self._meter.push = ear

    def renewed(self) -> None:
        """The call has a new stream, to which nothing is connected."""
        self._made = {pair for pair in self._made if "caller" not in pair}

    def apply(self, wanted: frozenset[Connection]) -> None:
        """Makes exactly these connections."""
        for pair in self._made - wanted:
            self._switch(pair, on=False)
        for pair in wanted - self._made:
            self._switch(pair, on=True)

    def close_recorder(self) -> None:
        """Ends what is being recorded; the file is whole soon."""
        self.apply(frozenset(pair for pair in self._made if pair[1] not in ("left", "right", "meter")))
        if self._meter is not None:
            self._meter.push = None
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None

    def release(self) -> None:
        """Stops everything and gives the ports back; recorders close in the same poll."""
        self.apply(frozenset())
        self._made.clear()
        for port in (self._agent, self._prompt, self._meter):
            if port is not None:
                self.media.pool.give(port)
        self._agent = self._prompt = self._meter = None
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None

    def _switch(self, pair: Connection, *, on: bool) -> None:
        source, sink = (self._node(name) for name in pair)
        if source is None or sink is None:  # the caller's port is gone, and its connections with it
            if not on:
                self._made.discard(pair)
            return
        try:
            if on:
                source.startTransmit(sink)
                self._made.add(pair)
            else:
                self._made.discard(pair)
                source.stopTransmit(sink)
        except pj.Error as problem:
            log.warning("bridge_failed", source=pair[0], sink=pair[1], on=on, error=problem.reason)

    def _node(self, name: str) -> Any:
        if name == "caller":
            return self.media.endpoint.audio(self.token)
        if name in ("left", "right"):
            return self.recorder.channel(name) if self.recorder else None
        nodes: dict[str, Any] = {
            "agent": self._agent, "prompt": self._prompt, "music": self.media.music, "silence": self.media.silence,
            "meter": self._meter,
        }  # fmt: skip
        return nodes[name]
