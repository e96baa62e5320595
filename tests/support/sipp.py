"""SIPp as a caller or callee in tests: our scenarios (tests/sip/scenarios), real RTP, figures read from its statistics.

with Sipp("call", "127.0.0.1:5060", tmp_path, number="+33199000001", hold_ms=3000, audio=samples) as caller:
    result = caller.result()
assert (result.successful, result.failed) == (1, 0)
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.audio import Samples
from tests.support.ports import free_ports, free_run
from tests.support.processes import Process

SCENARIOS = Path(__file__).parents[1] / "sip" / "scenarios"
RTPMAP = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 18: "G729/8000", 101: "telephone-event/8000"}


@dataclass(frozen=True)
class SippResult:
    """What a run of SIPp came to: numbers of calls and of messages sent again."""

    successful: int
    failed: int
    unexpected: int
    retransmissions: int
    rate: float
    """Calls created per second, over the whole run."""


def a_law(samples: Samples) -> bytes:
    """G.711 A-law of samples: sign, segment and four bits, every second bit inverted (ITU-T G.711)."""
    x = (np.clip(samples, -1, 1) * 32767).astype(np.int32)
    magnitude = np.where(x >= 0, x, ~x) >> 3
    segment = sum((magnitude >= limit).astype(np.int32) for limit in (32, 64, 128, 256, 512, 1024, 2048))
    mantissa = np.where(segment == 0, magnitude >> 1, magnitude >> segment) & 15
    return bytes((((segment << 4) | mantissa | np.where(x >= 0, 0x80, 0)) ^ 0x55).astype(np.uint8).tobytes())


class Sipp(Process):
    """One run of SIPp with one of our scenarios; ends by itself after `calls` calls.

    `audio` (8 kHz) is sent as PCMA in a loop from the answer on. `payloads` is what the SDP offers.
    `headers` are further lines of the INVITE. `trace` keeps every message, see `messages`.
    `numbers` are dialled in turn instead of `number`. `hold_ms` is the scenario's main pause, `code` the refusal it
    expects.
    """

    def __init__(
        self, scenario: str, target: str, folder: Path, *, number: str = "+33199000001",
        numbers: Sequence[str] = (), caller: str = "+33199005001", display: str = "",
        domain: str = "", headers: Sequence[str] = (), host: str = "127.0.0.1", port: int = 0,
        calls: int = 1, rate: float = 10, at_once: int = 0, hold_ms: int = 1000, cancel_ms: int = 500,
        answer_ms: int = 20_000, hangup_ms: int = 60_000, code: int = 480, payloads: Sequence[int] = (8, 0, 101),
        refer_to: str = "sip:+33199009999@127.0.0.1", audio: Samples | None = None, trace: bool = False,
        timeout: float = 120, transport: str = "u1", name: str = "",
    ) -> None:  # fmt: skip
        name = name or f"sipp-{scenario}"
        folder.mkdir(parents=True, exist_ok=True)
        sip_port = port or free_ports(1, host)[0]
        media_port = free_run(4, host)  # it binds two for sound and two for pictures
        identity = f'"{display}" ' if display else ""
        dialled = "[field0]" if numbers else "[service]"
        texts = _Texts(
            dialled, f"{identity}<sip:{caller}@{domain or '[local_ip]:[local_port]'}>", headers, payloads, refer_to
        )
        fill = {
            **texts.messages(), "AUDIO": _audio_action(audio, folder, name), "CANCEL_MS": cancel_ms,
            "ANSWER_MS": answer_ms, "HANGUP_MS": hangup_ms, "CODE": code,
        }  # fmt: skip
        self._scenario = folder / f"{name}.xml"
        self._scenario.write_text(_filled((SCENARIOS / f"{scenario}.xml").read_text(), fill))
        self._statistics, self._messages = folder / f"{name}.csv", folder / f"{name}.messages"
        argv = ["sipp", target, "-sf", str(self._scenario), "-s", number, "-i", host, "-p", str(sip_port)]
        argv += ["-mi", host, "-mp", str(media_port)]
        argv += ["-m", str(calls), "-r", str(rate), "-d", str(hold_ms), "-t", transport, "-nostdin", "-aa"]
        argv += ["-inf", str(_numbers_file(folder / f"{name}.numbers", numbers))] if numbers else []
        argv += ["-l", str(at_once)] if at_once else []
        argv += [
            "-timeout",
            f"{timeout:g}s",
            "-timeout_error",
            "-trace_stat",
            "-stf",
            str(self._statistics),
            "-fd",
            "1",
        ]
        argv += ["-trace_err", "-error_file", str(folder / f"{name}.errors")]
        argv += ["-trace_msg", "-message_file", str(self._messages)] if trace else []
        self._patience, self.sip_port = timeout, sip_port
        super().__init__(name, argv, folder, {"TERM": "dumb"})

    def result(self) -> SippResult:
        """Wait for the end of the run and read its figures."""
        self.wait(self._patience + 10)
        with open(self._statistics, newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return SippResult(
            successful=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            unexpected=int(last["FailedUnexpectedMessage(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
            rate=float(last["CallRate(C)"]),
        )

    @property
    def messages(self) -> str:
        """Every message sent and received so far (with trace=True)."""
        return self._messages.read_text(errors="replace") if self._messages.exists() else ""

    @property
    def why(self) -> str:
        """SIPp's own words on what went wrong."""
        path = self.folder / f"{self.name}.errors"
        return path.read_text(errors="replace") if path.exists() else self.errors


