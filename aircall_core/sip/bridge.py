"""pjsua2's conference bridge: the ports of each call, and the wiring of who hears whom (hearing.py)."""

from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip.audio import AudioPort, PortPool, Pull, Push
from aircall_core.sip.endpoint import Endpoint
from aircall_core.sip.hearing import Connection, Node
from aircall_core.sip.pcm import PcmLink
from aircall_core.sip.recorder import Recorder

log = get_logger(__name__)

TAPED = frozenset({"left", "right", "meter"})


class Media:
    """What all calls share: the pool of ports, the music (which never stops), the silence."""

    def __init__(self, endpoint: Endpoint, music: str) -> None:
        """After the endpoint's start. Raises pj.Error when the music cannot be played."""
        self.endpoint = endpoint
        self.pool = PortPool(endpoint.config.rate)
        self.silence = self.pool.take()
        self.music = pj.AudioMediaPlayer()
        self.music.createPlayer(music)


class Wiring:
    """The connections that a family of calls has in the bridge. `port_of`: a node's port, None where it has none."""

    def __init__(self, port_of: Callable[[Node], Any]) -> None:
        self._port_of = port_of
        self._made: set[Connection] = set()

    def apply(self, wanted: frozenset[Connection]) -> None:
        """Makes exactly these connections; first ends what shall not be heard any more."""
        for pair in self._made - wanted:
            self._switch(pair, on=False)
        for pair in wanted - self._made:
            self._switch(pair, on=True)

    def cut(self, *nodes: Node) -> None:
        """Ends whatever these nodes hear or send: their ports are about to change, or have just done so."""
        for pair in [pair for pair in self._made if pair[0] in nodes or pair[1] in nodes]:
            self._switch(pair, on=False)

    def cut_call(self, call: str, names: frozenset[str] = frozenset()) -> None:
        """Ends whatever this call's nodes (of these names) hear or send."""
        self.cut(*{node for pair in self._made for node in pair if node[0] == call and (not names or node[1] in names)})

    def _switch(self, pair: Connection, *, on: bool) -> None:
        source, sink = (self._port_of(node) for node in pair)
        if source is None or sink is None:  # a leg's port is gone, and its connections with it
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
            log.warning("bridge_failed", source=pair[0][1], sink=pair[1][1], on=on, error=problem.reason)


class CallBridge:
    """One call's ports in the bridge."""

    def __init__(self, media: Media, cut: Callable[[frozenset[str]], None]) -> None:
        """`cut`: ends the connections of this call's nodes of these names (all, where none is named)."""
        self.media = media
        self.recorder: Recorder | None = None
        self._cut = cut
        self._agent: AudioPort | None = None
        self._prompt: AudioPort | None = None
        self._meter: AudioPort | None = None

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

    def port(self, name: str) -> Any:
        """The port of one of this call's own nodes."""
        if name in ("left", "right"):
            return self.recorder.channel(name) if self.recorder else None
        return {"agent": self._agent, "prompt": self._prompt, "meter": self._meter}.get(name)

    def close_recorder(self) -> None:
        """Ends what is being recorded; the file is whole soon."""
        self._cut(TAPED)
        if self._meter is not None:
            self._meter.push = None
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None

    def release(self) -> None:
        """Stops everything and gives the ports back; recorders close in the same poll."""
        self._cut(frozenset())
        for port in (self._agent, self._prompt, self._meter):
            if port is not None:
                self.media.pool.give(port)
        self._agent = self._prompt = self._meter = None
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None
