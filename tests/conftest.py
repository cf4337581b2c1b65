import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

# A shell lets what it starts in the background ignore Ctrl-C, and so would the programs
# that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def fixed_seeds():
    """What draws from a global state draws the same in every run and any order."""
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def published():
    """Folder of published vote counts and logs; tests skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "published"
    folder = Path(os.environ.get("SKSMOOTH_PUBLISHED", default))
    if not folder.is_dir():
        pytest.skip("the published results are not here: set SKSMOOTH_PUBLISHED")
    return folder
