from collections.abc import Iterator

import pytest

from .network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network
