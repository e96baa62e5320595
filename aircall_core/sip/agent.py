"""The agent's side of a call: who has won it, whose audio is on it, and what happens when that audio stays away."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.ids import now_ms
from aircall_core.sip.pcm import PcmLink
from aircall_core.sip.tools import Accept, Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

TOGETHER = frozenset({Stage.TALKING, Stage.DIALLING})  # the agent is with the call, or with what it sounds like


class AgentSide:
    """What the users of one call wish, and the PCM link of the one who has it."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.link: PcmLink | None = None
        self.muted = False
        self._accept: Accept | None = None
        self._peer = ""  # the browser peer that is to carry the audio
        self._away_since: float | None = None

    @property
    def away(self) -> bool:
        """Nothing comes from the agent."""
        return self._away_since is not None

    @property
    def user(self) -> str:
        """Who has the call, or has won it."""
        return self._accept.user if self._accept else ""

    # ---- users' wishes

    def expect(self, accept: Accept) -> None:
        """The user who had the call made: nobody has to be asked."""
        self._accept, self._peer = accept, accept.peer

    def on_accepting(self, user: str, data: Mapping[str, Any]) -> None:
        """The store has chosen a winner."""
        call, accept = self.call, Accept(user, str(data["peer"]), str(data["command"]))
        if call.stage not in (Stage.ARRIVED, Stage.RINGING):
            if accept != self._accept:
                self._fail(accept, "expired" if call.stage in (Stage.PARTING, Stage.FLOW) else "caller_gone")
        elif now_ms() > int(data["deadline"]):
            self._fail(accept, "expired")
        else:
            call.stage = Stage.ACCEPTING
            self._accept, self._peer = accept, accept.peer
            call.deadlines.set("accept", call.tools.rules.accept, lambda: self._fail(accept, "no_audio"))
            self.on_audio()

    def on_audio_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """Another peer of the same user carries the audio from now on."""
        if self._accept is not None and user == self._accept.user:
            self._peer = str(data["peer"])
            self.on_audio()

    def on_mute_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The caller shall hear the agent no more, or again."""
        if self.call.stage is not Stage.TALKING:
            self.call.refuse_command(user, data, "not_talking")
            return
        self.muted = bool(data["muted"])
        self.call.connect()
        self.call.say("muted", user_id=user, command=data["command"], muted=self.muted)

    # ---- the audio

    def on_audio(self) -> None:
        """Looks at the link of the chosen peer: takes it when it delivers, misses it when it does not."""
        call = self.call
        link = call.tools.links.links.get(self._peer)
        if link is not None and not (self._accept and (link.call, link.user) == (call.id, self._accept.user)):
            link = None  # a peer is named by a browser: it counts only as its own user's
        if link is not None and not link.fresh(call.tools.rules.away):
            link = None
        if call.stage is Stage.ACCEPTING and link is not None:
            self._take(link)
        elif call.stage is Stage.DIALLING and self.link is None:
            if link is not None:
                self._attach(link)
                call.deadlines.set("agent", 0.1, self._tick)
                call.on_agent_here()
        elif call.stage in TOGETHER:
            if link is not None and link is not self.link:
                self._attach(link)
            self._watch()

    def _take(self, link: PcmLink) -> None:
        """The winner's audio is here: answer the caller, unless the flow has done so already."""
        call, accept = self.call, self._accept
        assert accept is not None
        dialog = call.dialog()
        if dialog is None and not call.has_leg:
            return  # gone: `on_gone` is on its way
        if not call.answered and not call.tools.endpoint.answer(call.token, 200):
            self._fail(accept, "caller_gone")
            return
        call.deadlines.cancel("accept")
        call.stage = Stage.TALKING
        if call.flow.ringing is not None:
            call.flow.ringing.pause()
        self.muted = False
        self._attach(link)
        call.say("answered", user_id=accept.user, command=accept.command, at=now_ms(), dialog=dialog)
        call.on_answered()
        call.deadlines.set("agent", 0.1, self._tick)
        call.recording.open_talk()

    def _attach(self, link: PcmLink) -> None:
        self.link = link
        self.call.bridge.attach(link)
        self.call.tools.links.close_call(self.call.id, "another peer has the call", keep=link.peer)
        self.call.connect()

    def _tick(self) -> None:
        if self.call.stage in TOGETHER:
            self.call.deadlines.set("agent", 0.1, self._tick)
            self.on_audio()

    def _watch(self) -> None:
        call, now = self.call, self.call.tools.timers.clock()
        away = self.link is None or not self.link.fresh(call.tools.rules.away)
        if away and self._away_since is None:
            self._away_since = now
            call.connect()
            if call.stage is Stage.TALKING:
                call.say("agent_away", reason="link" if self.link is None or self.link.closed else "silence")
        elif not away and self._away_since is not None:
            self._away_since = None
            call.connect()
            if call.stage is Stage.TALKING:
                call.say("agent_back")
        elif away and self._away_since is not None and now - self._away_since >= call.tools.rules.returned:
            self._give_back()

    def _give_back(self) -> None:
        """The audio stays away: whoever else is in the call has it, or others are rung while the caller hears music."""
        call = self.call
        if call.internal or call.stage is Stage.DIALLING:
            call.end("system", "agent_lost" if call.internal else "no_audio")
            return
        if call.transfers.lost():
            return
        call.family.end_children("agent_lost")
        call.stage = Stage.RINGING
        self.drop()
        call.hold.clear()
        call.rung.clear()
        call.wait_in_music()
        call.connect()
        call.say("returned", at=now_ms())

    def take_over(self, other: "AgentSide") -> None:
        """The agent of another call, with their audio, has this one from now on."""
        other.call.bridge.detach()
        call, link = self.call, other.link
        self._accept, self._peer, self.muted = other._accept, other._peer, other.muted
        self._away_since, other.link = other._away_since, None
        for one in call.tools.links.links.values():
            if one.call == other.call.id and one.user == self.user:
                one.call = call.id
        if link is not None:
            self._attach(link)
        else:
            self.link = None
            call.bridge.detach()

    # ---- the end

    def drop(self) -> None:
        """No agent has the call."""
        self._accept = self.link = self._away_since = None
        self._peer, self.muted = "", False
        self.call.deadlines.cancel("accept", "agent")
        self.call.bridge.detach()

    def caller_gone(self) -> None:
        """The call ended while its winner's audio was awaited."""
        if self._accept is not None:
            accept = self._accept
            self.call.say("accept_failed", user_id=accept.user, command=accept.command, reason="caller_gone")

    def _fail(self, accept: Accept, reason: str) -> None:
        """The accept came to nothing; ringing goes on."""
        call = self.call
        call.say("accept_failed", user_id=accept.user, command=accept.command, reason=reason)
        if call.stage is Stage.ACCEPTING and accept == self._accept:
            self.drop()
            call.stage = Stage.RINGING
            if call.flow.ringing is not None:
                call.flow.ringing.on_accept_failed()
