"""How long recordings are kept, over HTTP, and the job that ends them."""

import pytest
from sqlalchemy import select, update

from aircall_core.desk import facts, retention
from aircall_core.ids import now_ms
from aircall_core.service.due import Runner
from aircall_core.store import tables as t
from aircall_core.store.queries.retention import DAY_MS
from tests.service.conftest import World
from tests.support import desk_kit


@pytest.fixture
def boss(world: World) -> str:
    """An administrator."""
    return world.user("Boss", "administrator")


def test_days_are_set_and_checked(world: World, boss: str) -> None:
    found = world.ask("GET", "/desk/retention", boss).json()
    assert (found["recordings_days"], found["voicemail_days"]) == (0, 0)
    assert found["kept"]["call"] == {"count": 0, "bytes": 0, "oldest_at": None}
    assert world.ask("PATCH", "/desk/retention", boss, json={"voicemail_days": 90}).json() == {
        "recordings_days": 0,
        "voicemail_days": 90,
    }
    refused = world.ask("PATCH", "/desk/retention", boss, json={"recordings_days": 4000})
    assert (refused.status_code, set(refused.json()["error"]["fields"])) == (422, {"recordings_days"})


def test_the_job_deletes_and_the_player_is_told(world: World, boss: str) -> None:
    office = desk_kit.Desk.open(world.store, "Ada")
    call = office.arrive().call_id
    office.answer(call, office.users[0])
    office.end(call)
    data_dir = world.desk.settings.data_dir
    (data_dir / "recordings").mkdir(parents=True, exist_ok=True)
    (data_dir / "recordings/one.wav").write_bytes(bytes(1000))
    with world.store.write() as tx:
        facts.recording_saved(
            tx, call, actor="worker:test", path="recordings/one.wav", duration_ms=1, size_bytes=1000, at=now_ms()
        )
        tx.execute(update(t.recordings).values(created_at=tx.now_ms() - 31 * DAY_MS))
    assert world.ask("GET", f"/desk/recordings/{call}", boss).status_code == 200
    world.ask("PATCH", "/desk/retention", boss, json={"recordings_days": 30})
    runner = Runner(world.store, world.desk.settings, lambda: pytest.fail("the runner gave up"))
    runner.once(slow=True)
    assert not (data_dir / "recordings/one.wav").exists()
    refused = world.ask("GET", f"/desk/recordings/{call}", boss)
    assert (refused.status_code, refused.json()["error"]["code"]) == (410, "deleted")
    with world.store.read() as conn:
        again_at = conn.scalar(select(t.due.c.due_at).where(t.due.c.kind == retention.KEY))
    assert again_at is not None
    assert again_at > now_ms() + 3_000_000, "it comes again within the hour"
