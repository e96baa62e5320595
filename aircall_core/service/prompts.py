"""The company's prompts: brought as files, recorded in the browser, or typed as texts to speak."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from aircall_core import ids, sounds, voices
from aircall_core.desk import prompts
from aircall_core.desk.errors import Invalid, not_found
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import prompts as rows

LARGEST_UPLOAD: Final = sounds.LARGEST + 64 * 1024  # bytes: the file, and the form around it


class SpokenPrompt(BaseModel):
    """A text that a voice speaks."""

    name: str = Field(max_length=200)
    text: str = Field(max_length=2 * voices.MAX_TEXT)  # beyond voices.MAX_TEXT the answer names its length
    voice: str = Field(max_length=40)


class PromptName(BaseModel):
    """Another name."""

    name: str = Field(max_length=200)


def list_prompts(ask: Ask) -> dict[str, Any]:
    """GET /desk/prompts"""
    with ask.desk.store.read() as conn:
        return {"prompts": rows.all_prompts(conn)}


def speak(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/prompts {name, text, voice}: 201 with the new prompt's id."""
    given: SpokenPrompt = ask.body
    text = " ".join(given.text.split())
    if given.voice not in voices.VOICES:
        raise Invalid({"voice": "Choose one of the voices. For other languages record or upload the prompt."})
    return _made(
        ask, given.name, "spoken", "text", lambda target: sounds.from_text(text, given.voice, target), text=text
    )


async def upload(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/prompts/upload, a form: name, kind (uploaded or recorded), file. 201 with the new prompt's id."""
    name, kind, data = await _form(ask)
    return await run_in_threadpool(_made, ask, name, kind, "file", lambda target: sounds.from_file(data, target))


async def _form(ask: Ask) -> tuple[str, str, bytes]:
    try:
        async with ask.request.form(max_files=1, max_fields=2, max_part_size=1024) as form:
            file, name, kind = form.get("file"), form.get("name", ""), form.get("kind", "uploaded")
            if not isinstance(file, UploadFile) or not file.size:
                raise Invalid({"file": "Choose a file, or record something."})
            if not isinstance(name, str) or kind not in prompts.KINDS[:2]:
                raise Refused(400, "bad_request", "The form is not one of ours.")
            return name, str(kind), await file.read()
    except HTTPException as wrong:
        raise Refused(400, "bad_request", "The form is not one of ours.") from wrong


def _made(
    ask: Ask, name: str, kind: str, field: str, make: Callable[[Path], int], *, text: str = ""
) -> tuple[int, dict[str, str]]:
    """Make the file, then the row: a prompt that is listed can be played."""
    prompt_id = ids.new_id()
    target = ask.desk.settings.data_dir / prompts.path_of(prompt_id)
    with ask.desk.store.read() as conn:  # before the work is done; it is checked again with the row
        prompts.free_name(conn, name)
    try:
        length = make(target)
    except sounds.SoundError as refused:
        raise Invalid({field: str(refused)}) from refused
    try:
        with ask.desk.store.write() as tx:
            prompts.add(tx, ask.actor, prompt_id=prompt_id, name=name, kind=kind, duration_ms=length, text=text)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return 201, {"id": prompt_id}


def rename(ask: Ask) -> dict[str, str]:
    """PATCH /desk/prompts/{prompt}"""
    with ask.desk.store.write() as tx:
        prompts.rename(tx, ask.actor, ask.id("prompt"), ask.body.name)
    return {"id": ask.id("prompt")}


def remove(ask: Ask) -> None:
    """DELETE /desk/prompts/{prompt}: refused while a line's flow plays it."""
    with ask.desk.store.write() as tx:
        prompts.remove(tx, ask.actor, ask.id("prompt"))


def audio(ask: Ask) -> FileResponse:
    """GET /desk/prompts/{prompt}/audio"""
    with ask.desk.store.read() as conn:
        found = rows.prompt(conn, ask.id("prompt"))
    if found is None:
        raise not_found("The prompt")
    path = ask.desk.settings.data_dir / prompts.path_of(found["id"])
    if not path.is_file():
        raise Refused(410, "gone", "The prompt's file is not there any more. Remove the prompt and make it anew.")
    headers = {"cache-control": "private, max-age=3600"}
    return FileResponse(path, media_type="audio/wav", headers=headers, content_disposition_type="inline")
