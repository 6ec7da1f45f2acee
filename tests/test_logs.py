import logging
import sys

import pytest

from contactadmin.logs import formatter


def line(message: str, **extra) -> str:
    record = logging.LogRecord("lists.sync", logging.WARNING, __file__, 1, message, (), extra.pop("exc_info", None))
    return formatter().format(record)


def test_an_event_is_one_line_with_its_level_and_logger():
    written = line("run 17 waits\nfor its turn")
    assert "\n" not in written
    assert "level=warning" in written and "logger=lists.sync" in written


@pytest.mark.parametrize("number", ["+919800099999", "+1 202 555 0123", "(0)98000-99999", "98000 99999"])
def test_numbers_of_people_are_masked(number):
    written = line(f"refused {number} by the vendor")
    assert "9999" not in written and "0123" not in written
    assert "•••" in written


def test_numbers_in_tracebacks_are_masked():
    try:
        raise ValueError("bad contact +919800099999")
    except ValueError:
        written = line("a fault of ours", exc_info=sys.exc_info())
    assert "ValueError" in written and "98000" not in written and "\n" not in written


def test_times_and_ids_stay_readable():
    assert "run 123456 " in line("run 123456 ended")


def test_every_logger_writes_through_the_line_that_masks():
    """Django's own handler would print tracebacks of many lines with the numbers in them while DEBUG is on."""
    loggers = [logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)]
    handlers = [handler for logger in loggers for handler in logger.handlers if type(handler) is logging.StreamHandler]
    assert handlers
    assert {type(handler.formatter) for handler in handlers} == {type(formatter())}
