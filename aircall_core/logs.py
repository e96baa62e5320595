"""Logs of every process: one JSON object a line on standard error, ids only.

Customer content (numbers, names, texts, addresses of callers) never goes into a log. Whoever logs passes ids; this
module guards the one way by which content would slip in unnoticed, the messages of exceptions: of those it writes only
the kinds that speak of files and code, and where the others were raised.
"""

import logging
import sys
import traceback
import warnings
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from aircall_core.config import Settings

# Their texts name files, sockets and code. A ValueError or KeyError may quote what a caller sent.
_SPEAKS_OF_CODE = (OSError, ImportError, AttributeError, NameError, TypeError, AssertionError, NotImplementedError)
_FRAMES = 12


def setup_logging(settings: Settings, process: str) -> None:
    """Set up logging for this process; `process` names it in each line, such as `worker-0`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _process_name(process),
        _exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("aircall_core").setLevel(settings.log_level.upper())
    logging.captureWarnings(True)
    warnings.simplefilter("default")


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = get_logger(__name__)`, then `log.info("call_answered", call=call_id)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _process_name(process: str) -> Any:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    return add


def _exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's type, place and, where it is harmless, its text."""
    given: ExcInfo | BaseException | bool | None = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if error is None and given is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """An exception without the values it may quote: type, innermost frames, and the cause."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    described: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, _SPEAKS_OF_CODE):
        described["text"] = str(error)
    if cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        described["cause"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
    return described
