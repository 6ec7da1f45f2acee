import pytest

from lists.sync import engine, pacing, sending, turn
from lists.vendors import base


@pytest.fixture(autouse=True)
def impatient(settings, monkeypatch) -> None:
    """The same rules with short waits: gaps, back-off and the time after which what is missing counts as missing."""
    settings.SETTLE_GAPS = [0.05, 0.1, 0.1]
    settings.SETTLE_MISSING_SECONDS = 0.2
    settings.SETTLE_CEILING_SECONDS = 3.0
    settings.VENDOR_READ_SECONDS = 1.0
    settings.VENDOR_CALL_SECONDS = 4.0
    monkeypatch.setattr(base, "SHORTEST_WAIT", 0.05)
    for module in (pacing, sending, engine, turn):
        monkeypatch.setattr(module, "back_off", lambda failures: 0.02)


@pytest.fixture(autouse=True)
def quick_vendors(rehearsal) -> None:
    """No pace on the vendors' side, and Kore.ai applies at once, unless a test says otherwise."""
    for vendor in rehearsal.vendors.values():
        vendor.set(per_minute=0)
    rehearsal.leadlex.set(per_day=None)
    rehearsal.kore.set(apply_delay=0.0)
