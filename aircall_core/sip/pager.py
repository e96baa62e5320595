"""MESSAGE requests (RFC 3428) as they come in, answered when we say so.

pjsua answers each of them with 200 before it tells anybody: a stranger's, one for a number that is none, and one that
is lost a moment later with this process. (2.17 can wait with its answer, but takes no header for a 401, and keeps a
pointer to a transaction that is gone when a TCP peer leaves first.) So a module of our own stands before pjsua's: that
is pjsip's way to extend its stack, and the C functions for it are in the library of the Python bindings, of both
builds. It hears requests within dialogs too: somebody who writes while they talk writes to the same line.

Answers are stateless: a request that is sent again is heard again, and whoever judges it must know it. The library's
thread only, like all of pjsua2.
"""

import ctypes
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pjsua2 as pj

from aircall_core.logs import get_logger
from aircall_core.sip.message import Message, parse

log = get_logger(__name__)

MOST = 1000  # requests that wait for their answer; each holds a copy of its packet
_BEFORE_DIALOGS = 24  # pjsip's priorities: transactions 16, dialogs 32, pjsua's own modules 64
_TAKEN, _LEFT = 1, 0  # pj_bool_t of on_rx_request

_REQUEST = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Str(ctypes.Structure):
    """pj_str_t."""

    _fields_ = [("ptr", ctypes.c_char_p), ("slen", ctypes.c_ssize_t)]


class _Node(ctypes.Structure):
    """What every pj_list begins with."""

    _fields_ = [("prev", ctypes.c_void_p), ("next", ctypes.c_void_p)]


class _Module(ctypes.Structure):
    """pjsip_module."""

    _fields_ = [
        ("prev", ctypes.c_void_p), ("next", ctypes.c_void_p), ("name", _Str), ("id", ctypes.c_int),
        ("priority", ctypes.c_int), ("load", ctypes.c_void_p), ("start", ctypes.c_void_p), ("stop", ctypes.c_void_p),
        ("unload", ctypes.c_void_p), ("on_rx_request", _REQUEST), ("on_rx_response", ctypes.c_void_p),
        ("on_tx_request", ctypes.c_void_p), ("on_tx_response", ctypes.c_void_p), ("on_tsx_state", ctypes.c_void_p),
    ]  # fmt: skip


class ReadingEndpoint(pj.Endpoint):  # type: ignore[misc]
    """The library's endpoint, which can also read a request that nobody has handled yet."""

    def __init__(self) -> None:
        super().__init__()
        self.packet = ("", "")  # the text and the source of the one that was asked for
        self.asked = False

    def onSelectAccount(self, prm: Any) -> None:  # noqa: N802  pjsua2's name
        """The library has read a request, and asks whose it is."""
        if self.asked:
            self.packet = (prm.rdata.wholeMsg, prm.rdata.srcAddress)


