"""The worker's parts, each alone: the farewell BYE, prompts, mixdown, journal, timers, PCM links."""

import json
import queue
import select
import socket
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aircall_core.ids import new_id
from aircall_core.sip import announce, farewell, lookup, mixdown, recorder, tones
from aircall_core.sip.announce import announcement
from aircall_core.sip.journal import Journal
from aircall_core.sip.message import parse
from aircall_core.sip.outleg import reason_of
from aircall_core.sip.pcm import CAP, HEADER, PREFILL, PcmLink, PcmListener
from aircall_core.sip.prompts import NOBODY, PROMPTS, PromptError, Prompts, load_clip
from aircall_core.sip.timers import Timers
from aircall_core.sip.trunks import dialled
from tests.support.audio import has_tone, level, read_wav, tone, write_wav

# ---- farewell


def dialog(**changes: object) -> farewell.Dialog:
    text = (
        "INVITE sip:+33199000001@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
        "Record-Route: <sip:192.0.2.2;lr>, <sip:192.0.2.3:5070;lr>\r\nFrom: Ada <sip:ada@example.com>;tag=far\r\n"
        "To: <sip:+33199000001@198.51.100.1>\r\nContact: <sip:ada@192.0.2.9:5066>\r\n"
        "Call-ID: one@x\r\nCSeq: 7 INVITE\r\n\r\n"
    )
    made = farewell.dialog_of(parse(text), "near", "192.0.2.2:5060").as_json()
    assert made is not None
    return farewell.Dialog(**{**made, **changes})


def stored(**changes: object) -> dict[str, Any]:
    """As it comes out of the store."""
    kept: dict[str, Any] = json.loads(json.dumps(dialog(**changes).as_json()))
    return kept


def test_broken_bytes_are_not_stored() -> None:
    assert dialog(call_id="a\udcff").as_json() is None
    assert dialog(routes=["<sip:a\0>"]).as_json() is None


def test_bye_of_a_stored_dialog() -> None:
    lines = farewell.bye(farewell.Dialog(**stored()), "198.51.100.1:40000", "abc").decode().split("\r\n")
    assert lines[0] == "BYE sip:ada@192.0.2.9:5066 SIP/2.0"
    assert "Route: <sip:192.0.2.2;lr>" in lines
    assert lines.index("Route: <sip:192.0.2.2;lr>") < lines.index("Route: <sip:192.0.2.3:5070;lr>")
    assert "From: <sip:+33199000001@198.51.100.1>;tag=near" in lines
    assert "To: Ada <sip:ada@example.com>;tag=far" in lines
    assert {"Call-ID: one@x", f"CSeq: {farewell.CSEQ} BYE", "Content-Length: 0"} <= set(lines)


@pytest.mark.parametrize(
    ("changes", "hop"),
    [
        ({}, ("192.0.2.2", 5060)),
        ({"routes": []}, ("192.0.2.9", 5066)),
        ({"routes": [], "target": "sip:ada@host.example"}, ("192.0.2.2", 5060)),
        ({"routes": [], "target": "sip:ada@10.0.0.5:5099", "destination": "8.8.8.8:4000"}, ("8.8.8.8", 4000)),
    ],
)
def test_next_hop(changes: dict[str, object], hop: tuple[str, int]) -> None:
    assert farewell.next_hop(dialog(**changes)) == hop


def test_goodbye_is_sent_again_until_it_is_answered() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(5)
        target = {"routes": [], "target": f"sip:a@127.0.0.1:{far.getsockname()[1]}"}
        assert farewell.say_goodbye([{"nonsense": 1}, stored(transport="tcp")], "127.0.0.1") == 0
        import threading

        answered: list[int] = []
        saying = threading.Thread(target=lambda: answered.append(farewell.say_goodbye([stored(**target)], "127.0.0.1")))
        saying.start()
        first, _ = far.recvfrom(4096)
        second, source = far.recvfrom(4096)
        assert first == second
        via = next(line for line in second.decode().split("\r\n") if line.startswith("Via"))
        far.sendto(f"SIP/2.0 481 Gone\r\n{via}\r\n\r\n".encode(), source)
        saying.join(5)
        assert answered == [1]


# ---- sound


def test_prompts_that_ship_are_whole() -> None:
    prompts = Prompts(8000)
    prompts.load()
    assert 2 < prompts.get(NOBODY, "en").seconds < 20
    assert prompts.get(NOBODY, "xx") == prompts.get(NOBODY, "en")
    assert prompts.music.exists()


