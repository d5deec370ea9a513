"""The browser's stories against a running copy: Chromium, the built portal, all processes.

Two stories at once: each brings people and seminars of its own. How long each took, and each of its
tests, stands in build/browser_times.txt afterwards, the longest first.

MAMIS_DEMO_JSON: use that running copy instead of starting one. MAMIS_SHOTS_DIR: where pictures go.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from stack import Stack, TOP  # noqa: E402
from running import build, demo  # noqa: E402

STORY_S = 1200
AT_ONCE = 2
# What these leave behind is what every_page looks at; then the longest, so that none is the tail.
FIRST = ["application", "membership", "desk", "merge", "every_page", "intake", "slow",
         "security"]
# While maintenance runs nobody else gets in.
ALONE = ["maintenance"]
NAMES = [path.name.removesuffix(".test.mjs") for path in HERE.glob("stories/*.test.mjs")]
STORIES = [*FIRST, *sorted(set(NAMES) - {*FIRST, *ALONE}), *ALONE]
TEST_TIME = re.compile(r"^(?:not )?ok \d+ - (.*)\n  ---\n  duration_ms: ([\d.]+)", re.M)
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


class Told:
    """How a story went."""

    def __init__(self, story, demo_json):
        environment = dict(os.environ, MAMIS_DEMO_JSON=demo_json, MAMIS_TEST_BUILD=BUILD)
        begun = time.monotonic()
        done = subprocess.run(["node", "--test", "--test-reporter=tap",
                               f"stories/{story}.test.mjs"], cwd=HERE, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=STORY_S)
        self.code, self.text = done.returncode, done.stdout
        self.times = [(time.monotonic() - begun, story)]
        self.times += [(float(took) / 1000, f"  {story}: {name}")
                       for name, took in TEST_TIME.findall(done.stdout)]


@pytest.fixture(scope="session")
def told(request, demo_json, packages):
    """Gives what a story told, by name: the chosen ones run beside each other from the start."""
    chosen = [item.callspec.params["story"] for item in request.session.items
              if item.originalname == "test_story"]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        coming = {story: pool.submit(Told, story, demo_json)
                  for story in chosen if story not in ALONE}

        def result(story):
            if story in ALONE:
                concurrent.futures.wait(coming.values())
                results[story] = Told(story, demo_json)
            else:
                results[story] = coming[story].result()
            return results[story]

        yield result
    lines = sorted((line for one in results.values() for line in one.times), reverse=True)
    with open(os.path.join(BUILD, "browser_times.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{seconds:7.1f} s {what}\n" for seconds, what in lines)


@pytest.mark.parametrize("story", STORIES)
def test_story(story, told):
    done = told(story)
    assert done.code == 0, done.text[-8000:]