class Pager:
    """Hears MESSAGE requests and answers them."""

    def __init__(self, endpoint: ReadingEndpoint, library: str, heard: Callable[[int, Message, str], None]) -> None:
        """`heard(token, request, source)` is called within the library: it takes a note and returns.

        `library`: the file of the bindings. Raises AttributeError when it does not show the functions needed.
        """
        self._endpoint, self._heard = endpoint, heard
        self._c = _functions(library)
        self._kept: dict[int, ctypes.c_void_p] = {}
        self._tokens = itertools.count(1)
        self._callback = _REQUEST(self._on_request)  # the module holds no reference of its own
        self._name = ctypes.create_string_buffer(b"mod-texts")
        name = _Str(ctypes.cast(self._name, ctypes.c_char_p), len(self._name.value))
        self._module = _Module(name=name, id=-1, priority=_BEFORE_DIALOGS, on_rx_request=self._callback)

    def start(self) -> None:
        """Begins to hear. After libStart. Raises RuntimeError."""
        self._stack = self._c.pjsua_get_pjsip_endpt()
        status = self._c.pjsip_endpt_register_module(self._stack, ctypes.byref(self._module))
        if status or self._module.id < 0:
            raise RuntimeError(f"the SIP library takes no module for texts (status {status})")

    @property
    def waiting(self) -> int:
        """How many requests wait for their answer."""
        return len(self._kept)

    def answer(self, token: int, code: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Sends the answer to a request. Without effect when it was answered or forgotten."""
        request = self._kept.pop(token, None)
        if request is None:
            return
        self._respond(request, code, headers)
        self._c.pjsip_rx_data_free_cloned(request)

    def forget(self, token: int) -> None:
        """Leaves a request unanswered: its sender asks again, or learns nothing."""
        request = self._kept.pop(token, None)
        if request is not None:
            self._c.pjsip_rx_data_free_cloned(request)

    # ---- within the library

    def _on_request(self, request: int) -> int:
        try:
            if not self._c.pjsip_rx_data_get_info(request).startswith(b"Request msg MESSAGE/"):
                return _LEFT
            self._take(ctypes.c_void_p(request))
        except Exception as problem:  # noqa: BLE001 - nothing may leave a callback; unanswered, it comes again
            log.error("text_not_taken", error=repr(problem)[:200])
        return _TAKEN

    def _take(self, request: ctypes.c_void_p) -> None:
        if len(self._kept) >= MOST:
            self._respond(request, 503, ())
            return
        text, source = self._read(request)
        copy = ctypes.c_void_p()
        if self._c.pjsip_rx_data_clone(request, 0, ctypes.byref(copy)):
            self._respond(request, 500, ())
            return
        token = next(self._tokens)
        self._kept[token] = copy
        self._heard(token, parse(text), source)

    def _read(self, request: ctypes.c_void_p) -> tuple[str, str]:
        """The request's text and source: the library hands them over when it is asked which account it is for."""
        self._endpoint.asked = True
        try:
            self._c.pjsua_acc_find_for_incoming(request)
        finally:
            self._endpoint.asked = False
        return self._endpoint.packet

    def _respond(self, request: ctypes.c_void_p, code: int, headers: Iterable[tuple[str, str]]) -> None:
        pool = self._c.pjsua_pool_create(b"text", 1000, 1000)
        try:
            first = _Node()
            first.prev = first.next = ctypes.addressof(first)
            for name, value in headers:
                header = self._header(pool, name.encode(), value.encode())
                self._c.pj_list_insert_before(ctypes.byref(first), header)
            status = self._c.pjsip_endpt_respond_stateless(self._stack, request, code, None, ctypes.byref(first), None)
        finally:
            self._c.pj_pool_release(pool)
        if status:
            log.info("text_not_answered", code=code, status=status)

    def _header(self, pool: ctypes.c_void_p, name: bytes, value: bytes) -> ctypes.c_void_p:
        given = _Str(name, len(name)), _Str(value, len(value))
        header: ctypes.c_void_p = self._c.pjsip_generic_string_hdr_create(pool, *map(ctypes.byref, given))
        return header


def _functions(library: str) -> Any:
    """The C functions with their types. They hold the GIL: all of them are short, and one calls us back."""
    c, pointer = ctypes.PyDLL(library), ctypes.c_void_p
    for name, result, arguments in (
        ("pjsua_get_pjsip_endpt", pointer, ()),
        ("pjsip_endpt_register_module", ctypes.c_int, (pointer, pointer)),
        ("pjsip_rx_data_get_info", ctypes.c_char_p, (pointer,)),
        ("pjsua_acc_find_for_incoming", ctypes.c_int, (pointer,)),
        ("pjsip_rx_data_clone", ctypes.c_int, (pointer, ctypes.c_uint, pointer)),
        ("pjsip_rx_data_free_cloned", ctypes.c_int, (pointer,)),
        ("pjsip_endpt_respond_stateless", ctypes.c_int, (pointer, pointer, ctypes.c_int, *[pointer] * 3)),
        ("pjsua_pool_create", pointer, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t)),
        ("pj_pool_release", None, (pointer,)),
        ("pjsip_generic_string_hdr_create", pointer, (pointer, pointer, pointer)),
        ("pj_list_insert_before", None, (pointer, pointer)),
    ):
        function = getattr(c, name)
        function.restype, function.argtypes = result, arguments
    return c