@pytest.mark.parametrize(("own", "rate"), [(8000, 8000), (8000, 16000), (16000, 8000)])
def test_a_clip_sounds_the_same_at_every_rate(tmp_path: Path, own: int, rate: int) -> None:
    clip = load_clip(write_wav(tmp_path / "a.wav", tone(440, 0.5, own), own), rate)
    assert {len(frame) for frame in clip.frames} == {rate // 50 * 2}
    assert clip.seconds == pytest.approx(0.5)
    samples = np.frombuffer(b"".join(clip.frames), "<i2") / 32768
    assert has_tone(samples, 440, rate)
    source = clip.player()
    assert [source() for _ in range(26)][-1] is None


def test_what_is_no_prompt_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no")
    with pytest.raises(PromptError, match=r"a\.wav"):
        load_clip(tmp_path / "a.wav", 8000)


def test_a_companys_prompt_is_read_in_the_background_and_from_its_folder_alone(tmp_path: Path) -> None:
    prompts = Prompts(8000, data_dir=tmp_path / "data")
    (tmp_path / "data").mkdir()
    write_wav(tmp_path / "data" / "own.wav", tone(440, 0.5, 8000), 8000)
    write_wav(tmp_path / "other.wav", tone(440, 0.5, 8000), 8000)
    prompts.fetch({"own": "own.wav", "other": "../other.wav", "gone": "gone.wav"})
    assert prompts.find({"prompt": "own"}, "en").seconds == pytest.approx(0.5)
    assert [prompts.find({"prompt": name}, "en").seconds for name in ("other", "gone", "never heard of")] == [0, 0, 0]
    assert prompts.find(None, "en").seconds == 0
    (tmp_path / "data" / "own.wav").unlink()
    prompts.fetch({"own": "own.wav"})
    assert prompts.find({"prompt": "own"}, "en").seconds == pytest.approx(0.5), "read once"


@pytest.mark.parametrize("country", ["US", "GB", "FR", "DE", ""])
def test_a_ringing_tone_is_whole_and_as_loud_as_speech(country: str) -> None:
    clip = tones.ringing(country, 8000)
    samples = np.frombuffer(b"".join(clip.frames), "<i2") / 32768
    assert -26 < level(samples[: round(0.35 * 8000)]) < -16
    assert level(samples[-round(1.5 * 8000) :]) < -100, "a pause"
    loop = clip.looped()
    assert [loop() for _ in range(len(clip.frames) + 1)][-1] == clip.frames[0]


# ---- announcements


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (7, "en", "7"), (20, "fr", "20"), (21, "en", "20 1"), (99, "en", "90 9"), (30, "en", "30"),
        (21, "es", "21"), (31, "es", "30 and 1"), (90, "es", "90"),
        (21, "fr", "20 and 1"), (22, "fr", "20 2"), (70, "fr", "60 10"), (71, "fr", "60 and 11"),
        (79, "fr", "60 19"), (80, "fr", "80"), (81, "fr", "80 1"), (91, "fr", "80 11"), (99, "fr", "80 19"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_the_language_says_them(value: int, language: str, said: str) -> None:
    assert announce.number(value, language) == [f"digits/{word}" for word in said.split()]


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_every_number_has_its_recordings(language: str) -> None:
    folder = PROMPTS / language
    wanted = {name for value in range(100) for name in announce.number(value, language)}
    wanted |= {name for seconds in range(0, 7200, 30) for name in announce.minutes(seconds, language)}
    wanted |= set(announcement(EVERYTHING, language, position=1, estimate_s=5, can_call_back=True))
    assert not [name for name in sorted(wanted) if not (folder / f"{name}.wav").exists()]


EVERYTHING = {"position": True, "estimate": True, "callback": True}


def test_what_a_caller_is_told() -> None:
    def told(place: int, estimate_s: int | None = None, *, back: bool = True, **settings: bool) -> str:
        wanted = {**EVERYTHING, **settings}
        return " ".join(announcement(wanted, "en", position=place, estimate_s=estimate_s, can_call_back=back))

    assert told(1) == "queue-next callback-offer"
    assert told(1, 20, back=False) == "queue-next estimate-before less-than-a-minute"
    assert told(12, 60, callback=False) == "queue-position-before digits/12 queue-position-after estimate-before minute"
    assert told(100, 1400, callback=False) == "estimate-before digits/20 digits/5 minutes", "no number beyond 99"
    assert told(3, 1000, position=False, estimate=False, callback=False) == ""


# ---- lookup


def test_what_a_lookup_may_answer() -> None:
    assert lookup.target_of(b'{"branch": "vip", "more": 1}') == ("branch", "vip")
    assert lookup.target_of(b'{"user": "u1"}') == ("user", "u1")
    for answer in (b"{}", b"[]", b'"user"', b'{"user": "a", "team": "b"}', b'{"user": 7}', b'{"user": ""}'):
        assert lookup.target_of(answer) is None
    with pytest.raises(ValueError, match="Expecting"):
        lookup.target_of(b"<html>")


def part(path: Path, frequency: float, seconds: float, *, killed: bool = False) -> Path:
    """A file as the library writes it; `killed`: its writer never came to write the length."""
    write_wav(path, tone(frequency, seconds, 8000), 8000)
    if killed:
        data = bytearray(path.read_bytes())
        data[4:8] = data[40:44] = bytes(4)
        path.write_bytes(data)
    return path


@pytest.mark.parametrize("killed", [False, True])
def test_mixdown(tmp_path: Path, killed: bool) -> None:
    caller = part(tmp_path / "c.caller.wav", 440, 1.0, killed=killed)
    inside = part(tmp_path / "c.inside.wav", 660, 0.8, killed=killed)
    out = tmp_path / "2026/01/c.wav"
    done = mixdown.handle({"caller": str(caller), "inside": str(inside), "out": str(out)})
    assert (done["error"], done["duration_ms"]) == ("", 1000)
    channels, rate = read_wav(out)
    assert has_tone(channels[0], 440, rate)
    assert has_tone(channels[1][: int(0.8 * rate)], 660, rate)
    assert not np.any(channels[1][int(0.8 * rate) :]), "the shorter side ends in silence"
    assert not caller.exists()
    assert done["size_bytes"] == out.stat().st_size
    assert out.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("sound", "least", "kept"), [(3.0, 2000, True), (1.0, 2000, False), (1.0, 0, True)])
def test_a_voicemail_is_copied_and_thrown_away_when_there_is_nothing_in_it(
    tmp_path: Path, sound: float, least: int, kept: bool
) -> None:
    spoken = np.concatenate([tone(440, sound, 8000), np.zeros(16000)])
    found = write_wav(tmp_path / "c.voicemail.wav", spoken, 8000)
    out = tmp_path / "2026/01/c.voicemail.wav"
    done = mixdown.handle({"caller": str(found), "inside": "", "out": str(out), "least_ms": least})
    assert done["error"] == ""
    assert not found.exists()
    assert out.exists() is kept
    assert done["duration_ms"] == (round(sound * 1000) + 2000 if kept else 0)
    if kept:
        channels, rate = read_wav(out)
        assert channels.shape[0] == 1
        assert has_tone(channels[0][: round(sound * rate)], 440, rate)


def test_recordings_go_on_when_their_child_dies_or_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: queue.Queue[recorder.Saved] = queue.Queue()
    recordings = recorder.Recordings(tmp_path, "worker-0", made.put)
    calls = [new_id() for _ in range(3)]
    for call in calls:
        part(recordings.parts / f"{call}{recorder.CALLER}", 440, 0.2)
    python = sys.executable
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))  # as when a machine has no process left
    recordings.finish(calls[0])
    recordings.start()  # begins with all three
    failed = [made.get(timeout=20) for _ in range(4)]
    assert {one.error for one in failed} == {"mixdown_died"}
    monkeypatch.setattr(sys, "executable", python)
    recordings.finish(calls[0])
    assert made.get(timeout=20).size_bytes
    assert recordings._child is not None
    recordings._child.kill()
    recordings.finish(calls[1])
    assert made.get(timeout=20).size_bytes
    recordings.close(5)
    recordings._end_child()


