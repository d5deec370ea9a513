"""Integration tests: the built programs against PostgreSQL, Redis, Kafka and a mail server of their
own. One copy for each file (ctest runs each file by itself); tests of a file share it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

from stack import running_stack  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def stranger(stack, request):
    """An organiser who holds another seminar than the file's SEMINAR."""
    return stack.stranger_client(request.module.SEMINAR)
