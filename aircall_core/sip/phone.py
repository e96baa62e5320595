"""`python -m aircall_core phone`: a SIP test phone, so that a line can be tried before any trunk exists.

It is a real user agent in its own process (see phone_agent), with its own SIP port; to the worker it is a
caller like any other. docs/test-phone.md shows its use.
"""

import json
import os
import re
import signal
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from aircall_core import testcall
from aircall_core.config import Settings, get_settings

app = typer.Typer(
    no_args_is_help=True, help="A SIP test phone: call a number of this desk, speak, listen, press digits, send texts."
)

DATA = Path(__file__).parents[2] / "data"
DEFAULT_SPEECH = DATA / "prompts" / "test-call.wav"
ECHO_SPEECH = DATA / "demo" / "prompts" / "echo.wav"
TEST_CALL_RINGS_S, TEST_CALL_TALKS_S = (
    45,
    75,
)  # a call placed by the button in the console: two minutes at most
_DIGITS = re.compile(r"[0-9A-Da-d*#]{1,32}")


@app.callback()
def _group() -> None:
    """Keeps `call` a sub-command of its own, even while it is the only one."""


@app.command()
def call(
    number: Annotated[str, typer.Argument(help="The number to call, such as +33199000001, or a sip: address.")],
    caller: Annotated[
        str, typer.Option("--from", help="The number that calls; 'anonymous' hides it.")
    ] = testcall.DEFAULT_CALLER,
    name: Annotated[str, typer.Option(help="The caller's display name.")] = "",
    say: Annotated[str, typer.Option(help="English text to speak after the answer.")] = "",
    play: Annotated[Path | None, typer.Option(help="WAV file (PCM 16 bit, mono) to play after the answer.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Say or play it again and again.")] = False,
    digits: Annotated[str, typer.Option(help="Digits to press half a second after the answer (RFC 4733).")] = "",
    record: Annotated[Path | None, typer.Option(help="WAV file for what the phone hears.")] = None,
    hangup_after: Annotated[
        float | None, typer.Option(help="Hang up this many seconds after the answer.", min=0)
    ] = None,
    ring_for: Annotated[float, typer.Option(help="Give up after this many seconds without an answer.", min=0.1)] = 120,
    server: Annotated[str, typer.Option(help="Where to call, host:port. Default: this installation's worker.")] = "",
    as_json: Annotated[bool, typer.Option("--json/--text", help="JSON lines, or sentences.")] = True,
) -> None:
    """Call NUMBER and print what happens, one line each. Exit status 0 answered, 1 not, 2 wrong use.

    Without --say or --play the phone says a friendly test message. Ctrl-C cancels or hangs up.
    """
    host, port = _address(server)
    if digits and not _DIGITS.fullmatch(digits):
        _wrong("--digits takes up to 32 of 0-9, A-D, * and #")
    settings = get_settings()
    sound = _sound(say, play, settings)
    user, domain, headers = _identity(caller, host)
    target = number if number.startswith("sip:") else f"sip:{_user_part(number)}@{host}:{port}"

    from aircall_core.sip import (
        phone_agent,
    )  # pjsua2 is loaded by the phone alone, not by every command of the CLI

    plan = phone_agent.CallPlan(
        bind_host=phone_agent.local_address_towards(host, port),
        target=target,
        user=user,
        domain=domain,
        display="Anonymous" if headers else _display(name),
        headers=headers,
        play=sound,
        loop=loop,
        digits=digits,
        record=_writable(record),
        hangup_after=hangup_after,
        ring_for=ring_for,
    )
    _run(plan, as_json)