def test_mixdown_of_nonsense_keeps_the_parts(tmp_path: Path) -> None:
    caller = tmp_path / "c.caller.wav"
    caller.write_bytes(b"x" * 100)
    done = mixdown.handle({"caller": str(caller), "inside": str(tmp_path / "none.wav"), "out": str(tmp_path / "c.wav")})
    assert "BadPart" in done["error"]
    assert caller.exists()


def test_mixdown_of_a_long_call_is_whole(tmp_path: Path) -> None:
    seconds = mixdown.CHUNK * 2.5 / 8000
    caller = part(tmp_path / "c.caller.wav", 440, seconds)
    done = mixdown.handle({"caller": str(caller), "inside": str(tmp_path / "none.wav"), "out": str(tmp_path / "c.wav")})
    with wave.open(str(tmp_path / "c.wav")) as file:
        assert file.getnframes() == mixdown.CHUNK * 5 // 2
    assert done["duration_ms"] == round(seconds * 1000)


# ---- calls out


@pytest.mark.parametrize(
    ("number", "form", "country", "wanted"),
    [
        ("+33612345678", "e164", "FR", "+33612345678"),
        ("+33612345678", "digits", "FR", "33612345678"),
        ("+33612345678", "national", "FR", "0612345678"),
        ("+33612345678", "national", "DE", "0033612345678"),
        ("+33612345678", "national", "US", "01133612345678"),
        ("+33612345678", "national", "", "0033612345678"),
        ("+12125550123", "national", "US", "2125550123"),
        ("+999", "national", "FR", "00999"),
        ("112", "national", "FR", "112"),
    ],
)
def test_numbers_as_a_trunk_wants_them(number: str, form: str, country: str, wanted: str) -> None:
    assert dialled(number, form, country) == wanted


