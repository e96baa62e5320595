"""Which lines' flows refer to a thing, so that nothing is removed that callers are still sent to."""

from collections.abc import Iterator, Mapping

from aircall_core.domain.flow import Step, parse
from aircall_core.store import Tx, flows, provisioning

SCHEDULE, TEAM, USER, LINE, PROMPT = "schedule", "team", "user", "line", "prompt"


def lines_using(tx: Tx, what: str, thing_id: str) -> list[str]:
    """Names of the lines whose newest flow refers to a schedule, team, user, line or prompt."""
    found = {
        line
        for line, row in flows.all_newest(tx.conn).items()
        if (what, thing_id) in {one for step in parse(row["document"]) for one in references(step)}
    }
    return [line["name"] for line in provisioning.all_lines(tx.conn) if line["id"] in found]


def references(step: Step) -> Iterator[tuple[str, str]]:
    """The things that a step's settings name: (schedule, id) and so on."""
    for name, value in step.settings.items():
        if name in (SCHEDULE, LINE) and isinstance(value, str):
            yield name, value
        elif isinstance(value, Mapping):
            yield from (
                (key, one) for key, one in value.items() if key in (TEAM, USER, PROMPT) and isinstance(one, str)
            )
