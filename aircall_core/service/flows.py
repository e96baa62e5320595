"""Call flows of lines: read, saved as a new version, and what was before."""

from typing import Any

from pydantic import BaseModel, Field

from aircall_core.desk import flows
from aircall_core.desk.errors import not_found
from aircall_core.domain.flow import Problem, document_of
from aircall_core.domain.flow_check import problems
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import flows as rows
from aircall_core.store import provisioning
from aircall_core.store.queries import flows as queries
from aircall_core.ui.text import t


class FlowToSave(BaseModel):
    """A whole flow, and the version its author began with. ``secrets``: bearer tokens of lookup steps by step id."""

    document: dict[str, Any]
    version: int = Field(ge=0)
    secrets: dict[str, str] = Field(default_factory=dict, max_length=50)


def told(problem: Problem) -> dict[str, str]:
    """A problem as an answer tells it."""
    message = t(f"flow.problem_{problem.code}", **problem.params)
    return {"step": problem.step, "setting": problem.setting, "code": problem.code, "message": message}


def read_flow(ask: Ask) -> dict[str, Any]:
    """GET /desk/lines/{line}/flow?version=: the newest, or an old one. Version 0 is the flow of a line without one."""
    line_id = ask.id("line")
    asked = ask.request.query_params.get("version", "")
    with ask.desk.store.read() as conn:
        if provisioning.line(conn, line_id) is None:
            raise not_found("The line")
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
        if asked and (number is None or (number and rows.version(conn, line_id, number) is None)):
            raise not_found("This version")
        version, flow = queries.current(conn, line_id, version=number)
        wrong = problems(flow, queries.known_things(conn, line_id))
    return {"version": version, "document": document_of(flow.steps), "problems": [told(one) for one in wrong]}


def list_versions(ask: Ask) -> dict[str, Any]:
    """GET /desk/lines/{line}/flow/versions: the newest 50."""
    with ask.desk.store.read() as conn:
        if provisioning.line(conn, ask.id("line")) is None:
            raise not_found("The line")
        return {"versions": rows.versions(conn, ask.id("line"))}


def save_flow(ask: Ask) -> dict[str, int]:
    """PUT /desk/lines/{line}/flow: 422 names what is wrong with which step, 409 when somebody else was faster."""
    body: FlowToSave = ask.body
    try:
        with ask.desk.store.write() as tx:
            version = flows.save(
                tx, ask.actor, ask.id("line"), body.document, body.version, box=ask.desk.box, secrets=body.secrets
            )
    except flows.Unsound as unsound:
        wrong = [told(one) for one in unsound.problems]
        raise Refused(422, unsound.code, unsound.message, problems=wrong) from None
    return {"version": version}
