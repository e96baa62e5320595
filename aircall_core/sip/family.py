"""A call and its children: the calls that its agent had made beside it, and the wiring of all of them."""

import weakref
from typing import TYPE_CHECKING, Any

from aircall_core.sip.bridge import Wiring
from aircall_core.sip.hearing import Node, connections
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call
    from aircall_core.sip.children import Child


class Family:
    """One top call and its children. Children hold it; it holds them only while they live."""

    def __init__(self, top: "Call") -> None:
        self.top: Call = weakref.proxy(top)
        self.children: dict[str, Child] = {}
        itself: Family = weakref.proxy(self)
        self.wiring = Wiring(lambda node: itself.port_of(node))

    def port_of(self, node: Node) -> Any:
        """The bridge's port of a node, None where it has none now."""
        call_id, name = node
        if not call_id:
            media = self.top.tools.media
            return media.music if name == "music" else media.silence
        call = self.top if call_id == self.top.id else self.children.get(call_id)
        return call.port(name) if call is not None else None

    def connect(self) -> None:
        """Has the bridge connect who should hear whom now."""
        self.wiring.apply(connections(self.top.member(), [child.member() for child in self.children.values()]))

    def answered(self) -> "list[Child]":
        """Children who talk: colleagues first, as they are the ones to whom a call is passed on."""
        talking = [child for child in self.children.values() if child.stage is Stage.TALKING]
        return sorted(talking, key=lambda child: child.token)  # a colleague has no leg: 0

    def asked(self) -> "Child | None":
        """The child that has not been answered yet: there is at most one."""
        return next((child for child in self.children.values() if child.stage is not Stage.TALKING), None)

    def on_answered(self, child: "Child") -> None:
        """Whoever was asked is there. The far end hears nothing of it by surprise: see `join`."""
        if not child.join and not self.top.hold.on:
            child.hold.set(child.started_by, on=True)
        self.connect()

    def on_over(self, child: "Child") -> None:
        """A child has ended: its agent is back with the call that was held for it."""
        if self.children.pop(child.id, None) is None or self.top.stage is not Stage.TALKING:
            return
        if self.top.hold.on and all(other.hold.on for other in self.children.values()):
            self.top.hold.set(child.started_by, on=False)
        else:
            self.connect()

    def end_children(self, reason: str) -> None:
        """All of them end, and nobody comes back for it."""
        while self.children:
            child = next(iter(self.children.values()))
            self.let_go(child)
            child.end("system", reason)

    def let_go(self, child: "Child") -> None:
        """This child is of the family no more: nothing of it is heard."""
        self.wiring.cut_call(child.id)  # while its ports can be found
        self.children.pop(child.id, None)
