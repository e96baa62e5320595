"""A call through the whole system: telephone, worker, log, browser tabs, an agent's audio, and back."""

import threading
from pathlib import Path

import pytest

from tests.support.audio import gaps, read_wav, sounds, tone
from tests.support.rawsip import RawCaller
from tests.system.conftest import Office

pytestmark = [pytest.mark.sip, pytest.mark.timeout(180)]


def test_a_call_rings_is_answered_heard_both_ways_and_ends(office: Office, tmp_path: Path) -> None:
    system, line, (ada, bob, _) = office.system, office.line, office.users
    first, second = system.on_duty(ada), system.on_duty(bob)
    phone = system.phone_call(line, audio=tone(440, 10, 8000), record=tmp_path / "heard.wav", hangup_after=3)
    ringing = first.wait_for("call.ringing", user_id=ada.id)
    call_id = ringing["call_id"]
    assert ringing["card"]["number"] == "01 99 00 50 12"
    second.wait_for("call.ringing", user_id=bob.id)
    agent = system.accept(ada, first, call_id, voice=tone(700, 1, 8000))
    phone.wait_for("answered")
    assert second.wait_for("call.answered", call_id=call_id)["who"]["name"] == "Ada"
    second.wait_until(lambda: call_id not in second.view["calls"], "the ring to stop")
    assert first.wait_for("call.confirmed", call_id=call_id)["line_id"] == line.id
    phone.wait_for("ended")
    ended = first.wait_for("call.ended", call_id=call_id)
    assert (ended["data"]["outcome"], ended["data"]["by"]) == ("answered", "caller")
    first.wait_until(lambda: call_id not in first.view["calls"], "the call to leave the view")
    assert agent.ended.wait(5)
    phone.wait()
    heard = read_wav(tmp_path / "heard.wav")[0][0]
    assert sounds(heard[8000:16000], 700, 8000)
    assert sounds(agent.heard()[8000:16000], 440, 8000)
    assert max([gap.length_s for gap in gaps(heard, 700, 8000)], default=0) < 0.2
    first.close()
    second.close()


def test_three_accept_at_once_and_one_has_it(office: Office) -> None:
    system, line, users = office.system, office.line, office.users
    tabs = [system.on_duty(user) for user in users]
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        caller.invite(line.number)
        rung = [tab.wait_for("call.ringing", user_id=user.id) for tab, user in zip(tabs, users, strict=True)]
        call_id = rung[0]["call_id"]
        start = threading.Barrier(len(users))
        answers: dict[str, int] = {}
        bodies: dict[str, str] = {}

        def race(number: int) -> None:
            start.wait()
            path = f"/desk/calls/{call_id}/accept"
            reply = system.post(users[number], path, {"command": f"command-{number:08}", "peer": f"peer-no-{number:08}",
                                                      "tab": tabs[number].id})  # fmt: skip
            answers[users[number].id], bodies[users[number].id] = reply.status_code, reply.text

        racers = [threading.Thread(target=race, args=(number,)) for number in range(len(users))]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        winner = [user for user in users if answers[user.id] == 202]
        losers = [user for user in users if answers[user.id] == 409]
        assert (len(winner), len(losers)) == (1, 2), answers
        assert all(winner[0].name in bodies[user.id] for user in losers)
        # No audio came for the winner: the accept fails and all may try again; the caller still hears the ring.
        failed = tabs[0].wait_for("call.accept_failed", call_id=call_id)
        assert failed["data"]["reason"] == "no_audio"
        caller.cancel()
        caller.wait_for(487)
        ended = tabs[0].wait_for("call.ended", call_id=call_id)
        assert ended["data"]["outcome"] == "abandoned"
        assert [m.status for m in caller.received() if m.status == 200 and m.method == "INVITE"] == []
    for tab in tabs:
        tab.close()


def test_a_killed_desk_takes_no_call_with_it_and_the_tab_catches_up(office: Office) -> None:
    system, line, ada = office.system, office.line, office.users[0]
    tab = system.on_duty(ada)
    phone = system.phone_call(line, audio=tone(440, 20, 8000))
    call_id = tab.wait_for("call.ringing")["call_id"]
    agent = system.accept(ada, tab, call_id, voice=tone(700, 1, 8000))
    phone.wait_for("answered")
    tab.wait_for("call.confirmed")
    old = system.kill("desk")
    tab.wait_until(lambda: tab.closed, "the socket to end")
    phone.hang_up()
    assert phone.wait_for("ended")["answered"]
    system.wait_for("call.ended", call_id=call_id)
    system.wait_new("desk", old)
    system.wait_ready()
    again = system.open_tab(ada, after=tab.seq, tab=tab.id, browser=tab.browser)
    assert again.wait_for("call.ended", call_id=call_id)["data"]["outcome"] == "answered"
    assert agent.ended.wait(5)
    assert agent.frames, "the agent heard the caller until then"
    again.close()


def test_a_killed_worker_loses_its_calls_and_says_so_and_the_next_call_works(office: Office) -> None:
    system, line, ada = office.system, office.line, office.users[0]
    tab = system.on_duty(ada)
    phone = system.phone_call(line, audio=tone(440, 20, 8000))
    call_id = tab.wait_for("call.ringing")["call_id"]
    system.accept(ada, tab, call_id, voice=tone(700, 1, 8000))
    phone.wait_for("answered")
    tab.wait_for("call.confirmed", call_id=call_id)
    old = system.kill("worker")
    lost = tab.wait_for("call.ended", call_id=call_id, timeout=10)
    assert lost["data"]["outcome"] == "lost"
    assert phone.wait_for("ended", timeout=10)["by"] == "far end"  # the new worker said goodbye for the old one
    system.wait_new("worker", old)
    system.wait_ready()
    system.phone_call(line)
    following = tab.wait_until(
        lambda: next((f for f in tab.events("call.ringing") if f["call_id"] != call_id), None), "the next call"
    )
    assert following["card"]["line_name"] == "Sales"
    tab.close()
