"""The browser's code in node: its own tests, and its fold of the log against Python's, event by event."""

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aircall_core.domain import events as kinds
from aircall_core.domain import view
from aircall_core.domain.events import Event
from aircall_core.store.queries.timeline_pages import TOLD
from aircall_core.ui import assets, text

HERE = Path(__file__).parent
STATIC = assets.FOLDER
USERS = ("ann", "bo", "cy")
KINDS = sorted(
    value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str) and "." in value
)


def node(*arguments: str, feed: str = "") -> str:
    """What node prints. Fails with all that it said."""
    done = subprocess.run(["node", *arguments], input=feed, capture_output=True, text=True, timeout=120, cwd=HERE)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


def test_modules_in_node() -> None:
    output = node("--test", "--test-reporter=tap", *sorted(str(path) for path in HERE.glob("*.test.mjs")))
    count = re.search(r"^# pass (\d+)$", output, re.MULTILINE)
    assert count is not None
    assert int(count[1]) > 30


def test_every_file_is_valid_javascript() -> None:
    # `node --check` takes a module with a mistake in it for none: it finds no "type": "module" beside it.
    paths = sorted(str(path) for path in STATIC.glob("*.js"))
    node("--no-warnings", "--experimental-vm-modules", str(HERE / "parse.mjs"), *paths)


def test_modules_give_what_others_take_of_them() -> None:
    given = {
        path.name: set(
            re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", path.read_text("utf-8"), re.MULTILINE)
        )
        for path in STATIC.glob("*.js")
    }
    taken = [
        (path.name, name.split(" as ")[0].strip(), source)
        for path in sorted(STATIC.glob("*.js"))
        for names, source in re.findall(
            r"^import \{([^}]+)\} from '\./(\w+\.js)'", path.read_text("utf-8"), re.MULTILINE
        )
        for name in names.split(",")
        if name.strip()
    ]
    assert len(taken) > 60
    assert [one for one in taken if one[1] not in given[one[2]]] == []


def random_event(dice: random.Random) -> Event:
    """Any event of a call, sensible or not: the two folds must agree on all of them."""
    kind = dice.choice([*KINDS, kinds.CALL_RINGING, kinds.CALL_RINGING])
    data: dict[str, Any] = {
        "ringing": sorted(dice.sample(USERS, dice.randint(0, 3))),
        "arrived_at": dice.randint(1, 99),
        "queued_at": dice.choice([None, dice.randint(1, 99)]),
        "answered_at": dice.choice([None, dice.randint(1, 99)]),
        "recording": dice.choice(["off", "started"]),
        "peer": f"peer-{dice.randint(1, 4)}",
        "muted": dice.random() < 0.5,
        "on": dice.random() < 0.5,
        "state": dice.choice(["started", "stopped", "saved", "failed", "confirmed", "forwarded", "early"]),
        "status": dice.choice(["available", "wrap_up", "tagging", "unavailable"]),
        "reason": dice.choice([None, "lunch"]),
        "since": dice.randint(1, 99),
        "choice": dice.choice(["available", "auto", "unavailable"]),
        "until": dice.choice([None, dice.randint(1, 99)]),
        "tags": dice.choice([[], ["tag-1"]]),
        "direction": dice.choice(["inbound", "outbound", "internal"]),
        "started_by": dice.choice([None, *USERS]),
        "parent": dice.choice([None, "call-0"]),
        "transfer": dice.choice([None, {"by": "bo", "to": "user"}]),
        "to": dice.choice(["user", "team", "line", "number"]),
        "by": dice.choice([None, *USERS]),
        "away": dice.random() < 0.5,
        "held": dice.random() < 0.5,
        "at": dice.randint(1, 99),
        "held_at": dice.choice([None, dice.randint(1, 99)]),
        "progress": dice.choice([None, "ringing", "early"]),
    }
    is_call = kind.startswith("call.")
    return Event(
        kind,
        "staff",
        "system",
        call_id=f"call-{dice.randint(1, 3)}" if is_call else None,
        conversation_id="conversation",
        line_id="line",
        user_id=dice.choice(USERS),
        data=data,
    )


def as_frame(event: Event) -> dict[str, Any]:
    """What the browser gets of it."""
    return {
        "kind": event.kind, "call_id": event.call_id, "conversation_id": event.conversation_id,
        "line_id": event.line_id, "user_id": event.user_id, "data": dict(event.data),
    }  # fmt: skip


def test_the_browser_folds_the_log_as_python_does() -> None:
    dice = random.Random(20261122)
    cases, expected = [], []
    for _ in range(400):
        now = view.empty("ann")
        happened = [random_event(dice) for _ in range(dice.randint(1, 30))]
        cases.append({"view": now, "events": [as_frame(one) for one in happened]})
        steps = []
        for event in happened:
            now = view.apply(now, event)
            steps.append(now)
        expected.append(steps)
    folded = json.loads(node(str(HERE / "fold.mjs"), feed=json.dumps(cases)))
    assert sum(bool(steps[-1]["calls"]) for steps in expected) > 50, "most cases show nothing: a test of nothing"
    for case, ours, theirs in zip(cases, expected, folded, strict=True):
        for frame, one, other in zip(case["events"], ours, theirs, strict=True):
            assert one == other, frame


def test_the_timeline_tells_the_same_kinds_on_both_sides() -> None:
    source = (STATIC / "story.js").read_text("utf-8")
    block = re.search(r"export const TOLD = new Set\(\[(.*?)\]\)", source, re.DOTALL)
    assert block is not None
    assert set(re.findall(r"'([a-z_.]+)'", block[1])) == set(TOLD)


@pytest.mark.parametrize("language", text.languages())
def test_every_text_that_the_browser_asks_for_exists(language: str) -> None:
    known = text.browser_texts(language)
    asked = set()
    for path in STATIC.glob("*.js"):
        asked |= set(re.findall(r"\bt\(\s*'([a-z_.]+)'", path.read_text("utf-8")))
    assert len(asked) > 60
    assert asked - set(known) == set()
