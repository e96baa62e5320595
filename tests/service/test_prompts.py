"""Prompts that companies bring: made into telephone sound, kept by name, and not removed while callers hear them."""

import io
import os
import subprocess
import time
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from aircall_core import sound_child, sounds
from aircall_core.desk import prompts
from aircall_core.service.due import Runner
from aircall_core.store import audit, due, flows
from tests.service.conftest import World
from tests.support.desk_kit import add_line

Sound = np.ndarray[Any, np.dtype[np.float64]]


def tone(seconds: float, rate: int, level: float = 0.05) -> Sound:
    return level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def encoded(samples: Sound, rate: int, form: str = "wav", codec: str = "pcm_s16le") -> bytes:
    """The sound as a file, in both channels."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="stereo")
        for start in range(0, len(samples), 1024):
            part = np.stack([samples[start : start + 1024]] * 2).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate, start
            for piece in av.AudioResampler(stream.format.name, "stereo", rate).resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def heard(data: bytes) -> Sound:
    """A prompt as the worker plays it: 8 kHz, mono, 16 bit."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


@pytest.fixture
def boss(world: World) -> str:
    """An administrator."""
    return world.user("Boss", "administrator")


def bring(world: World, boss: str, data: bytes, name: str = "Welcome", kind: str = "uploaded") -> Any:
    form = {"name": name, "kind": kind}
    return world.ask("POST", "/desk/prompts/upload", boss, data=form, files={"file": ("any.name", data)})


def files(world: World) -> list[str]:
    return sorted(path.name for path in (world.desk.settings.data_dir / "prompts").glob("*"))


@pytest.mark.parametrize(
    ("form", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 44100),
        ("wav", "pcm_s24le", 48000),
        ("wav", "pcm_mulaw", 8000),
        ("mp3", "libmp3lame", 44100),
    ],
)
def test_a_file_becomes_telephone_sound_at_the_level_of_all_prompts(
    world: World, boss: str, form: str, codec: str, rate: int
) -> None:
    silence = np.zeros(rate * 2)
    made = bring(world, boss, encoded(np.concatenate([silence, tone(1.5, rate), silence]), rate, form, codec))
    assert made.status_code == 201, made.text
    prompt = made.json()["id"]
    (listed,) = world.ask("GET", "/desk/prompts", boss).json()["prompts"]
    assert (listed["id"], listed["name"], listed["kind"], listed["author"]) == (prompt, "Welcome", "uploaded", "Boss")
    answer = world.ask("GET", f"/desk/prompts/{prompt}/audio", boss)
    assert answer.headers["content-type"] == "audio/wav"
    samples = heard(answer.content)
    assert listed["duration_ms"] == len(samples) // 8
    assert 1.6 <= len(samples) / 8000 <= 1.85, "the silence around it is gone but for a short rest"
    middle = samples[4000:8000]
    assert 10 * np.log10(np.mean(middle**2)) == pytest.approx(-20, abs=1)
    spectrum = np.abs(np.fft.rfft(middle))
    assert abs(int(np.argmax(spectrum)) * 8000 / 4000 - 440) <= 2
    assert files(world) == [f"{prompt}.wav"]
    assert (world.desk.settings.data_dir / "prompts" / f"{prompt}.wav").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Choose a file"),
        (b"hello, world" * 100, "no WAV or MP3"),
        (b"\x7fELF" + bytes(1000), "no WAV or MP3"),
        (b"RIFF\xff\xff\xff\xffWAVE" + bytes(range(256)) * 40, "damaged"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(5000), "damaged"),
        (encoded(tone(2, 16000), 16000, codec="adpcm_ms"), "not supported"),
        (encoded(tone(0.2, 16000), 16000), "half a second"),
        (encoded(tone(3, 16000, level=0), 16000), "nothing to hear"),
        (encoded(tone(sounds.LONGEST_S + 2, 8000), 8000), "longer than 5 minutes"),
    ],
    ids=["empty", "text", "program", "no header", "no frames", "codec", "short", "silent", "long"],
)
def test_what_is_no_prompt_is_refused_at_the_field_and_leaves_nothing(
    world: World, boss: str, data: bytes, says: str
) -> None:
    refused = bring(world, boss, data)
    assert refused.status_code == 422, refused.text
    assert says in refused.json()["error"]["fields"]["file"]
    assert files(world) == []
    assert world.ask("GET", "/desk/prompts", boss).json()["prompts"] == []


