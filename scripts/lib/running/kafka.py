"""The Kafka broker of a running copy: jars by Maven, one node in KRaft mode, small heap."""

import base64
import contextlib
import fcntl
import os
import re
import shutil
import string
import subprocess
import tempfile
import uuid

from . import paths as places
from .process import Failure, Process, free_port

HEAP = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
FOLDER = os.path.join(places.TOP, "deploy", "kafka")
ARCHIVE_S = 60  # most, for a broker to end that writes the archive of its classes
CURE = ("check the network, or give another broker: KAFKA_BOOTSTRAP=host:port ./scripts/run")


def version():
    """The broker's version: KAFKA_VERSION, or the one in deploy/kafka/pom.xml."""
    with open(os.path.join(FOLDER, "pom.xml"), encoding="utf-8") as file:
        named = re.search(r"<kafka\.version>([^<]+)<", file.read()).group(1)
    return os.environ.get("KAFKA_VERSION", named)


def jars():
    """The folder of the broker's jars."""
    return os.path.join(places.TOP, "build", f"kafka-{version()}")


def ready():
    """The folder of what makes a start cheap: a formatted data folder and an archive of the classes
    that a broker loads. It belongs to the jars and to Java."""
    return jars() + ".ready"


def fetch(log):
    """Get the jars by Maven unless they are there, and make ready(). Safe to run twice at once."""
    if os.path.isdir(ready()):
        return
    _fetch_jars(log)
    with _alone(jars() + ".lock"):
        if not os.path.isdir(ready()):
            _make_ready()


@contextlib.contextmanager
def _alone(path):
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_ready():
    """A first broker, in a scratch folder: what it loads becomes the archive when it ends."""
    with tempfile.TemporaryDirectory(prefix="mamis-kafka-", dir="/tmp") as scratch:
        kafka = Kafka(places.Paths(os.path.join(scratch, "run")))
        kafka.paths.make()
        made = os.path.join(scratch, "ready")
        os.makedirs(made)
        kafka.configure()
        kafka.format()
        shutil.copytree(kafka.data, os.path.join(made, "data"))
        kafka.process.start(_java() + [f"-XX:ArchiveClassesAtExit={made}/classes.jsa", "kafka.Kafka",
                                       kafka.settings], cwd=kafka.paths.kafka)
        kafka.wait()
        kafka.stop(ARCHIVE_S)
        shutil.move(made, ready() + ".partial")
        os.rename(ready() + ".partial", ready())


def _fetch_jars(log):
    folder = jars()
    if os.path.isdir(folder):
        return
    if shutil.which("mvn") is None:
        raise Failure("Maven is not installed", cure="apt-get install maven")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    partial = f"{folder}.{os.getpid()}"
    with open(log, "ab") as output:
        done = subprocess.run(
            ["mvn", "-B", "-f", os.path.join(FOLDER, "pom.xml"), f"-Dkafka.version={version()}",
             "dependency:copy-dependencies", f"-DoutputDirectory={partial}"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=600)
    if done.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise Failure("the Kafka broker could not be fetched by Maven", log, CURE)
    try:
        os.rename(partial, folder)
    except OSError:  # another run was quicker
        shutil.rmtree(partial, ignore_errors=True)


def _logging():
    """simplelogger.properties as options: an archive of classes wants nothing but jars to load from."""
    with open(os.path.join(FOLDER, "simplelogger.properties"), encoding="ascii") as file:
        return [f"-D{line.strip()}" for line in file if "=" in line and not line.startswith("#")]


def _java():
    """The broker's Java with its options, up to the class to run."""
    names = sorted(name for name in os.listdir(jars()) if name.endswith(".jar"))
    return [_java_program(), *HEAP, *_logging(), "-cp",
            os.pathsep.join(os.path.join(jars(), name) for name in names)]


def _java_program():
    own = os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java")
    for candidate in (own, "/usr/lib/jvm/default-java/bin/java", shutil.which("java")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise Failure("there is no Java", cure="apt-get install default-jre-headless")


class Kafka:
    def __init__(self, paths):
        self.paths = paths
        self.process = Process(paths, "kafka-1")
        self.settings = os.path.join(paths.settings, "kafka.properties")
        self.data = os.path.join(paths.kafka, "data")
        self.port = None
        self.advertised_port = None  # where clients are sent; None: the port itself
        self.further = ""  # settings after the template's, which they go over

    def start(self, port=None, controller_port=None):
        """Fetch, format at first use, start unless it runs. The ports: those to take if free."""
        self.launch(port, controller_port)
        self.wait()

    def launch(self, port=None, controller_port=None):
        """Start without waiting; wait() follows."""
        if self.process.pid() is not None:
            self.port = self._port_in_use()
            return
        fetch(self.process.log)
        self.configure(port, controller_port)
        if not os.path.exists(os.path.join(self.data, "meta.properties")):
            self._begin()
        archive = os.path.join(ready(), "classes.jsa")
        self.process.start(_java() + [f"-XX:SharedArchiveFile={archive}", "kafka.Kafka",
                                      self.settings], cwd=self.paths.kafka)

    def configure(self, port=None, controller_port=None):
        """The settings file."""
        self.port = port or free_port()
        with open(os.path.join(FOLDER, "server.properties.in"), encoding="utf-8") as file:
            template = string.Template(file.read())
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(template.substitute(port=self.port, data=self.data,
                                           advertised_port=self.advertised_port or self.port,
                                           controller_port=controller_port or free_port()))
            file.write(self.further)

    def wait(self):
        self.process.wait_ready(self.answers, 60)

    def stop(self, seconds=15):
        return self.process.stop(seconds)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def answers(self):
        return answers(self.bootstrap)

    def format(self):
        """Make the data folder by Kafka's own tool."""
        with open(self.process.log, "ab") as log:
            done = subprocess.run(
                _java() + ["kafka.tools.StorageTool", "format", "-t", _new_id(), "-c",
                           self.settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=60)
        if done.returncode != 0:
            raise Failure("Kafka's data folder could not be made", self.process.log,
                          "./scripts/run reset")

    def _begin(self):
        """A data folder as format() made it once, with ids of its own."""
        shutil.copytree(os.path.join(ready(), "data"), self.data, dirs_exist_ok=True)
        path = os.path.join(self.data, "meta.properties")
        with open(path, encoding="ascii") as file:
            text = re.sub(r"^(cluster|directory)\.id=.*$",
                          lambda found: f"{found.group(1)}.id={_new_id()}", file.read(), flags=re.M)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def _port_in_use(self):
        with open(self.settings, encoding="utf-8") as file:
            return int(re.search(r"^listeners=PLAINTEXT://[^:]*:(\d+),", file.read(), re.M).group(1))


def _new_id():
    """A random id of Kafka's kind. A leading "-" would be taken for an option."""
    return "m" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def answers(bootstrap):
    """Whether a broker tells its metadata and is ready to lead partitions."""
    try:
        done = subprocess.run(["kcat", "-L", "-b", bootstrap, "-m", "2"], capture_output=True,
                              text=True, check=False, timeout=5)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and re.search(r"^ [1-9]\d* brokers:", done.stdout, re.M) is not None