def _numbers_file(path: Path, numbers: Sequence[str]) -> Path:
    path.write_text("\n".join(["SEQUENTIAL", *numbers]) + "\n")
    return path


def _filled(text: str, fill: dict[str, object]) -> str:
    """Put the messages in. @@CANCEL(7)@@ carries the branch of the message sent seven steps of the scenario before."""
    return re.sub(r"@@(\w+)(?:\((\d+)\))?@@", lambda m: str(fill[m[1]]).replace("[branch-@]", f"[branch-{m[2]}]"), text)


def _audio_action(audio: Samples | None, folder: Path, name: str) -> str:
    if audio is None:
        return ""
    path = folder / f"{name}.alaw"
    path.write_bytes(a_law(audio))
    return f'<nop><action><exec rtp_stream="{path},-1,8"/></action></nop>'


class _Texts:
    """The messages of a scenario. SIPp fills what stands in square brackets."""

    def __init__(
        self, dialled: str, sender: str, headers: Sequence[str], payloads: Sequence[int], refer_to: str
    ) -> None:
        self.dialled, self.sender, self.headers, self.payloads, self.refer_to = (
            dialled,
            sender,
            list(headers),
            payloads,
            refer_to,
        )

    def messages(self) -> dict[str, str]:
        target, next_hop = f"sip:{self.dialled}@[remote_ip]:[remote_port]", "[next_url]"
        invite = [*self.headers, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, UPDATE"]
        refer = [f"Refer-To: <{self.refer_to}>", f"Referred-By: {self.sender}"]
        return {
            "INVITE": self._request("INVITE", target, 1, "", invite, self._sdp()),
            "INVITE_NO_SDP": self._request("INVITE", target, 1, "", invite),
            "ACK": self._request("ACK", next_hop, 1, "[peer_tag_param]", ["[routes]"]),
            "ACK_SDP": self._request("ACK", next_hop, 1, "[peer_tag_param]", ["[routes]"], self._sdp()),
            "ACK_FAILURE": self._request("ACK", target, 1, "[peer_tag_param]", [], branch="[branch-@]"),
            "CANCEL": self._request("CANCEL", target, 1, "", [], branch="[branch-@]"),
            "REINVITE_HOLD": self._request(
                "INVITE", next_hop, 2, "[peer_tag_param]", ["[routes]"], self._sdp("sendonly")
            ),
            "ACK_2": self._request("ACK", next_hop, 2, "[peer_tag_param]", ["[routes]"]),
            "REINVITE_BACK": self._request("INVITE", next_hop, 3, "[peer_tag_param]", ["[routes]"], self._sdp()),
            "ACK_3": self._request("ACK", next_hop, 3, "[peer_tag_param]", ["[routes]"]),
            "REFER": self._request("REFER", next_hop, 2, "[peer_tag_param]", ["[routes]", *refer]),
            "BYE": self._request("BYE", next_hop, 2, "[peer_tag_param]", ["[routes]"]),
            "BYE_AFTER": self._request("BYE", next_hop, 9, "[peer_tag_param]", ["[routes]"]),
            "RINGING": self._reply("180 Ringing", ";tag=[call_number]"),
            "OK_SDP": self._reply("200 OK", ";tag=[call_number]", self._sdp()),
            "OK": self._reply("200 OK", ""),
        }  # fmt: skip

    def _request(
        self,
        method: str,
        target: str,
        number: int,
        to_tag: str,
        extra: list[str],
        body: str = "",
        branch: str = "[branch]",
    ) -> str:
        lines = [
            f"{method} {target} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
            "Max-Forwards: 70", f"From: {self.sender};tag=[pid]-[call_number]",
            f"To: <sip:{self.dialled}@[remote_ip]:[remote_port]>{to_tag}", "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>", *extra,
        ]  # fmt: skip
        return _message(lines, body)

    def _reply(self, status: str, to_tag: str, body: str = "") -> str:
        lines = [
            f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", f"[last_To:]{to_tag}", "[last_Call-ID:]",
            "[last_CSeq:]",
            "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>",
        ]  # fmt: skip
        return _message(lines, body)

    def _sdp(self, direction: str = "sendrecv") -> str:
        lines = [
            "v=0", "o=sipp 1 1 IN IP[local_ip_type] [local_ip]", "s=-", "c=IN IP[media_ip_type] [media_ip]", "t=0 0",
            f"m=audio [rtpstream_audio_port] RTP/AVP {' '.join(str(number) for number in self.payloads)}",
            *(f"a=rtpmap:{number} {RTPMAP[number]}" for number in self.payloads if number in RTPMAP),
            *(["a=fmtp:101 0-16"] if 101 in self.payloads else []), "a=ptime:20", f"a={direction}",
        ]  # fmt: skip
        return "\n".join(lines) + "\n"


def _message(lines: list[str], body: str) -> str:
    if body:
        lines = [*lines, "Content-Type: application/sdp"]
    return "\n".join(["", *lines, "Content-Length: [len]", "", body])
