"""The forms of prompts: recorded, uploaded or typed."""

from pathlib import Path
from typing import Any

import streamlit as st

from aircall_core import voices
from aircall_core.ui import client
from aircall_core.ui.forms import Form, form
from aircall_core.ui.text import t

HOW = {
    "recorded": ":material/mic:", "uploaded": ":material/upload_file:", "spoken": ":material/record_voice_over:",
}  # fmt: skip
LARGEST_MB = 20  # sounds.LARGEST, of which the desk is the judge
PATIENCE_S = 90.0  # the longest text takes half a minute to speak on a busy machine
SHIPPED = Path(__file__).parents[3] / "data" / "prompts"
SHIPPED_NAMES = (
    "voicemail", "nobody-available", "recording-notice", "goodbye", "invalid-choice", "blocked", "queue-next",
    "callback-offer", "callback-confirmed", "hold-music",
)  # fmt: skip


def new_prompt() -> bool:
    """Asks for all of a new prompt; whether it was made."""
    how = st.segmented_control(
        t("prompts.how"),
        list(HOW),
        default="recorded",
        required=True,
        format_func=lambda one: f"{HOW[one]} {t(f'prompts.how_{one}')}",
        key="prompt-how",
        width="stretch",
    )
    with form("prompt-new") as fields:  # one form: what was typed stays when another way is chosen
        name = fields.field(
            "name", st.text_input(t("prompts.name"), placeholder=t("prompts.name_example"), max_chars=80)
        )
        if how == "spoken":
            return _spoken(fields, name)
        if how == "uploaded":
            file = st.file_uploader(
                t("prompts.file"), ["wav", "mp3"], max_upload_size=LARGEST_MB, help=t("prompts.file_help")
            )
        else:
            file = st.audio_input(t("prompts.record"), help=t("prompts.record_help"))
        fields.field("file", file)
        if not st.form_submit_button(t("prompts.make"), type="primary"):
            return False
        given = {"name": name, "kind": str(how)}
        sound = file.getvalue() if file is not None else b""
        with st.spinner(t("prompts.making")):
            return fields.send(
                lambda: client.upload("/desk/prompts/upload", given, sound, patience_s=PATIENCE_S)
            )  # fmt: skip


def _spoken(fields: Form, name: str) -> bool:
    voice = fields.field(
        "voice",
        st.selectbox(t("prompts.voice"), list(voices.VOICES), format_func=lambda one: t(f"prompts.voice_{one}")),
    )
    text = fields.field(
        "text",
        st.text_area(t("prompts.text"), placeholder=t("prompts.text_example"), max_chars=voices.MAX_TEXT, height=120),
    )
    st.caption(t("prompts.text_help"))
    if not st.form_submit_button(t("prompts.make"), type="primary"):
        return False
    body = {"name": name, "text": text, "voice": voice}
    with st.spinner(t("prompts.making")):
        return fields.send(lambda: client.send("POST", "/desk/prompts", body, patience_s=PATIENCE_S))


def rename_form(prompt: dict[str, Any]) -> bool:
    """Another name; whether it was saved."""
    with form(f"prompt-{prompt['id']}") as fields:
        name = fields.field("name", st.text_input(t("prompts.name"), prompt["name"], max_chars=80))
        if not st.form_submit_button(t("page.save"), type="primary"):
            return False
        return fields.send(lambda: client.send("PATCH", f"/desk/prompts/{prompt['id']}", {"name": name}))


def shipped() -> None:
    """Listen to what comes with the console."""
    left, right = st.columns([1, 2])
    with left:
        language = st.selectbox(
            t("prompts.shipped_language"), ["en", "es", "fr"], format_func=lambda one: t(f"prompts.language_{one}")
        )
    with right:
        name = st.selectbox(
            t("prompts.shipped_prompt"), SHIPPED_NAMES, format_func=lambda one: t(f"prompts.shipped_{one}")
        )
    folder = SHIPPED if name == "hold-music" else SHIPPED / language
    st.audio(str(folder / f"{name}.wav"))
