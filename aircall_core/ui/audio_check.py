"""The audio check's echo: what the microphone hears goes back a second later, its level measured on the way.

streamlit-webrtc serves what lives as long as the page; calls have a process of their own (docs/adr).
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from aircall_core.ui.text import t

DELAY_FRAMES = 50  # of 20 ms: late enough to be told from one's own voice
QUIET_DBFS, LOUD_DBFS = -48.0, -6.0
HOLD_FRAMES = 25


@dataclass(frozen=True, slots=True)
class Level:
    """A level in dB of full scale (RMS, the loudest of the last half second)."""

    dbfs: float

    @property
    def share(self) -> float:
        """Where it stands on a meter from -60 dBFS to 0, as 0 to 1."""
        return min(1.0, max(0.0, (self.dbfs + 60) / 60))

    @property
    def verdict(self) -> str:
        """quiet, good or loud."""
        return "quiet" if self.dbfs < QUIET_DBFS else "loud" if self.dbfs > LOUD_DBFS else "good"


SILENT = Level(-90.0)


def measure(samples: "np.ndarray[Any, Any]") -> Level:
    """The RMS level of 16 bit samples."""
    power = float(np.mean(np.square(samples.astype(np.float64)))) if samples.size else 0.0
    return Level(10 * math.log10(power / 32768.0**2) if power > 0 else SILENT.dbfs)


class Echo:
    """Delays frames and measures them. Called on the WebRTC thread; read by the page."""

    def __init__(self) -> None:
        self._held: deque[Any] = deque(maxlen=DELAY_FRAMES)
        self._levels: deque[Level] = deque([SILENT], maxlen=HOLD_FRAMES)

    def frame(self, frame: av.AudioFrame) -> av.AudioFrame:
        """One frame in, the one of a second ago out (silence before that)."""
        samples = frame.to_ndarray()
        self._levels.append(measure(samples))
        old = self._held[0] if len(self._held) == DELAY_FRAMES else np.zeros_like(samples)
        self._held.append(samples)
        if old.shape != samples.shape:  # the browser changed its format
            self._held.clear()
            old = np.zeros_like(samples)
        late = av.AudioFrame.from_ndarray(old, format=frame.format.name, layout=frame.layout.name)
        late.sample_rate, late.pts, late.time_base = frame.sample_rate, frame.pts, frame.time_base
        return late

    def level(self) -> Level:
        """The loudest of the last half second."""
        return max(self._levels, key=lambda one: one.dbfs)


def echo() -> Echo:
    """This page's echo; it lives with the Streamlit session."""
    found = st.session_state.setdefault("audio_echo", Echo())
    assert isinstance(found, Echo)
    return found


def streamer(echo: Echo, ice_servers: list[dict[str, Any]]) -> bool:
    """The START button, the device choice and the audio itself; whether it plays.

    Never asked to play on its first run: most such connections fail (reference notes in docs/console.md).
    """
    context = webrtc_streamer(
        key="audio-check",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": ice_servers},
        media_stream_constraints={
            "audio": {"echoCancellation": True, "noiseSuppression": True, "autoGainControl": True},
            "video": False,
        },
        audio_frame_callback=echo.frame,
        media_toggle_controls=False,
        translations={
            "start": t("audio.start"),
            "stop": t("audio.stop"),
            "select_device": t("audio.device"),
        },
    )
    return bool(context.state.playing)