@app.command()
def answer(
    port: Annotated[int, typer.Option(help="UDP port to listen at; 0 takes a free one and prints it.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    say: Annotated[str, typer.Option(help="English text to speak after the answer.")] = "",
    play: Annotated[Path | None, typer.Option(help="WAV file (PCM 16 bit, mono) to play after the answer.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Say or play it again and again.")] = False,
    record: Annotated[Path | None, typer.Option(help="WAV file for what the phone hears.")] = None,
    answer_after: Annotated[float, typer.Option(help="Ring this many seconds first.", min=0)] = 1.0,
    hangup_after: Annotated[
        float | None, typer.Option(help="Hang up this many seconds after the answer.", min=0)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json/--text", help="JSON lines, or sentences.")] = True,
) -> None:
    """Wait for one call, answer it, and print what happens."""
    settings = get_settings()
    sound = _sound(say, play, settings) if say or play else None

    from aircall_core.sip import phone_agent

    plan = phone_agent.CallPlan(
        bind_host=host, port=port, domain=host, play=sound, loop=loop, record=_writable(record),
        hangup_after=hangup_after, answer_after=answer_after, ring_for=answer_after + 3600,
    )  # fmt: skip
    _run(plan, as_json)


@app.command()
def echo(
    port: Annotated[int, typer.Option(help="UDP port to listen at; 0 takes a free one and prints it.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    as_json: Annotated[bool, typer.Option("--json/--text", help="JSON lines, or sentences.")] = True,
) -> None:
    """Answer every call, say hello, and repeat what is said or written, until Ctrl-C: somebody outside to call."""
    import pjsua2 as pj

    from aircall_core.sip.echo import Echo

    report = _reporter(as_json)
    try:
        Echo(host, port, ECHO_SPEECH, report).run()
    except pj.Error as error:
        report("failed", reason=error.reason)
        os._exit(1)
    os._exit(0)  # pjsua2's objects must not meet the interpreter's clean-up


@app.command()
def text(
    to: Annotated[str, typer.Option(help="The number to text, such as +33199000001, or a sip: address.")] = "",
    say: Annotated[str, typer.Option(help="What to write.")] = "",
    caller: Annotated[str, typer.Option("--from", help="The number that writes.")] = testcall.DEFAULT_CALLER,
    server: Annotated[str, typer.Option(help="Where to send it, host:port. Default: this installation's.")] = "",
    wait: Annotated[float, typer.Option(help="Listen for texts so many seconds after the answer.", min=0)] = 0.0,
    port: Annotated[int, typer.Option(help="Port to listen at (UDP and TCP); 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at. Default: the one towards the server.")] = "",
    as_json: Annotated[bool, typer.Option("--json/--text", help="JSON lines, or sentences.")] = True,
) -> None:
    """Send a text and print what becomes of it; without --to, print the texts that come, until Ctrl-C.

    Exit status 0 taken, 1 not, 2 wrong use. A text of more than 3,000 bytes goes in parts.
    """
    if bool(to) != bool(say.strip()):
        _wrong("--to and --say belong together; without both the phone only listens")
    away, away_port = _address(server)
    target = to if not to or to.startswith("sip:") else f"sip:{_user_part(to)}@{away}:{away_port}"

    import pjsua2 as pj

    from aircall_core.sip.phone_agent import local_address_towards
    from aircall_core.sip.phone_texts import TextPhone, TextPlan

    plan = TextPlan(
        bind_host=host or local_address_towards(away, away_port), target=target, text=say, user=_user_part(caller),
        domain=away, port=port, wait=wait if to or wait else None,
    )  # fmt: skip
    report = _reporter(as_json)
    try:
        taken = TextPhone(plan, report).run()
    except pj.Error as error:
        report("failed", reason=error.reason)
        taken = False
    os._exit(0 if taken else 1)


# ---- from options to a plan


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _address(server: str) -> tuple[str, int]:
    settings = get_settings()
    host, _, port = server.partition(":") if server else (testcall.dialled_host(settings), "", str(settings.sip_port))
    if not host or not (port or "5060").isdigit() or not 0 < int(port or 5060) < 65536:
        _wrong(f"--server must be host:port, not {server!r}")
    return host, int(port or 5060)


def _user_part(number: str) -> str:
    """A dialled number as the user part of a SIP URI: spaces, brackets and hyphens are for the eye only."""
    plain = re.sub(r"[\s().\-/]", "", number)
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", plain):
        _wrong(f"{number!r} is not a number; write it like +33199000001")
    return plain.replace("#", "%23")


def _identity(caller: str, host: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    if caller == "anonymous":  # RFC 3323, section 4.1
        return "anonymous", "anonymous.invalid", (("Privacy", "id"),)
    return _user_part(caller), host, ()


def _display(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:200]


def _sound(say: str, play: Path | None, settings: Settings) -> Path:
    if say and play is not None:
        _wrong("--say and --play exclude each other")
    if say:
        from aircall_core.speech import SpeechError, speech_file  # numpy and the voices: only who speaks waits for them

        try:
            return speech_file(say, settings.data_dir / "cache")
        except SpeechError as error:
            _wrong(str(error))
    path = play or DEFAULT_SPEECH
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                _wrong(f"{path} must be mono, 16 bit: sox in.wav -c 1 -b 16 -r 8000 out.wav")
    except (OSError, EOFError, wave.Error) as error:
        _wrong(f"{path} cannot be played: {error}")
    return path


def _writable(record: Path | None) -> Path | None:
    if record is not None and (record.suffix != ".wav" or not record.parent.is_dir()):
        _wrong(f"--record must be a .wav file in a folder that exists, not {record}")
    return record


# ---- the run


def _run(plan: "phone_agent.CallPlan", as_json: bool) -> NoReturn:  # type: ignore[name-defined]  # noqa: F821
    """Run the phone and leave the process: pjsua2's objects must not meet the interpreter's clean-up."""
    import pjsua2 as pj

    from aircall_core.sip import phone_agent

    if plan.hangup_after is not None:
        # Should the loop ever hang inside the library, the kernel ends the process: a test call must not last
        # for ever.
        signal.alarm(int(plan.ring_for + plan.hangup_after) + 15)
    report = _reporter(as_json)
    try:
        answered = phone_agent.Phone(plan, report).run()
    except pj.Error as error:
        report("failed", reason=error.reason)
        answered = False
    os._exit(0 if answered else 1)


def _reporter(as_json: bool) -> Callable[..., None]:
    """Prints what happens, one line each."""
    # The library prints lines of its own before its log level can be set; they must not stand among ours.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)

    def report(event: str, **details: object) -> None:
        facts = {"event": event, **details}
        print(json.dumps(facts) if as_json else _sentence(facts), file=out, flush=True)

    return report


def _sentence(facts: dict[str, object]) -> str:
    return f"{facts['event']}: " + ", ".join(f"{key} {value}" for key, value in facts.items() if key != "event")
