"""Security tests: the built programs, attacked. One copy for each file."""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "contract")]

from routes import served_routes  # noqa: E402
from stack import DATA, running_stack  # noqa: E402
from world import AWAY, HOME, Place  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    """With organisers and nobody else: a test brings its own people."""
    with running_stack(samples=False) as running:
        running.copy.mamisctl("import", "organisers", str(DATA / "organisers.csv"))
        yield running


@pytest.fixture(scope="session")
def home(stack, tmp_path_factory):
    """Not complete before `away`: use both."""
    return Place(stack, tmp_path_factory.mktemp("home") / "files", HOME, "山吹　初音",
                 "ヤマブキ　ハツネ")


@pytest.fixture(scope="session")
def away(stack, home, tmp_path_factory):
    """Both wait at once for what the workers do."""
    place = Place(stack, tmp_path_factory.mktemp("away") / "files", AWAY, "別所　隣人",
                  "ベッショ　リンジン")
    home.wait()
    place.wait()
    return place


@pytest.fixture(scope="session")
def people(away):
    """Those of the other place, by role."""
    return away.clients


@pytest.fixture(scope="session")
def routes(stack):
    return served_routes(stack)
