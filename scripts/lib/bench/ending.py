"""How a bench ends before its time: SIGINT, SIGTERM, or SIGALRM when its minutes are over.

A thread does it, since the main one may be waiting for PostgreSQL for minutes, where Python handles
no signal. Every process of the bench is ended by its id, its files go, and it ends with 128 and the
signal's number within seconds. Nothing of what ran is worth an orderly end.
"""

import contextlib
import glob
import os
import signal
import sys
import threading
import time

from running.process import Failure, Process, wait_for

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
GONE_S = 5

_systems = []  # that are open; each has a copy and forget(), which deletes its files


def opened(system):
    _systems.append(system)


def closed(system):
    _systems.remove(system)


def _stand_still(*_):
    """The main thread goes no further: what it would do now is in vain, or in the way."""
    while True:
        time.sleep(60)


def _children():
    """Ids of those that any thread of ours started."""
    found = []
    for path in glob.glob("/proc/self/task/*/children"):
        with open(path, encoding="ascii") as file:
            found += map(int, file.read().split())
    return found


def _end_copy(copy):
    processes = [Process(copy.paths, name) for name in copy.process_names()]
    for process in processes:  # PostgreSQL ends its own processes at SIGQUIT
        process.send(signal.SIGQUIT if process.name == "postgres" else signal.SIGKILL)
    try:
        wait_for(lambda: all(process.pid() is None for process in processes), GONE_S, "the end")
    except Failure:
        for process in processes:
            process.send(signal.SIGKILL)


def end(number):
    """Does not come back."""
    print(f"ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
    try:
        for system in list(_systems):
            _end_copy(system.copy)
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for system in list(_systems):
            system.forget()
    finally:
        os._exit(128 + number)


def watch():
    """From now on. Started in the background of a shell, SIGINT was ignored; no more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in SIGNALS:
        signal.signal(number, _stand_still)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=lambda: end(os.read(reader, 1)[0]), daemon=True).start()
