"""The browser's stories against a running copy: a Chromium, the built portal, all processes.

MAMIS_DEMO_JSON: use that running copy instead of starting one. MAMIS_SHOTS_DIR: where pictures go.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from stack import Stack, TOP  # noqa: E402
from running import build, demo  # noqa: E402

STORY_S = 600
BUILD = os.environ.get("MAMIS_TEST_BUILD", str(TOP / "build"))


@pytest.fixture(scope="session")
def demo_json():
    given = os.environ.get("MAMIS_DEMO_JSON")
    if given:
        yield given
        return
    stack = Stack(tempfile.mkdtemp(prefix="mamis-browser-", dir="/tmp"))
    try:
        # The gateway reads the pages when it starts.
        build.portal(stack.copy.build, str(stack.folder / "portal.log"))
        stack.start(samples=False)
        demo.import_samples(stack.copy)
        demo.make(stack.copy)
        demo.write(stack.copy)
        yield os.path.join(stack.copy.paths.run, "demo.json")
    finally:
        stack.stop()
        if os.environ.get("MAMIS_TEST_KEEP") != "1":
            shutil.rmtree(stack.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def packages():
    """playwright-core and axe-core, fetched again when the lock file is newer."""
    kept = HERE / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not kept.exists() or kept.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)
        kept.touch()


def test_portal_units():
    os.makedirs(BUILD, exist_ok=True)
    build.portal_packages(BUILD, os.path.join(BUILD, "portal.log"))
    subprocess.run(["npm", "test"], cwd=build.PORTAL, stdin=subprocess.DEVNULL, check=True)


@pytest.mark.parametrize("story", sorted(path.name for path in HERE.glob("stories/*.test.mjs")))
def test_story(story, demo_json, packages):
    environment = dict(os.environ, MAMIS_DEMO_JSON=demo_json)
    environment["MAMIS_TEST_BUILD"] = BUILD
    done = subprocess.run(["node", "--test", f"stories/{story}"], cwd=HERE, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=STORY_S)
    assert done.returncode == 0, done.stdout[-8000:]