def test_a_file_that_exhausts_its_decoder_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One sample a second: a few kilobytes are hours of sound.
    bomb = bytearray(encoded(tone(30, 8000), 8000))
    at = bomb.index(b"fmt ") + 12
    bomb[at : at + 4] = (1).to_bytes(4, "little")
    before = time.monotonic()
    with pytest.raises(sounds.SoundError):
        sounds.from_file(bytes(bomb), tmp_path / "made.wav")
    assert time.monotonic() - before < sound_child.CPU_S
    monkeypatch.setattr(sounds, "PATIENCE_S", 0.01)
    with pytest.raises(sounds.SoundError, match="damaged"):
        sounds.from_file(encoded(tone(1, 8000), 8000), tmp_path / "made.wav")
    assert list(tmp_path.iterdir()) == []


def test_the_decoder_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCALL_SECRET_KEY", "secret")
    seen: list[dict[str, str]] = []
    run = subprocess.run

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["env"])
        return run(*args, **kwargs)

    monkeypatch.setattr(subprocess, "run", watched)
    sounds.from_file(encoded(tone(1, 8000), 8000), tmp_path / "made.wav")
    assert seen
    assert set(seen[0]) <= {"PATH", "PYTHONPATH", "LANG"}


def test_a_larger_body_is_refused_before_it_is_read(world: World, boss: str) -> None:
    refused = bring(world, boss, b"RIFF" + bytes(sounds.LARGEST + 100_000))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")
    other = world.ask("POST", "/desk/prompts", boss, content=b" " * 70_000)
    assert other.status_code == 413


def test_forms_that_are_none_of_ours(world: World, boss: str) -> None:
    file = {"file": ("a.wav", encoded(tone(1, 8000), 8000))}
    forms: list[dict[str, Any]] = [
        {"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"data": {"name": "A", "kind": "spoken"}, "files": file},
        {"data": {"name": "A" * 2000}, "files": file},
    ]
    for asked in forms:
        headers = world.as_user(boss) | asked.pop("headers", {})
        answer = world.client.post("/desk/prompts/upload", headers=headers, **asked)
        assert answer.status_code in (400, 422), answer.text
    assert files(world) == []


@pytest.mark.parametrize(("voice", "text"), [("heart", "Press one for sales."), ("pico-fr", "Appuyez sur un.")])
def test_a_typed_text_is_spoken(world: World, boss: str, voice: str, text: str) -> None:
    made = world.ask("POST", "/desk/prompts", boss, json={"name": "Menu", "text": f" {text}\n", "voice": voice})
    assert made.status_code == 201, made.text
    (listed,) = world.ask("GET", "/desk/prompts", boss).json()["prompts"]
    assert (listed["kind"], listed["text"]) == ("spoken", text)
    samples = heard(world.ask("GET", f"/desk/prompts/{made.json()['id']}/audio", boss).content)
    assert 0.5 < len(samples) / 8000 < 5


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"text": "  "}, "text", "no text"),
        ({"text": "Привет"}, "text", "Record the text"),
        ({"text": "a" * 2500}, "text", "at most 2000"),
        ({"voice": "de"}, "voice", "record or upload"),
        ({"name": " "}, "name", "at most 80"),
        ({"name": "x" * 81}, "name", "at most 80"),
    ],
)
def test_texts_that_cannot_be_spoken(world: World, boss: str, change: dict[str, str], field: str, says: str) -> None:
    body = {"name": "Menu", "text": "Hello.", "voice": "heart"} | change
    refused = world.ask("POST", "/desk/prompts", boss, json=body)
    assert refused.status_code == 422
    assert says in refused.json()["error"]["fields"][field]