@pytest.mark.parametrize(
    ("code", "reason"),
    [(486, "busy"), (600, "busy"), (603, "declined"), (607, "declined"), (480, "no_answer"), (408, "no_answer"),
     (404, "not_found"), (484, "not_found"), (604, "not_found"), (403, "refused"), (302, "refused"), (487, "refused"),
     (503, "unreachable"), (500, "unreachable")],
)  # fmt: skip
def test_why_nobody_talks(code: int, reason: str) -> None:
    assert reason_of(code) == reason


# ---- journal, timers


def test_journal_keeps_order_and_forgives_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep/worker-0.jsonl")
    assert journal.read() == []
    journal.append([{"n": 1}, {"n": 2}])
    journal.append([{"n": 3}])
    with journal.path.open("a") as file:
        file.write('{"n": 4')
    assert [entry["n"] for entry in journal.read()] == [1, 2, 3]
    journal.clear()
    assert journal.read() == []


def test_timers_run_in_order_and_never_when_cancelled() -> None:
    now, ran = [100.0], []
    timers = Timers(lambda: now[0])
    timers.after(2, lambda: ran.append("late"))
    timers.after(1, lambda: ran.append("early"))
    timers.after(1, lambda: ran.append("never")).cancel()
    late = timers.after(2, lambda: ran.append("cancelled by the one before"))
    timers.after(1.9, late.cancel)

    def run() -> list[str]:
        for action in timers.due():
            action()
        return ran

    assert run() == []
    now[0] += 1.5
    assert run() == ["early"]
    now[0] += 10
    assert run() == ["early", "late"]


# ---- PCM link


def frames(count: int, first: int = 0) -> list[bytes]:
    return [HEADER.pack(1, 0, number) + bytes([number]) * 320 for number in range(first, first + count)]


def pair() -> tuple[PcmLink, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return PcmLink(ours, "peer", "call", "user", 8000), theirs


def test_a_link_waits_for_two_frames_and_drops_the_oldest_beyond_its_cap() -> None:
    link, theirs = pair()
    with theirs:
        theirs.send(frames(1)[0])
        assert link.pull() is None
        for frame in frames(1, 1):
            theirs.send(frame)
        assert [link.pull(), link.pull(), link.pull()] == [b"\0" * 320, b"\1" * 320, None]
        assert PREFILL == 2
        for frame in frames(10):
            theirs.send(frame)
        assert link.pull() == bytes([10 - CAP]) * 320
        theirs.send(b"\1short")
        theirs.send(b"\7" * 10)
        link.pull()
        assert link.dropped == 2
    link.pull()
    assert link.closed
    assert not link.fresh(10)
    link.close("done")


def test_a_gateway_that_does_not_read_costs_frames_and_no_time() -> None:
    link, theirs = pair()
    with theirs:
        for _ in range(2000):
            link.push(bytes(320))
        assert link.dropped > 0
        assert not link.closed
        link.close("done")


def test_greetings(tmp_path: Path) -> None:
    listener = PcmListener(str(tmp_path / "w.pcm"), 8000, lambda call: call == "mine")

    def greet(text: bytes) -> tuple[dict[str, object], socket.socket]:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(5)
        sock.connect(listener.path)
        sock.send(text)
        until = time.monotonic() + 5
        while time.monotonic() < until:  # a call that is not known is waited for
            listener.poll()
            if select.select([sock], [], [], 0.01)[0]:
                return json.loads(sock.recv(1000)), sock
        raise AssertionError("no answer")

    good = json.dumps({"hello": {"peer": "p", "call": "mine", "user": "u"}}).encode()
    answer, first = greet(good)
    assert answer == {"ok": {"rate": 8000}}
    answer, second = greet(good)
    assert answer == {"ok": {"rate": 8000}}
    assert json.loads(first.recv(1000)) == {"close": "replaced"}
    assert list(listener.links) == ["p"]
    for text in (b"x", b"{}", b'{"hello": 1}', b'{"hello": {"peer": 1, "call": "mine", "user": "u"}}', b"\xff"):
        answer, sock = greet(text)
        assert answer == {"refused": "not a hello"}
        sock.close()
    answer, sock = greet(good.replace(b"mine", b"other"))
    assert answer == {"refused": "no such call"}
    sock.close()
    second.close()
    listener.poll()
    assert listener.links == {}
    first.close()
    listener.close()
    assert not Path(listener.path).exists()
