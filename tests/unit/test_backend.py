"""The backend: one per data folder, its children restarted, adopted, drained; found, started and stopped by others."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aircall_core import backend as module
from aircall_core.backend import BackendError, BackendState, Process, ensure_backend, find_backend, read_state
from aircall_core.config import Settings, load_settings
from aircall_core.supervisor import Child, check_ports, next_delay, planned, rotate
from tests.support import processes
from tests.support.ports import free_ports
from tests.support.processes import eventually


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    desk, sip = free_ports(2)
    for name, value in {"DATA_DIR": tmp_path, "DESK_PORT": desk, "SIP_PORT": sip, "DRAIN_S": 1}.items():
        monkeypatch.setenv(f"AIRCALL_{name}", str(value))
    settings = load_settings()
    yield settings
    state = read_state(settings)
    for process in [state.process, *state.children.values()] if state else []:
        if process.alive():
            os.kill(process.pid, signal.SIGKILL)


def start(settings: Settings, name: str = "backend") -> processes.Process:
    return processes.Process(name, [sys.executable, "-m", "tests.support.stub_backend"], settings.data_dir / "out")


def running(settings: Settings) -> BackendState:
    def ready() -> BackendState | None:
        state = find_backend(settings)
        whole = state and state.ready and len(state.children) == 3
        listening = all((settings.data_dir / f"{name}.up").exists() for name in ("desk-0", "gateway-0", "worker-0"))
        return state if whole and listening else None

    state = eventually(ready, 20, "a backend with three children")
    assert state
    return state


def replaced(settings: Settings, name: str, old: Process) -> Process:
    def other() -> Process | None:
        state = read_state(settings)
        process = state.children.get(name) if state else None
        return process if process and process != old and process.alive() else None

    process = eventually(other, 20, f"another {name}")
    assert process
    return process


def gone(*pids: Process) -> bool:
    return not any(process.alive() for process in pids)


def test_it_starts_desk_gateway_and_worker_and_describes_them(settings: Settings) -> None:
    with start(settings) as backend:
        state = running(settings)
        assert state.process.pid == backend.pid
        assert set(state.children) == {"desk-0", "gateway-0", "worker-0"}
        assert state.ports == {"desk": settings.desk_port, "sip": settings.sip_port}
        assert all(process.alive() for process in state.children.values())


def test_a_child_that_dies_is_replaced_and_the_others_are_left_alone(settings: Settings) -> None:
    with start(settings):
        before = running(settings).children
        os.kill(before["worker-0"].pid, signal.SIGKILL)
        replaced(settings, "worker-0", before["worker-0"])
        after = running(settings).children
        assert {name for name in before if before[name] != after[name]} == {"worker-0"}


def test_a_child_that_keeps_dying_is_tried_again_and_comes_back(settings: Settings) -> None:
    with start(settings) as backend:
        before = running(settings).children["gateway-0"]
        broken = settings.data_dir / "gateway-0.broken"
        broken.touch()
        os.kill(before.pid, signal.SIGKILL)
        eventually(lambda: backend.errors.count("child_exited") >= 3, 20, "three deaths")
        broken.unlink()
        replaced(settings, "gateway-0", before)


def test_waits_between_restarts_grow_from_none_to_ten_seconds_and_shrink_after_health() -> None:
    waits = [0.0]
    for _ in range(7):
        waits.append(next_delay(waits[-1], ran_s=0.1))
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert next_delay(10.0, ran_s=30.0) == 0.0


def test_it_stops_the_worker_first_and_the_desk_last(settings: Settings) -> None:
    with start(settings) as backend:
        state = running(settings)
        backend.kill(signal.SIGTERM)
        assert backend.wait() == 0
        assert (settings.data_dir / "ends").read_text().split() == ["worker-0", "gateway-0", "desk-0"]
        assert gone(*state.children.values())
        assert find_backend(settings) is None


def test_a_child_that_does_not_stop_is_killed_when_asked_twice(settings: Settings) -> None:
    (settings.data_dir / "worker-0.deaf").touch()
    with start(settings) as backend:
        state = running(settings)
        backend.kill(signal.SIGINT)
        eventually(lambda: "backend_stopping" in backend.errors, 5)
        backend.kill(signal.SIGINT)
        assert backend.wait() == 0
        assert gone(*state.children.values())


def test_killed_it_leaves_its_children_running_and_the_next_one_adopts_them(settings: Settings) -> None:
    with start(settings) as first:
        before = running(settings)
        first.kill(signal.SIGKILL)
        first.wait()
        assert all(process.alive() for process in before.children.values())
        assert find_backend(settings) is None
        with start(settings, "second") as second:
            after = running(settings)
            assert after.process.pid == second.pid
            assert after.children == before.children
            os.kill(after.children["worker-0"].pid, signal.SIGKILL)  # it watches what it did not start
            replaced(settings, "worker-0", after.children["worker-0"])
            everybody = read_state(settings)
            second.kill(signal.SIGTERM)
            assert second.wait() == 0
            assert everybody is not None
            assert gone(*everybody.children.values())


def test_what_a_killed_backend_has_left_is_known_and_can_be_stopped(settings: Settings) -> None:
    with start(settings) as first:
        before = running(settings)
        assert module.left_running(settings) == {}, "its own children are nobody's leftovers"
        first.kill(signal.SIGKILL)
        first.wait()
        assert module.left_running(settings) == before.children
        assert module.stop_backend(settings)
        assert (settings.data_dir / "ends").read_text().split() == ["worker-0", "gateway-0", "desk-0"]
        assert module.left_running(settings) == {}
        assert not module.stop_backend(settings)


def test_a_full_disk_starts_nothing_twice(settings: Settings) -> None:
    with start(settings) as backend:
        before = running(settings)
        full = (settings.data_dir / module.STATE_FILE).with_suffix(".part")
        full.mkdir()  # cannot be written: as good as a disk without room
        os.kill(before.children["worker-0"].pid, signal.SIGKILL)
        eventually(lambda: "backend_not_described" in backend.errors, 20)
        full.rmdir()
        os.kill(before.children["gateway-0"].pid, signal.SIGKILL)
        replaced(settings, "gateway-0", before.children["gateway-0"])
        after = replaced(settings, "worker-0", before.children["worker-0"])
        assert backend.errors.count("child_exited") == 2
        assert "child_not_started" not in backend.errors
        os.kill(after.pid, signal.SIGKILL)  # it watches the one that it started
        replaced(settings, "worker-0", after)


def test_a_backend_that_another_program_starts_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRCALL_START_BACKEND", "false")
    monkeypatch.setattr(module, "START_S", 0.3)
    with pytest.raises(BackendError, match="did not start"):
        ensure_backend(load_settings())
    assert not (settings.data_dir / "backend.lock").exists(), "nobody was started"


def test_an_address_of_another_machine_is_said_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCALL_SIP_HOST", "192.0.2.1")
    with pytest.raises(BackendError, match="no such address") as refused:
        check_ports(load_settings(), {"desk-0"})
    assert "AIRCALL_SIP_HOST" in str(refused.value)
    assert "AIRCALL_PUBLIC_ADDRESS" in str(refused.value)


def test_a_second_backend_of_a_data_folder_is_refused(settings: Settings) -> None:
    with start(settings):
        running(settings)
        with start(settings, "second") as second:
            assert second.wait() == 1
            assert f"Another backend already runs on {settings.data_dir}" in second.errors


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_sip_port_that_is_taken_is_said_in_plain_words(settings: Settings, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as tenant:
        tenant.bind(("127.0.0.1", settings.sip_port))
        if kind == socket.SOCK_STREAM:
            tenant.listen()
        with start(settings) as backend:
            assert backend.wait() == 1
            assert f"Port {settings.sip_port}/" in backend.errors
            assert "AIRCALL_SIP_PORT" in backend.errors


def test_ports_of_children_that_run_already_are_not_asked_for(settings: Settings) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tenant:
        tenant.bind(("127.0.0.1", settings.sip_port))
        check_ports(settings, {"worker-0"})
        with pytest.raises(BackendError):
            check_ports(settings, set())


def test_a_pid_that_another_process_got_is_not_taken_for_a_child() -> None:
    mine = module.this_process()
    assert mine.alive()
    assert not Process(mine.pid, mine.started - 1).alive()


def test_a_console_starts_the_backend_detached_finds_it_again_and_stops_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-m", "tests.support.stub_backend"])
    first = ensure_backend(settings)
    again = ensure_backend(settings)
    assert (first.started_here, again.started_here) == (True, False)
    assert first.state.process == again.state.process
    assert os.getsid(first.state.process.pid) != os.getsid(0)  # a terminal's Ctrl-C does not reach it
    eventually(lambda: "backend_started" in (settings.logs_dir / "backend.log").read_text(), 5)
    assert module.stop_backend(settings)
    assert gone(*first.state.children.values())
    assert not module.stop_backend(settings)


def test_a_backend_that_cannot_start_tells_the_console_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMAND", [sys.executable, "-m", "tests.support.stub_backend"])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tenant:
        tenant.bind(("127.0.0.1", settings.desk_port))
        tenant.listen()
        with pytest.raises(BackendError, match=f"Port {settings.desk_port}/TCP") as refused:
            ensure_backend(settings)
    assert "AIRCALL_DESK_PORT" in str(refused.value)


def test_several_workers_and_gateways_are_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCALL_WORKERS", "2")
    monkeypatch.setenv("AIRCALL_GATEWAYS", "3")
    children = planned(load_settings())
    names = ["desk-0", "gateway-0", "gateway-1", "gateway-2", "worker-0", "worker-1"]
    assert [child.name for child in children] == names
    assert Child("worker", 1).command()[-3:] == ["worker", "--index", "1"]


def test_a_log_moves_up_when_it_is_long_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.log"
    with path.open("ab", buffering=0) as writer:
        for round_ in range(7):
            writer.write(f"round {round_}\n".encode() * 20)
            rotate(path, limit=100, keep=3)
        writer.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    kept = [path.with_name(f"worker-0.log.{number}").read_text().splitlines()[0] for number in (1, 2, 3)]
    assert kept == ["round 6", "round 5", "round 4"]
    assert len(list(tmp_path.iterdir())) == 4


def test_state_of_another_version_is_not_trusted(settings: Settings) -> None:
    (settings.data_dir / module.STATE_FILE).write_text('{"process": 1}')
    assert read_state(settings) is None


def test_time_of_the_start_is_within_this_boot() -> None:
    ticks = module.start_ticks(os.getpid())
    assert ticks is not None
    assert 0 < ticks / os.sysconf("SC_CLK_TCK") <= time.clock_gettime(time.CLOCK_BOOTTIME)
