"""What the tests of importing share."""

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes bytes, or text as UTF-8, to a file and gives its path."""

    def writer(content):
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writer
