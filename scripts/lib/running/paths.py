"""Where a running copy keeps its files."""

import hashlib
import os
import pwd
import secrets
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

# A Unix socket's path may have 107 bytes; PostgreSQL adds "/.s.PGSQL.NNNNN".
SOCKET_FOLDER_BYTES_MAX = 80


def postgres_user():
    """The system user that PostgreSQL has to run as: None is our own, since we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise RuntimeError(
            "there is no system user 'postgres', and PostgreSQL refuses to run as root;"
            " install the package postgresql") from None


def reachable(folder, user):
    """Whether `user` may pass through every folder that leads to `folder`."""
    folder = os.path.abspath(folder)
    while True:
        status = os.stat(folder)
        if status.st_uid == user.pw_uid:
            passes = status.st_mode & 0o100
        elif status.st_gid == user.pw_gid:
            passes = status.st_mode & 0o010
        else:
            passes = status.st_mode & 0o001
        if not passes:
            return False
        if folder == "/":
            return True
        folder = os.path.dirname(folder)


class Paths:
    """Folders of one copy; made at first use. Files with secrets have mode 0600 or less."""

    def __init__(self, run_dir):
        self.run = os.path.abspath(run_dir)
        self.pids = os.path.join(self.run, "pids")
        self.logs = os.path.join(self.run, "logs")
        self.settings = os.path.join(self.run, "settings")
        self.keys = os.path.join(self.run, "keys")
        self.mail = os.path.join(self.run, "mail")
        self.postcards = os.path.join(self.run, "postcards")
        self.state = os.path.join(self.run, "state")
        self.kafka = os.path.join(self.run, "kafka")
        self.redis = os.path.join(self.run, "redis")

    def make(self):
        os.makedirs(self.run, exist_ok=True)
        os.chmod(self.run, 0o711)
        for folder in (self.pids, self.logs, self.settings, self.keys, self.postcards, self.state,
                       self.kafka, self.redis):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(self.pids, 0o755)
        base = self.base()
        os.makedirs(os.path.join(base, "sock"), exist_ok=True)

    def base(self):
        """Where data of PostgreSQL and sockets lie: the copy itself, or a folder under /tmp that
        the file `private_folder` names, where user postgres cannot reach the copy or its path is
        too long for a socket."""
        note = os.path.join(self.run, "private_folder")
        if os.path.exists(note):
            with open(note, encoding="utf-8") as file:
                folder = file.read().strip()
            if not os.path.isdir(folder):
                raise RuntimeError(
                    f"{note} names {folder}, which is gone; begin afresh: ./scripts/run reset")
            return folder
        user = postgres_user()
        fits = len(os.path.join(self.run, "sock").encode()) <= SOCKET_FOLDER_BYTES_MAX
        if fits and (user is None or reachable(self.run, user)):
            return self.run
        folder = tempfile.mkdtemp(prefix="mamis-", dir="/tmp")
        os.chmod(folder, 0o711)
        with open(note, "w", encoding="utf-8") as file:
            file.write(folder + "\n")
        return folder

    def sockets(self):
        return os.path.join(self.base(), "sock")

    def log(self, name):
        return os.path.join(self.logs, name + ".log")

    def secret(self, name):
        """A random password of this copy, made once. Hexadecimal, 128 bits."""
        path = os.path.join(self.keys, name)
        if not os.path.exists(path):
            write_private(path, secrets.token_hex(16))
        with open(path, encoding="ascii") as file:
            return file.read().strip()

    def key(self, name):
        """A file of 32 random bytes, made once, mode 0400."""
        path = os.path.join(self.keys, name)
        if not os.path.exists(path):
            write_private(path, secrets.token_bytes(32), 0o400)
        return path


def write_private(path, content, mode=0o600):
    """Write a file that only its owner may read; it is there whole or not at all."""
    if isinstance(content, str):
        content = content.encode()
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def digest(*files):
    """SHA-256 over the bytes of files, for noticing changes."""
    total = hashlib.sha256()
    for name in files:
        with open(name, "rb") as file:
            total.update(hashlib.sha256(file.read()).digest())
    return total.hexdigest()
