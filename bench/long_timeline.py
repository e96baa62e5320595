"""A conversation of 50,000 entries in Chromium: from the data's arrival to its paint; then a ride to its beginning and
back: frames in which the view is empty, entries in the page, what the page keeps in memory.

The desk is the scripted one of the browser tests, which reads its pages from a real store.
"""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aircall_core.store import open_store
from aircall_core.store.queries import timeline
from bench.report import Row, spread
from bench.timeline import seed
from tests.support.chromium import chromium
from tests.support.fake_desk import FakeDesk

# When the newest entry has been painted, after the answer that brought it had come in.
_PAINTED = """() => new Promise((done) => {
  const look = () => {
    const roots = [...document.querySelectorAll('*')].map((one) => one.shadowRoot);
    const pane = roots.map((one) => one?.querySelector('.scroll')).find(Boolean);
    const data = performance.getEntriesByType('resource').find((one) => one.name.includes('/timeline?'));
    if (!data?.responseEnd || !pane?.querySelector('li[data-seq]')) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - data.responseEnd)));
  };
  look();
})"""
_RIDE = """async ([step, frames]) => {
  const roots = [...document.querySelectorAll('*')].map((one) => one.shadowRoot);
  const pane = roots.map((one) => one?.querySelector('.scroll')).find(Boolean);
  const seen = {blank: 0, most: 0, frames: 0, gaps: [], oldest: Infinity, end: false};
  let last = performance.now();
  for (let i = 0; i < frames && !seen.end; i += 1) {
    pane.scrollTop += step;
    await new Promise((done) => requestAnimationFrame(done));
    const now = performance.now();
    seen.gaps.push(now - last);
    last = now;
    const box = pane.getBoundingClientRect();
    const all = pane.querySelectorAll('li[data-seq]');
    seen.most = Math.max(seen.most, all.length);
    const inside = [...all].some((one) => {
      const b = one.getBoundingClientRect();
      return b.bottom > box.top && b.top < box.bottom;
    });
    if (!inside) seen.blank += 1;
    seen.frames += 1;
    seen.oldest = Math.min(seen.oldest, Number(all[0]?.dataset.seq ?? Infinity));
    seen.end = step < 0 && pane.scrollTop <= 0 && pane.querySelector('.top').textContent.includes('begins here');
  }
  return seen;
}"""


class _Desk(FakeDesk):
    """Pages of a timeline come from a store."""

    def __init__(self, store: Any, conversation: str) -> None:
        super().__init__()
        self._store, self._conversation = store, conversation

    async def _timeline(self, request: Request) -> Response:
        asked: dict[str, Any] = {
            name: int(request.query_params[name]) for name in ("before", "after") if name in request.query_params
        }
        with self._store.read() as conn:
            limit = int(request.query_params.get("limit", 50))
            page = timeline.timeline(conn, self._conversation, limit=limit, **asked)
        return JSONResponse({**page, "together": [], "new": {}, "around": None})


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Four rows: paint, frames of the ride, entries in the page, memory."""
    entries = 50_000 if full else 10_000
    conversation, _ = seed(folder / "store.db", 2 * entries, entries)
    painted, memory = [], {}
    with (
        open_store(f"sqlite:///{folder / 'store.db'}") as store,
        _Desk(store, conversation) as desk,
        chromium() as browser,
    ):
        for _ in range(5):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(desk.url("timeline", conversation="conversation-1", writes=True))
            painted.append(page.evaluate(_PAINTED))
            if len(painted) < 5:
                context.close()
        session = context.new_cdp_session(page)

        def kept() -> float:
            session.send("HeapProfiler.collectGarbage")
            metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            return round(float(metrics["JSHeapUsedSize"]) / 1e6, 1)

        session.send("Performance.enable")
        memory["start"] = kept()
        up = page.evaluate(_RIDE, [-1500, 40_000 if full else 8_000])
        memory["at the beginning"] = kept()
        down = page.evaluate(_RIDE, [1500, len(up["gaps"])])
        memory["back"] = kept()
    assert up["end"], f"the ride ended at entry {up['oldest']}"
    what = f"conversation of {entries:,} entries in Chromium: "
    gaps = up["gaps"] + down["gaps"]
    return [
        Row(what + "data to first paint", "ms", spread(painted, 0), {"p95": 500.0}),
        Row(what + "time between frames while it scrolls by 1,500 pixels each", "ms", spread(gaps, 1)),
        Row(what + "frames without an entry; entries in the page", "count",
            {"blank": up["blank"] + down["blank"], "most": max(up["most"], down["most"])}, {"blank": 0, "most": 330}),
        Row(what + "memory of scripts after collection", "MB", memory),
    ]  # fmt: skip