def test_names_are_taken_once_and_changes_are_in_the_audit_log(world: World, boss: str) -> None:
    sound = encoded(tone(1, 8000), 8000)
    first = bring(world, boss, sound, "Welcome").json()["id"]
    second = bring(world, boss, sound, "Closed", "recorded").json()["id"]
    again = bring(world, boss, sound, "  welcome ")
    assert again.json()["error"]["fields"] == {"name": "Another prompt has this name."}
    taken = world.ask("PATCH", f"/desk/prompts/{second}", boss, json={"name": "WELCOME"})
    assert taken.status_code == 422
    before = world.store.last_seq()
    assert world.ask("PATCH", f"/desk/prompts/{second}", boss, json={"name": "We are closed"}).status_code == 200
    assert [(row.kind, row.event.data) for row in world.store.events(before)] == [("prompt.changed", {"id": second})]
    assert world.ask("DELETE", f"/desk/prompts/{first}", boss).status_code == 204
    assert world.ask("DELETE", f"/desk/prompts/{first}", boss).status_code == 404
    assert world.ask("GET", f"/desk/prompts/{first}/audio", boss).status_code == 404
    with world.store.read() as conn:
        log = [(one["action"], one["subject_name"], one["actor_name"]) for one in audit.entries(conn)]
    assert log == [
        ("prompt.removed", "Welcome", "Boss"),
        ("prompt.changed", "We are closed", "Boss"),
        ("prompt.created", "Closed", "Boss"),
        ("prompt.created", "Welcome", "Boss"),
    ]


def test_a_prompt_that_callers_hear_is_not_removed(world: World, boss: str) -> None:
    prompt = bring(world, boss, encoded(tone(1, 8000), 8000)).json()["id"]
    step = {"id": "a", "kind": "message", "prompt": {"prompt": prompt}}
    with world.store.write() as tx:
        line = add_line(tx)
        flows.add(tx.conn, line_id=line, version=1, document={"steps": [step]}, created_at=1)
    refused = world.ask("DELETE", f"/desk/prompts/{prompt}", boss)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_use")
    assert "Support" in refused.json()["error"]["message"]
    with world.store.write() as tx:  # the newest version plays it no more; a call may still be in the old one
        flows.add(tx.conn, line_id=line, version=2, document={"steps": []}, created_at=1)
    assert world.ask("DELETE", f"/desk/prompts/{prompt}", boss).status_code == 204
    assert files(world) == [f"{prompt}.wav"]


def test_a_removed_prompts_file_goes_a_day_later(world: World, boss: str) -> None:
    kept = bring(world, boss, encoded(tone(1, 8000), 8000), "Kept").json()["id"]
    gone = bring(world, boss, encoded(tone(1, 8000), 8000), "Gone").json()["id"]
    folder = world.desk.settings.data_dir / "prompts"
    stranger = folder / "of-another-store.wav"
    for name, age_s in ((folder / "old.wav.part", 90_000), (folder / "new.wav.part", 60), (stranger, 90_000)):
        name.write_bytes(b"half")
        os.utime(name, (time.time() - age_s,) * 2)
    assert world.ask("DELETE", f"/desk/prompts/{gone}", boss).status_code == 204
    runner = Runner(world.store, world.desk.settings, lambda: pytest.fail("the runner gave up"))
    runner.once(slow=True)
    assert (folder / f"{gone}.wav").exists(), "calls in progress may still play it"
    with world.store.write() as tx:
        due.put(tx.conn, prompts.REMOVED, gone, tx.now_ms())
    runner.once(slow=True)
    assert files(world) == sorted([f"{kept}.wav", "new.wav.part", stranger.name])
