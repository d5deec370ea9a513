"""Building the programs and the portal, only what changed."""

import os
import shutil
import subprocess
import sys

from . import kafka
from . import paths as places
from .process import Failure

PROGRAMS = ["gateway", "registration", "credit", "renewal", "notification", "mamisctl"]
PORTAL = os.path.join(places.TOP, "services", "portal")
# What the portal is made of, below services/portal; made files and packages are not.
PORTAL_SKIPS = {"node_modules", "dist", "gen"}


def _run(argv, log, cwd, what, cure):
    with open(log, "ab") as output:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                              cwd=cwd, check=False)
    if done.returncode != 0:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - 4000))
            end = file.read().decode("utf-8", "replace")
        raise Failure(f"{what} failed:\n{end.strip()}", log, cure)


def configure(folder, log, options=()):
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        os.makedirs(folder, exist_ok=True)
        _run(["cmake", "-S", places.TOP, "-B", folder, "-G", "Ninja",
              "-DCMAKE_BUILD_TYPE=RelWithDebInfo", *options], log, places.TOP,
             "configuring the build", f"see the log, then remove {folder}")


def programs(folder, log):
    configure(folder, log)
    _run(["ninja", "-C", folder, *PROGRAMS], log, places.TOP, "building", "mend what the log names")


def portal_inputs():
    found = [os.path.join(places.TOP, "proto", "openapi.yaml"),
             os.path.join(places.TOP, "proto", "access.yaml"),
             os.path.join(places.TOP, "proto", "errors.yaml"),
             os.path.join(places.TOP, "services", "lib", "attendance", "attendance_columns.def")]
    for folder, folders, files in os.walk(PORTAL):
        folders[:] = sorted(name for name in folders if name not in PORTAL_SKIPS)
        found += [os.path.join(folder, name) for name in sorted(files)]
    return [name for name in found if os.path.exists(name)]


def portal(folder, log):
    """Build the pages when anything they are made of changed; fetch packages when the lock file
    did."""
    if not os.path.exists(os.path.join(PORTAL, "package.json")):
        return "no portal in this tree"
    stamp = os.path.join(folder, "portal.stamp")
    now = places.digest(*portal_inputs())
    if os.path.exists(os.path.join(PORTAL, "dist", "index.html")) and _read(stamp) == now:
        return "unchanged"
    portal_packages(folder, log)
    _run(["npm", "run", "build"], log, PORTAL, "building the portal", "mend what the log names")
    with open(stamp, "w", encoding="ascii") as file:
        file.write(now)
    return None


def portal_packages(folder, log):
    """`npm ci` when services/portal/package-lock.json changed since the last time."""
    if shutil.which("npm") is None:
        raise Failure("npm is not there", cure="apt-get install npm, or Node.js 18 or newer")
    stamp = os.path.join(folder, "npm.stamp")
    now = places.digest(os.path.join(PORTAL, "package-lock.json"))
    if os.path.isdir(os.path.join(PORTAL, "node_modules")) and _read(stamp) == now:
        return
    _run(["npm", "ci", "--no-audit", "--no-fund"], log, PORTAL, "fetching the portal's packages",
         "check the network, then run again")
    with open(stamp, "w", encoding="ascii") as file:
        file.write(now)


def _read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main():
    """For scripts/test: the broker's jars and the portal."""
    folder = os.path.join(places.TOP, "build")
    os.makedirs(folder, exist_ok=True)
    try:
        kafka.fetch(os.path.join(folder, "kafka.log"))
        portal(folder, os.path.join(folder, "portal.log"))
    except Failure as failure:
        sys.exit(f"{failure.text}\nlog: {failure.log}\ncure: {failure.cure}")


if __name__ == "__main__":
    main()
