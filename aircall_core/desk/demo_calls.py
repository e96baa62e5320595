"""The demo's past calls: each goes through its line's flow as the worker would lead it, at a time of last week."""

import random
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aircall_core.config import Settings
from aircall_core.desk import arrivals, calls, facts, flow_facts, tags
from aircall_core.desk.arrivals import Arrival, ArrivalPlan
from aircall_core.domain.flow import DEFAULTS, WAITS, Kind, Step, parse
from aircall_core.ids import new_id
from aircall_core.store import Store, Tx
from aircall_core.store.backdate import backdate
from aircall_core.store.calls import Owner

SPEECH = Path(__file__).resolve().parents[2] / "data" / "prompts" / "test-call.wav"
OWNER = Owner("demo", 1)  # nobody's: its calls have all ended
T = TypeVar("T")


@dataclass
class Caller:
    """One caller of the past. Most are answered within seconds, some give up, some leave a message."""

    store: Store
    settings: Settings
    dice: random.Random
    arrival: Arrival
    recording: str
    tags: Sequence[str]
    at: int = 0  # ms: how far the story has come
    fate: float = field(init=False)

    def __post_init__(self) -> None:
        self.at, self.fate = self.arrival.arrived_at, self.dice.random()

    @property
    def call(self) -> str:
        """The call's id."""
        return self.arrival.call_id

    def tell(self) -> None:
        """The whole call."""
        plan = self._do(lambda tx: arrivals.receive(tx, self.arrival))
        if plan.blocked:
            return
        flow = parse(plan.flow)
        step, picked_up = (flow.get(plan.step) if plan.step else None), False
        while step is not None:
            if step.kind in (Kind.MENU, Kind.DIGITS, Kind.MESSAGE, Kind.VOICEMAIL) and not picked_up:
                picked_up = True
                self._do(lambda tx: flow_facts.picked_up(tx, OWNER, self.call, at=self.at, dialog=None))
            if step.kind in WAITS:
                if self._waits(step, plan):
                    return
                step = flow.after(step.id)
            elif step.kind is Kind.VOICEMAIL:
                self._leaves_message(step)
                return
            else:
                key = self._enters(step)
                step = flow.into(step.id, key) if key else flow.after(step.id)
        self._ends("system", 4_000, reason="nobody")

    def _enters(self, step: Step) -> str:
        """A step that speaks with the caller; the branch they take."""
        name = step.id
        self._do(lambda tx: flow_facts.step(tx, OWNER, self.call, step=name, kind=step.kind.value, at=self.at))
        self.at += self.dice.randrange(3_000, 9_000)
        if step.kind is Kind.MENU:
            key, label = self.dice.choice(list(step["options"].items()))
            self._do(lambda tx: flow_facts.chose(tx, OWNER, self.call, step=name, key=key, label=label, at=self.at))
            return str(key)
        if step.kind is Kind.DIGITS:
            typed = str(self.dice.randrange(10_000, 99_999))
            self._do(
                lambda tx: flow_facts.typed(
                    tx, OWNER, self.call, step=name, label=step["label"], value=typed, at=self.at
                )
            )
        return ""

    def _waits(self, step: Step, plan: ArrivalPlan) -> bool:
        """A step that rings; whether the call has ended in it."""
        entered = plan.entered if step.id == plan.step else None
        if entered is None:
            settings: dict[str, Any] = {**DEFAULTS[step.kind], **step.settings, "kind": step.kind.value}
            entered = self._do(
                lambda tx: flow_facts.ring_step(tx, OWNER, self.call, step=step.id, settings=settings, at=self.at)
            )
        if self.fate < 0.68 and entered.ringing:
            self._talks(self.dice.choice(entered.ringing))
            return True
        if self.fate < 0.82:
            self._ends("caller", self.dice.randrange(2_000, 18_000), reason="cancel")
            return True
        self.at += min(int(step["total_s"]), 90) * 1000
        self._do(lambda tx: flow_facts.ring_over(tx, OWNER, self.call, at=self.at, reason="timeout"))
        return False

    def _talks(self, user: str) -> None:
        command = new_id()
        self.at += self.dice.randrange(2_000, 18_000)

        def answer(tx: Tx) -> None:
            calls.accept(tx, self.call, user, command=command, peer=new_id(), tab="demo-tab")
            facts.answered(tx, OWNER, self.call, user_id=user, command=command, at=self.at, dialog=None)
            facts.confirmed(tx, OWNER, self.call, at=self.at)

        self._do(answer)
        self._ends(self.dice.choice(("caller", "caller", "agent")), self.dice.randrange(20_000, 400_000), reason="bye")
        tag = self.dice.choice(self.tags)
        self._do(lambda tx: tags.give(tx, self.call, user, "agent", [tag], new_id()))
        if self.recording != "off" and self.dice.random() < 0.3:
            self._keeps("call", stereo=True)

    def _leaves_message(self, step: Step) -> None:
        if self.dice.random() < 0.35:
            self._ends("caller", 3_000, reason="bye")  # during the greeting: nothing is kept
            return
        self.at += 4_000
        self._do(lambda tx: flow_facts.step(tx, OWNER, self.call, step=step.id, kind=step.kind.value, at=self.at))
        self._do(lambda tx: flow_facts.voicemail(tx, OWNER, self.call, at=self.at))
        self._ends("caller", self.dice.randrange(5_000, 20_000), reason="bye")
        self._keeps("voicemail", stereo=False)

    def _ends(self, by: str, after_ms: int, *, reason: str) -> None:
        self.at += after_ms
        code = 480 if by == "system" else None
        self._do(lambda tx: facts.ended(tx, OWNER, self.call, by=by, at=self.at, sip_code=code, reason=reason))

    def _keeps(self, kind: str, *, stereo: bool) -> None:
        path, length, size = _recording(self.settings, self.call, stereo=stereo)
        self._do(
            lambda tx: facts.recording_saved(
                tx, self.call, actor="system", path=path, duration_ms=length, size_bytes=size, at=self.at, kind=kind
            )
        )

    def _do(self, deed: Callable[[Tx], T]) -> T:
        """Do it, and file its events under the moment it tells of."""
        with self.store.write() as tx:
            result = deed(tx)
        seqs: Sequence[int] = tx.seqs
        with self.store.write() as tx:
            backdate(tx.conn, dict.fromkeys(seqs, self.at))
        return result


def _recording(settings: Settings, call_id: str, *, stereo: bool) -> tuple[str, int, int]:
    """A file with the test phone's words on the caller's side; path in the data folder, ms, bytes."""
    target = settings.recordings_dir / "demo" / f"{call_id}.wav"
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(SPEECH), "rb") as source:
        rate, count = source.getframerate(), source.getnframes()
        sound = bytearray(source.readframes(count))
    if stereo:
        both = bytearray(len(sound) * 2)
        both[0::4], both[1::4] = sound[0::2], sound[1::2]
        sound = both
    with wave.open(str(target), "wb") as out:
        out.setnchannels(2 if stereo else 1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(sound))
    return str(target.relative_to(settings.data_dir)), count * 1000 // rate, target.stat().st_size
