"""One line an event: when, how grave, which logger, what. Numbers of people are masked whoever logs them."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# Seven digits or more, as one writes a phone number; ids and counts in our own events are shorter.
NUMBER = re.compile(r"\+?\d(?:[\d ().-]{5,18})\d")
STAMPS = {"timestamp", "level", "logger"}


def mask_numbers(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a phone number in every text of the event, tracebacks included."""
    return {
        key: NUMBER.sub("•••", value) if isinstance(value, str) and key not in STAMPS else value
        for key, value in event.items()
    }


def formatter() -> logging.Formatter:
    """The formatter of every handler, for our events and for those of the packages we use."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_numbers,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"], drop_missing=True),
        ],
    )
