"""Logs: one JSON line an event on stderr, with the request's id; plain lines in the demo.

Whatever goes in, no secret and no personal data comes out: tokens in addresses, keys, passwords, header
lines, e-mail addresses and card numbers are masked in every value, tracebacks included.
"""

import logging
import re
import sys
from functools import lru_cache
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

_HIDDEN = "[hidden]"
#: Fields that are never told, whatever they hold.
_SECRET_FIELDS = re.compile(
    r"authori[sz]ation|cookie|passw|secret|token|api_?key|csrf|signature|credential", re.IGNORECASE
)
_PERSONAL_FIELDS = frozenset(
    "email mail to recipient phone person personal customer customer_name address "
    "shipping_address billing_address remote_addr ip user_agent".split()
)
#: Ours, and needed to find things again.
_PLAIN_FIELDS = frozenset({"timestamp", "level", "logger", "request_id"})

_MASKS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        # What opens something: links of orders, gift cards, quotes and trials, and of mails. Public ids stay.
        (r"(/(?:o|gift-card|q|trial|due|w)/[^/\s?#\"']+/)[^/\s?#\"'.]+", r"\1[token]"),
        (r"(/(?:reset|invite|verify)/)[^/\s?#\"']+", r"\1[token]"),
        (r"(?i)([?&;](?:[a-z_]*token|key|code|secret|sig|signature)=)[^&\s#\"']+", r"\1[token]"),
        # Header lines, and what stands in them.
        (
            r"(?i)(authorization|cookie|stripe-signature)([\"']?\s*[:=,]\s*)[^\r\n]+",
            r"\1\2[hidden]",
        ),
        (r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}", r"\1 [hidden]"),
        # Keys of the processor. Ids such as cs_… and pi_… open nothing and stay.
        (r"\b((?:sk|rk|whsec)_)[A-Za-z0-9_]+", r"\1[hidden]"),
        (r"(_secret_)[A-Za-z0-9]+", r"\1[hidden]"),
        # Tokens and keys of programs.
        (r"\b(cf_(?:user|staff)_)[A-Za-z0-9_-]+", r"\1[hidden]"),
        # A password in the address of a database or a server, or told by its name.
        (r"(://[^/\s:@]*:)[^/\s@]+@", r"\1[hidden]@"),
        (r"(?i)\b(password|passwd|secret(?:_key)?|token)(\s*[=:]\s*)[^\s,;&)]+", r"\1\2[hidden]"),
        # A database tells the row that it refused.
        (r"(?m)^(DETAIL:).*$", r"\1 [hidden]"),
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", "[e-mail]"),
    )
)
#: So many digits that they may be a card's.
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")


def configure(mode: str, stream: TextIO | None = None) -> None:
    """Send our logs and those of the libraries to ``stream`` (stderr); ``demo`` gets plain lines."""
    target = stream or sys.stderr
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    render = _renderer(mode)
    structlog.configure(
        processors=[*before, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *names: _Lines(str(names[0]) if names else "shop", target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger; ``name`` says which part of the shop speaks."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def mask(text: str) -> str:
    """``text`` without secrets and without personal data."""
    return _mask_short(text) if len(text) <= 80 else _mask(text)


def _mask(text: str) -> str:
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return _CARD.sub(lambda found: _HIDDEN if _is_card(found.group()) else found.group(), text)


#: Routes, methods and names of events come again and again.
_mask_short = lru_cache(maxsize=1024)(_mask)


def mask_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor: masks every value of an event."""
    return {
        name: value if name in _PLAIN_FIELDS else _masked(name, value)
        for name, value in event.items()
    }


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if _SECRET_FIELDS.search(name) or name.lower() in _PERSONAL_FIELDS:
        return _HIDDEN
    if isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", item) for item in value]
    return mask(str(value))


def _is_card(text: str) -> bool:
    """Luhn's check, so that a long number that is no card's stays readable."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _renderer(mode: str) -> Processor:
    if mode == "demo":
        return structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)


class _Lines:
    """Writes each line whole, so that those of several processes do not mix."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def msg(self, message: str) -> None:
        self._stream.write(message + "\n")
        self._stream.flush()

    debug = info = warning = error = critical = exception = msg
