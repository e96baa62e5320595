"""One browser in one call: its WebRTC connection, its PCM link, and the one rule that ties them: they end together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from aircall_core.logs import get_logger
from aircall_core.media import codec
from aircall_core.media.downlink import CallerTrack
from aircall_core.media.ice import prepare_offer, publish_answer
from aircall_core.media.link import WorkerLink
from aircall_core.media.uplink import Uplink

log = get_logger(__name__)

CONNECT_S = 10.0
"""A browser that has not connected by then will not: it tries each address within a second or two."""

SILENT_S = 15.0
"""A browser sends 50 packets a second even when muted; without one for so long it is gone, and its place is wanted."""


CLOSE_S = 3.0
"""How long the connection may take to say goodbye; its place is free after that in any case."""


@dataclass(frozen=True, slots=True)
class PeerIds:
    """Who this is: ids of the peer (made by the browser), of the call and of the user."""

    peer: str
    call: str
    user: str


@dataclass(frozen=True, slots=True)
class Network:
    """How this host is reached."""

    ice_servers: tuple[RTCIceServer, ...] = ()
    public_address: str = ""


class BadOffer(ValueError):
    """The session description cannot be answered."""


def _preferences(rate: int) -> list[RTCRtpCodecCapability]:
    """PCMU and Opus, the better for the worker's rate first; browsers have both (RFC 7874) and send the answer's first.

    Mu-law holds all that an 8 kHz bridge has, with no encoder's delay and next to no work; above, only Opus does.
    """
    capabilities = RTCRtpReceiver.getCapabilities("audio")
    assert capabilities is not None
    ours = {one.mimeType: one for one in capabilities.codecs}
    names = ("audio/PCMU", "audio/opus")
    return [ours[name] for name in (names if rate == 8000 else reversed(names))]


class Peer:
    """``on_closed(peer)`` is called once, when the peer is over for whatever reason."""

    def __init__(self, ids: PeerIds, link: WorkerLink, network: Network, on_closed: Callable[["Peer"], None]) -> None:
        self.ids = ids
        self._link = link
        self._network = network
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._log = log.bind(peer=ids.peer, call=ids.call, user=ids.user)
        self._closing: asyncio.Task[None] | None = None
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=list(network.ice_servers)))
        self._pc.on("connectionstatechange", self._state_changed)
        self._watch = self._loop.call_later(CONNECT_S, self.close, "never_connected")
        self._uplink: Uplink | None = None
        self._track: CallerTrack | None = None
        self.connected = False

    async def answer(self, offer: str) -> str:
        """Our answer to the browser's offer (both SDP). Raises BadOffer; the peer is closed then."""
        try:
            return await self._negotiate(offer)
        except BaseException as error:
            self.close("bad_offer")
            if isinstance(error, Exception):
                # A stranger's text, and aiortc's parser has no error class of its own: whatever it raises means this.
                self._log.warning("peer_bad_offer", error=type(error).__name__)
                raise BadOffer("the offer could not be answered") from error
            raise

    async def _negotiate(self, offer: str) -> str:
        if [line.split(" ")[0] for line in offer.splitlines() if line.startswith("m=")] != ["m=audio"]:
            raise BadOffer("the offer must hold exactly one audio section")
        transceiver = self._pc.addTransceiver("audio", "sendrecv")
        transceiver.setCodecPreferences(_preferences(self._link.rate))  # only before the offer is set does aiortc mind
        await self._pc.setRemoteDescription(RTCSessionDescription(prepare_offer(offer), "offer"))
        chosen = transceiver._codecs[0].name.lower()
        rate = self._link.rate
        self._uplink = Uplink(codec.decoder(chosen, rate), self._link.frame_bytes, self._link.send)
        self._uplink.attach(transceiver.receiver)
        self._track = CallerTrack(codec.encoder(chosen, rate), rate)
        transceiver.sender.replaceTrack(self._track)
        self._link.start(self._track.push, lambda reason: self.close("worker_closed", detail=reason))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        self._log.info("peer_answered", codec=chosen, rate=rate)
        return publish_answer(self._pc.localDescription.sdp, self._network.public_address)

    def close(self, why: str, detail: str = "") -> None:
        """End the peer and its link. Returns at once; ``closed`` waits for the end."""
        if self._closing is not None:
            return
        self._watch.cancel()
        self._link.close()  # first: the worker plays music to the caller from now on
        self._log.info("peer_closed", why=why, detail=detail, connected=self.connected, **self.counters())
        if self._uplink is not None:
            self._uplink.close()
        self._closing = self._loop.create_task(self._close())

    async def closed(self) -> None:
        """Wait until everything is given back, after ``close``."""
        if self._closing is not None:
            await asyncio.shield(self._closing)

    def counters(self) -> dict[str, int]:
        """Packets and frames so far, both ways."""
        up, down = self._uplink, self._track
        return {
            "packets": up.packets if up else 0,
            "lost": up.lost if up else 0,
            "late": up.late if up else 0,
            "undecodable": up.undecodable if up else 0,
            "worker_lagged": self._link.dropped,
            "frames": down.frames if down else 0,
            "skipped": down.skipped if down else 0,
        }

    async def _close(self) -> None:
        try:
            if self._track is not None:
                self._track.stop()
            async with asyncio.timeout(CLOSE_S):
                await self._pc.close()
        except TimeoutError:
            self._log.error("peer_close_hangs")
        finally:
            self._on_closed(self)

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state == "connected" and not self.connected:
            self.connected = True
            self._log.info("peer_connected")
            self._watch.cancel()
            self._watch = self._loop.call_later(SILENT_S, self._listen)
        elif state in ("failed", "closed"):
            self.close("browser_" + state)

    def _listen(self) -> None:
        """Close when the browser has been silent on the network; look again when it would be next."""
        assert self._uplink is not None
        quiet = self._loop.time() - self._uplink.heard_at
        if quiet >= SILENT_S:
            self.close("silent")
        else:
            self._watch = self._loop.call_later(SILENT_S - quiet, self._listen)
