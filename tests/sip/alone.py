"""One call of the worker alone: its clock in the test's hand, the facts it tells and what the caller would hear noted.

alone = Alone({"id": "menu", "kind": "menu", "prompt": {"shipped": "menu"}, "branches": {"1": [...]}})
alone.answers()          # the caller's stream is up
alone.presses("1")
assert alone.said[-1] == "chose menu 1"
"""

from types import SimpleNamespace
from typing import Any

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.domain import events as kinds
from aircall_core.domain.events import Event, EventRow
from aircall_core.domain.flow import parse
from aircall_core.ids import now_ms
from aircall_core.sip.calls import Call
from aircall_core.sip.prompts import Clip
from aircall_core.sip.timers import Timers
from aircall_core.sip.tools import Origin, Tools

PROMPT_S = 2.0
LOUD, SILENT = b"\x00\x20" * 160, bytes(320)


class FakePrompts:
    """Every message lasts two seconds; `named` are those that were asked for, in order."""

    rate = 8000

    def __init__(self) -> None:
        self.named: list[str] = []

    def get(self, name: str, language: str) -> Clip:
        """A message that ships."""
        self.named.append(name)
        return Clip((f"{language}/{name}".encode(),) * round(PROMPT_S / 0.02))

    def find(self, reference: dict[str, str] | None, language: str) -> Clip:
        """What a step names."""
        return self.get(str((reference or {}).get("shipped")), language) if reference else Clip(())

    def fetch(self, paths: object) -> None:
        """The company's own: none here."""


class Recorder:
    """What the recordings are told."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.parts = SimpleNamespace()

    def finish(self, call: str) -> None:
        """A call's."""
        self.kept.append(f"call {call}")

    def finish_voicemail(self, call: str) -> None:
        """A voicemail."""
        self.kept.append(f"voicemail {call}")

    def discard_voicemail(self, call: str) -> None:
        """Nothing was said."""
        self.kept.append(f"discarded {call}")


def port() -> Any:
    """A port of the bridge that is connected to anything."""
    return SimpleNamespace(startTransmit=lambda _: None, stopTransmit=lambda _: None, pull=None, push=None)


class Alone:
    """One call with this flow. `ring`: whom the store rings as it arrives (None: the first step rings nobody)."""

    def __init__(self, *steps: dict[str, Any], ring: tuple[str, ...] | None = None, **plan: Any) -> None:
        self.now = 0.0
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self.answers_sent: list[int] = []
        self.hung_up: list[int | str] = []
        self.lookups: list[tuple[Any, ...]] = []
        self.prompts, self.recordings = FakePrompts(), Recorder()
        self._stream = port()
        invite = SimpleNamespace(get=lambda name: "<sip:a@192.0.2.1>", all=lambda name: [])
        endpoint: Any = SimpleNamespace(
            legs={1: SimpleNamespace(invite=invite, local_tag="near")}, answer=self._answer,
            refuse=lambda token, code: self.hung_up.append(code), heard=lambda token: int(self.now),
            hang_up=lambda token, reason: self.hung_up.append(reason), audio=lambda token: self._stream,
        )  # fmt: skip
        pool = SimpleNamespace(take=port, give=lambda _: None)
        media: Any = SimpleNamespace(endpoint=endpoint, pool=pool, music=port(), silence=port())
        self.links = SimpleNamespace(links={}, close_call=lambda *_, **__: None)
        lookups: Any = SimpleNamespace(secrets={}, ask=lambda *question: self.lookups.append(question))
        self.timers = Timers(lambda: self.now)
        recordings: Any = self.recordings
        prompts: Any = self.prompts
        links: Any = self.links
        tools = Tools(endpoint, media, links, prompts, recordings, lookups, self.timers, self._put)
        self.call = Call(tools, "call", 1, Origin("192.0.2.1:5060", True, "line", "+33611", "FR"))
        first = parse({"steps": list(steps)}).first()
        entered = None if ring is None else Entered(ring, False)
        values: dict[str, Any] = {"flow": {"steps": list(steps)}, "step": first.id if first else "",
                                  "entered": entered, "language": "en", "recording": "off"}  # fmt: skip
        self.call.on_plan(ArrivalPlan("call", "conversation", **{**values, **plan}))

    def _answer(self, token: int, code: int) -> bool:
        self.answers_sent.append(code)
        return True

    def _put(self, name: str, call_id: str, *, ref: str = "", **fields: Any) -> None:
        self.facts.append((name, {"ref": ref, **fields}))

    # ---- what happens to it

    def streams(self) -> "Alone":
        """The caller's stream comes up."""
        self.call.on_media(active=True, held=False)
        return self

    def presses(self, keys: str) -> None:
        """The caller presses these."""
        for key in keys:
            self.call.on_digit(key)

    def hears(self, kind: str, user: str, **data: Any) -> None:
        """The log says this."""
        event = Event(kind, "staff", f"user:{user}", call_id="call", user_id=user, data=data)
        self.call.on_event(EventRow(1, 1, event))

    def accepts(self, user: str, peer: str = "peer") -> None:
        """A user has won the call."""
        self.hears(kinds.CALL_ACCEPTING, user, peer=peer, command="command", deadline=now_ms() + 60_000)

    def talks(self, user: str, peer: str = "peer") -> Any:
        """A user has won the call, and their audio is there; its link."""
        link: Any = SimpleNamespace(call="call", user=user, peer=peer, closed="", pull=None, push=None)
        link.fresh = lambda _: not link.closed
        self.links.links[peer] = link
        self.accepts(user, peer)
        return link

    def stands(self, *ringing: str, waits: bool = False, position: int = 1, estimate_s: int | None = None) -> None:
        """The store answers the last question."""
        ref = next(fields["ref"] for name, fields in reversed(self.facts) if fields["ref"])
        self.call.flow.on_entered(Entered(ringing, waits, position, estimate_s), ref)

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, round(self.now + 0.01, 6))
            for action in self.timers.due():
                action()

    # ---- what came of it

    @property
    def said(self) -> list[str]:
        """The facts, as words."""
        shown = ("step", "kind", "key", "value", "reason", "user_id", "line_id")
        told = [(name, [str(fields[one]) for one in shown if fields.get(one)]) for name, fields in self.facts]
        return [" ".join([name, *words]) for name, words in told]

    @property
    def sounds(self) -> str:
        """What the caller hears from us: message, music or nothing."""
        voice = self.call.voice
        return "message" if voice.on_port else "music" if voice.music else ""

    def told(self, name: str) -> dict[str, Any]:
        """The last fact of this name."""
        return next(fields for fact, fields in reversed(self.facts) if fact == name)
