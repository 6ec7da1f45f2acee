"""The vendors there are."""

from .base import HttpVendor
from .exotel import Exotel
from .kore import Kore
from .leadlex import LeadLex

VENDORS: dict[str, type[HttpVendor]] = {vendor.key: vendor for vendor in (Kore, LeadLex, Exotel)}


def vendor_class(key: str) -> type[HttpVendor]:
    """Raises KeyError for a vendor there is not."""
    return VENDORS[key]
