import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A new directory, which every user may enter."""
    with tempfile.TemporaryDirectory(prefix="oomexec-python-") as directory:
        os.chmod(directory, 0o755)
        yield Path(os.path.realpath(directory))
