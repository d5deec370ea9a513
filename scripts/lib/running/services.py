"""Our own processes in a running copy: their settings files, starting and waiting for them."""

import os
import re
import urllib.error
import urllib.request

from . import paths as places
from .process import Failure, Process

# In the order they start; the gateway last, since it takes requests.
NAMES = ["registration", "credit", "renewal", "notification", "gateway"]
SETTING = re.compile(r"^SETTING\((\w+),", re.M)


def settings_known(name):
    """The names of the settings of a process, from its tables. mamisctl has only its own."""
    services = os.path.join(places.TOP, "services")
    tables = [os.path.join(services, name, f"{name}_settings.def")]
    if name != "mamisctl":
        tables.append(os.path.join(services, "lib", "proc", "proc_settings.def"))
    known = set()
    for table in tables:
        if os.path.exists(table):
            with open(table, encoding="utf-8") as file:
                known.update(SETTING.findall(file.read()))
    return known


def write_settings(path, values):
    """A settings file, mode 0600. Values of None are left out."""
    lines = ["# Written by scripts/run; changes here are lost at the next start.\n"]
    lines += [f"{key} = {value}\n" for key, value in sorted(values.items()) if value is not None]
    places.write_private(path, "".join(lines))
    return path


def http_status(url, seconds=2):
    """The status of a GET, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Service:
    """One process, e.g. number 2 of `credit`: pids/credit-2.pid."""

    def __init__(self, paths, name, number, program, settings, admin_port):
        self.name = f"{name}-{number}"
        self.process = Process(paths, self.name)
        self.program = program
        self.settings = settings
        self.admin_url = f"http://127.0.0.1:{admin_port}"

    def running(self):
        return self.process.pid() is not None

    def start(self, env=None):
        if not os.access(self.program, os.X_OK):
            raise Failure(f"{self.program} is not there", cure="build it: ./scripts/run")
        self.process.start([self.program, "--settings", self.settings], env=env)

    def ready(self):
        return http_status(self.admin_url + "/readyz") == 200

    def wait_ready(self, seconds=20):
        self.process.wait_ready(self.ready, seconds)

    def stop(self, seconds=5):
        return self.process.stop(seconds)

    def kill(self):
        self.process.kill()
