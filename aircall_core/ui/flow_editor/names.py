"""What a flow's steps may name, with their names: read once for each run of the page."""

from dataclasses import dataclass

from aircall_core.domain.flow_check import Known
from aircall_core.store.queries import flows, lines, people
from aircall_core.store.schedules import all_schedules
from aircall_core.ui import data
from aircall_core.ui.flow_editor.words import Names


@dataclass(frozen=True)
class Things:
    """``paths``: where the company's prompts lie, relative to the data folder."""

    known: Known
    names: Names
    paths: dict[str, str]


def read(line_id: str) -> Things:
    """For the flow of a line."""
    prompts = data.read(flows.prompts_list)
    names = Names(
        lines={line["id"]: line["name"] for line in data.read(lines.lines_list)},
        teams={team["id"]: team["name"] for team in data.read(people.teams_list)},
        users={user["id"]: user["name"] for user in data.read(people.users_list)},
        schedules={row["id"]: row["name"] for row in data.read(all_schedules)},
        prompts={row["id"]: row["name"] for row in prompts},
    )
    known = data.read(flows.known_things, line_id)
    return Things(known, names, {row["id"]: row["path"] for row in prompts})
