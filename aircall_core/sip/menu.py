"""Steps that speak and listen: a message, a menu of single keys, a number that is typed."""

from aircall_core.domain.flow import NONE
from aircall_core.ids import now_ms
from aircall_core.sip import prompts
from aircall_core.sip.steps import StepRun

LONGEST = 32  # digits of a number without a fixed length


class Message(StepRun):
    """Says its message and goes on."""

    def begin(self) -> None:
        """Picks up and speaks."""
        self.call.pick_up()
        self.call.voice.quiet()
        self.call.voice.say([self.clip(self.step["prompt"])], self.run.next)

    def end(self) -> None:
        """Cuts it."""
        self.call.voice.hush()


class Asking(StepRun):
    """What menu and digits share: ask, listen for a time, ask again, in the end give up (branch none)."""

    wait = "wait_s"  # the setting: seconds for the next key once the question has been asked

    def begin(self) -> None:
        """Picks up and asks."""
        self.tries = 0
        self.call.pick_up()
        self.call.voice.quiet()
        self._ask()

    def end(self) -> None:
        """Cuts the question."""
        self.call.deadlines.cancel("key")
        self.call.voice.hush()

    def begin_anew(self) -> None:
        """Forgets what was entered in the last try."""

    def _ask(self, *before: str) -> None:
        self.begin_anew()
        self.call.deadlines.cancel("key")
        self.call.voice.say([*self.shipped(*before), self.clip(self.step["prompt"])], self._listen)

    def _listen(self) -> None:
        self.call.deadlines.set("key", float(self.step[self.wait]), self._failed)

    def _failed(self, *before: str) -> None:
        """This try has come to nothing: once more, or on."""
        self.tries += 1
        if self.tries < int(self.step["tries"]):
            self._ask(*before)
        else:
            self.run.into(NONE)


class Menu(Asking):
    """A prompt, then one key, which may come before the prompt is over."""

    def on_digit(self, digit: str) -> None:
        """A key that stands for a branch leads into it; another one is said to be none."""
        options = self.step["options"]
        if digit not in options and digit not in self.step.branches:
            self._failed(prompts.INVALID)
            return
        label = str(options.get(digit, ""))[:80]
        self.run.path.append({"step": self.step.id, "key": digit, "label": label})
        self.call.say("chose", step=self.step.id, key=digit, label=label, at=now_ms())
        self.run.into(digit)


class Digits(Asking):
    """A number: of a fixed length, or until the end key."""

    wait = "digit_s"

    def begin_anew(self) -> None:
        """Nothing typed yet."""
        self.typed = ""

    def on_digit(self, digit: str) -> None:
        """One more digit; the first cuts the prompt."""
        self.call.voice.hush()
        length = self.step["length"]
        if digit == self.step["end_key"]:
            complete = bool(self.typed) and (length is None or len(self.typed) == int(length))
            self._entered() if complete else self._failed(prompts.INVALID)
            return
        self.typed += digit
        if length is not None and len(self.typed) >= int(length):
            self._entered()
        elif len(self.typed) > LONGEST:
            self._failed(prompts.INVALID)
        else:
            self._listen()

    def _failed(self, *before: str) -> None:
        super()._failed(*(before or ((prompts.INVALID,) if self.typed else ())))

    def _entered(self) -> None:
        label, shown = str(self.step["label"])[:80], bool(self.step["shown"])
        self.run.digits.append({"step": self.step.id, "label": label, "value": self.typed})
        self.call.say("typed", step=self.step.id, label=label, value=self.typed if shown else None, at=now_ms())
        self.run.next()
