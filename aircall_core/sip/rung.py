"""Who is rung for a call, as the worker knows it from the log and from the store's answers, and for how long yet."""

from collections.abc import Callable, Iterable

from aircall_core.sip.timers import Deadlines


class Rung:
    """The users of one call who are rung now. `over(user)` is called when a user's own ring time is."""

    def __init__(self, deadlines: Deadlines, over: Callable[[str], None]) -> None:
        self.users: set[str] = set()
        self._stopped: set[str] = set()  # the store's answer may be older than what the log has said meanwhile
        self._deadlines, self._over = deadlines, over

    def began(self, user: str, seconds: float | None) -> None:
        """The log: this user is rung, for so long (None: until the step ends)."""
        self.users.add(user)
        self._stopped.discard(user)
        if seconds:
            self._deadlines.set(f"user:{user}", seconds, lambda: self._over(user))

    def stopped(self, user: str) -> None:
        """The log: this user is rung no more."""
        self.users.discard(user)
        self._stopped.add(user)
        self._deadlines.cancel(f"user:{user}")

    def told(self, users: Iterable[str]) -> None:
        """The store's answer: these are rung."""
        self.users |= set(users) - self._stopped

    def again(self, user: str, seconds: float) -> None:
        """Asks once more later whether this user's time is over."""
        self._deadlines.set(f"user:{user}", seconds, lambda: self._over(user))

    def clear(self) -> None:
        """Nobody is rung any more."""
        self._deadlines.cancel(*(f"user:{user}" for user in self.users))
        self.users.clear()
