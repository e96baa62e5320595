"""The company's prompts as settings pages list them."""

from typing import Any

from sqlalchemy import Connection

from aircall_core.domain.flow import parse
from aircall_core.store import flows, prompts, provisioning


def prompts_list(conn: Connection) -> list[dict[str, Any]]:
    """Every prompt by name, with `author` and `lines`, the names of lines whose newest flow plays it."""
    names = {line["id"]: line["name"] for line in provisioning.all_lines(conn)}
    played: dict[str, list[str]] = {}
    for line_id, row in flows.all_newest(conn).items():
        values = [value for step in parse(row["document"]) for value in step.settings.values()]
        for prompt_id in {str(value["prompt"]) for value in values if isinstance(value, dict) and value.get("prompt")}:
            played.setdefault(prompt_id, []).append(names.get(line_id, ""))
    return [{**row, "lines": sorted(played.get(row["id"], []))} for row in prompts.all_prompts(conn)]
