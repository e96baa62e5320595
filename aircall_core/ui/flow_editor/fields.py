"""The inputs of a step's form: each is bound to one setting, and shows under itself what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.domain.flow import LIMITS, Problem, Step
from aircall_core.ui.flow_editor import draft as drafts
from aircall_core.ui.flow_editor import tree, words
from aircall_core.ui.flow_editor.draft import Draft
from aircall_core.ui.flow_editor.words import Names
from aircall_core.ui.text import t

PROMPTS = Path(__file__).resolve().parents[3] / "data" / "prompts"
SPOKEN = ("voicemail", "nobody-available", "goodbye", "recording-notice")  # shipped, in the order of their use
MUSIC = "hold-music"


@dataclass(frozen=True)
class Fields:
    """One step's form: ``language`` is the line's, ``paths`` say where the company's prompts lie in the data folder."""

    draft: Draft
    step: Step
    problems: Sequence[Problem]
    names: Names
    language: str
    paths: Mapping[str, str]

    @property
    def now(self) -> Step:
        """The step as it is when a callback runs: another of the same run may have changed it."""
        return tree.get(self.draft.steps, self.step.id) or self.step

    def key(self, setting: str) -> str:
        """The widget of a setting."""
        return f"flow-{self.draft.line_id}-{self.draft.generation}-{self.step.id}-{setting}"

    def wrong(self, *settings: str) -> None:
        """What is wrong with a setting, at its place."""
        for problem in self.problems:
            if problem.step == self.step.id and problem.setting in settings:
                st.markdown(f":red[:material/error: {drafts.text_of(problem)}]")

    def changed(self, setting: str, read: Callable[[Any], Any] = lambda value: value) -> Callable[[], None]:
        """A callback that puts the widget's value into the draft."""
        key, step = self.key(setting), self.step.id

        def put() -> None:
            self.draft.put(step, **{setting: read(st.session_state[key])})

        return put

    # ---- plain values

    def text(self, setting: str, *, example: str = "", help_: str | None = None, longest: int = 40) -> None:
        """A line of text."""
        st.text_input(
            t(f"flow.{setting}"), str(self.step[setting] or ""), key=self.key(setting), placeholder=example,
            help=help_, max_chars=longest, on_change=self.changed(setting, str.strip),
        )  # fmt: skip
        self.wrong(setting)

    def number(self, setting: str, *, help_: str | None = None, optional: bool = False) -> None:
        """A whole number within the limits of its setting."""
        low, high = LIMITS[self.step.kind, setting]
        value = self.step[setting]
        st.number_input(
            t(f"flow.{setting}"), low, high, value if optional else int(value or low), key=self.key(setting),
            help=help_, on_change=self.changed(setting),
        )  # fmt: skip
        self.wrong(setting)

    def toggle(self, setting: str, *, help_: str | None = None) -> None:
        """On or off."""
        st.toggle(
            t(f"flow.{setting}"), bool(self.step[setting]), key=self.key(setting), help=help_,
            on_change=self.changed(setting),
        )  # fmt: skip

    def choice(
        self, setting: str, options: Mapping[Any, str], *, label: str = "", value: Any = None,
        read: Callable[[Any], Any] = lambda value: value,
    ) -> None:  # fmt: skip
        """One of many, which can be searched."""
        known = list(options)
        now = self.step[setting] if value is None else value
        st.selectbox(
            label or t(f"flow.{setting}"), known, index=known.index(now) if now in known else None,
            format_func=lambda one: options.get(one, str(one)), key=self.key(setting),
            placeholder=t("flow.unset"), on_change=self.changed(setting, read),
        )  # fmt: skip

    # ---- things of the company

    def prompt(self, setting: str = "prompt", *, music: bool = False) -> None:
        """A prompt, and a player to listen to it."""
        options: dict[Any, str] = {
            f"prompt:{one}": f"{name} ({t('flow.prompt_company')})" for one, name in self.names.prompts.items()
        }
        included = (MUSIC,) if music else SPOKEN
        options |= {f"shipped:{one}": f"{words.shipped(one)} ({t('flow.prompt_shipped')})" for one in included}
        now = self.step[setting]
        chosen = ":".join(next(iter(now.items()))) if isinstance(now, Mapping) and now else ""
        if music and not chosen:
            chosen = f"shipped:{MUSIC}"

        def read(value: str | None) -> dict[str, str] | None:
            if value is None or (music and value == f"shipped:{MUSIC}"):
                return None
            kind, _, name = value.partition(":")
            return {kind: name}

        self.choice(setting, options, value=chosen, read=read)
        self.wrong(setting)
        sound = self._sound(chosen)
        if sound is not None:
            st.audio(str(sound))

    def _sound(self, chosen: str) -> Path | None:
        kind, _, name = chosen.partition(":")
        found: Path | None = None
        if kind == "shipped":
            found = PROMPTS / f"{name}.wav" if name == MUSIC else PROMPTS / self.language / f"{name}.wav"
        elif kind == "prompt" and name in self.paths:
            found = get_settings().data_dir / self.paths[name]
        return found if found is not None and found.is_file() else None

    def target(self) -> None:
        """Whom to ring: the line's users, a team, or one user."""
        now = self.step["target"] if isinstance(self.step["target"], Mapping) else {}
        kind = next((one for one in ("team", "user") if one in now), "line")
        key = self.key("target-kind")

        def pick_kind() -> None:
            wanted = st.session_state[key] or "line"
            self.draft.put(self.step.id, target={"line": True} if wanted == "line" else {wanted: ""})

        st.segmented_control(
            t("flow.target"), ("line", "team", "user"), default=kind, required=True, key=key, on_change=pick_kind,
            format_func=lambda one: t(f"flow.target_{one}"), width="stretch",
        )  # fmt: skip
        if kind != "line":
            known = self.names.teams if kind == "team" else self.names.users
            options: dict[Any, str] = dict(known)
            known_ids = list(options)
            one = self.key(f"target-{kind}")
            st.selectbox(
                t(f"flow.{kind}"), known_ids, index=known_ids.index(now[kind]) if now[kind] in options else None,
                format_func=lambda item: options[item], key=one, placeholder=t("flow.unset"),
                on_change=lambda: self.draft.put(self.step.id, target={kind: st.session_state[one] or ""}),
            )  # fmt: skip
        self.wrong("target")
