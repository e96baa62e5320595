"""Which origins are ours, and that signing in never leads anywhere else."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.service.origins import Origins

LAN = Origins("", "", 8501, 8502)
PUBLIC = Origins("https://calls.example.com", "", 8501, 8502)
SPLIT = Origins("https://calls.example.com", "https://desk.example.com", 8501, 8502)


@pytest.mark.parametrize(
    ("origins", "origin", "host", "known"),
    [
        (LAN, "http://10.0.0.5:8501", "10.0.0.5:8502", True),
        (LAN, "http://10.0.0.5:8502", "10.0.0.5:8502", True),
        (LAN, "http://Box.local:8501", "box.LOCAL:8502", True),
        (LAN, "http://[::1]:8501", "[::1]:8502", True),
        (LAN, "http://10.0.0.5", "10.0.0.5:8502", False),
        (LAN, "http://10.0.0.6:8501", "10.0.0.5:8502", False),
        (LAN, "http://localhost:8501", "127.0.0.1:8502", False),
        (LAN, "null", "10.0.0.5:8502", False),
        (LAN, "", "10.0.0.5:8502", False),
        (LAN, "http://10.0.0.5:8501@evil.example", "10.0.0.5:8502", False),
        (LAN, "http://user@10.0.0.5:8501", "10.0.0.5:8502", False),
        (LAN, "http://10.0.0.5:99999", "10.0.0.5:8502", False),
        (LAN, "http://10.0.0.5:8501", "", False),
        (PUBLIC, "https://calls.example.com", "calls.example.com:8502", True),
        (PUBLIC, "https://calls.example.com:443", "whatever", True),
        (PUBLIC, "https://calls.example.com:8502", "whatever", True),
        (PUBLIC, "http://calls.example.com", "calls.example.com:8502", False),
        (PUBLIC, "http://10.0.0.5:8501", "10.0.0.5:8502", False),
        (SPLIT, "https://desk.example.com", "desk.example.com", True),
        (SPLIT, "https://calls.example.com", "desk.example.com", True),
        (SPLIT, "https://desk.example.com:8502", "desk.example.com", False),
    ],
)
def test_known_origins(origins: Origins, origin: str, host: str, known: bool) -> None:
    assert origins.knows(origin, host) is known


def test_each_half_finds_the_other() -> None:
    assert LAN.console("10.0.0.5:8502") == "http://10.0.0.5:8501"
    assert LAN.desk("[fe80::1]:8501", "https") == "https://[fe80::1]:8502"
    assert PUBLIC.desk("anything") == "https://calls.example.com:8502"
    assert SPLIT.console("anything") == "https://calls.example.com"
    assert Origins("", "", 80, 8502).console("box:8502") == "http://box"


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("", "http://box:8501/"),
        ("/conversation?id=1", "http://box:8501/conversation?id=1"),
        ("http://box:8501/monitor#x", "http://box:8501/monitor#x"),
        ("//evil.example/", "http://box:8501/"),
        ("/\\evil.example", "http://box:8501/"),
        ("http://evil.example/", "http://box:8501/"),
        ("http://box:8501@evil.example/", "http://box:8501/"),
        ("http://box:8501.evil.example/", "http://box:8501/"),
        ("https://box:8501/", "http://box:8501/"),
        ("javascript:alert(1)", "http://box:8501/"),
        ("/a\r\nset-cookie: x=1", "http://box:8501/"),
        ("http://[", "http://box:8501/"),
    ],
)
def test_the_way_back_stays_in_the_console(target: str, place: str) -> None:
    assert LAN.way_back(target, "box:8502") == place


@given(st.text(alphabet=st.sampled_from("htp:/\\@.box8501evil?#[]%\t\n "), max_size=40))
def test_no_text_leads_elsewhere(target: str) -> None:
    parts = urlsplit(LAN.way_back(target, "box:8502"))
    assert (parts.scheme, parts.netloc) == ("http", "box:8501")
