"""The requests to Kafka that the services never make: deleting a topic, deleting records, changing
a topic's settings.

Written from Kafka's protocol guide: DeleteTopics (20) version 3, DeleteRecords (21) version 1,
IncrementalAlterConfigs (44) version 0, Metadata (3) version 4.
"""

import socket
import struct

DELETE_TOPICS, DELETE_RECORDS, METADATA, ALTER = (20, 3), (21, 1), (3, 4), (44, 0)
TOPIC, SET, DELETE = 2, 0, 1
SECONDS = 20
ALL_RECORDS = -1
UNKNOWN_TOPIC = 3


def _text(word):
    data = word.encode()
    return struct.pack(">h", len(data)) + data


def _ask(port, what, body):
    head = struct.pack(">hhi", *what, 1) + _text("chaos")
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as link:
        link.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        file = link.makefile("rb")
        size, = struct.unpack(">i", file.read(4))
        return file.read(size)[4:]  # behind the correlation id


def delete_topic(port, topic):
    answer = _ask(port, DELETE_TOPICS, struct.pack(">i", 1) + _text(topic)
                  + struct.pack(">i", SECONDS * 1000))
    code, = struct.unpack(">h", answer[-2:])
    if code not in (0, UNKNOWN_TOPIC):
        raise RuntimeError(f"Kafka does not delete {topic}: error {code}")


def topic_exists(port, topic):
    answer = _ask(port, METADATA, struct.pack(">i", 1) + _text(topic) + b"\0")
    # The topic's error code stands right before its name.
    at = answer.index(_text(topic))
    return struct.unpack(">h", answer[at - 2:at])[0] == 0


def delete_records(port, topic, partitions):
    """Everything that is in these partitions now."""
    body = struct.pack(">i", 1) + _text(topic) + struct.pack(">i", partitions)
    for part in range(partitions):
        body += struct.pack(">iq", part, ALL_RECORDS)
    answer = _ask(port, DELETE_RECORDS, body + struct.pack(">i", SECONDS * 1000))
    codes = {struct.unpack(">h", answer[at - 2:at])[0]
             for at in range(len(answer), len(answer) - 14 * partitions, -14)}
    if codes != {0}:
        raise RuntimeError(f"Kafka does not delete records of {topic}: errors {codes}")


def set_topic(port, topic, name, value):
    """None: as the broker has it."""
    change = struct.pack(">b", DELETE if value is None else SET) + (
        struct.pack(">h", -1) if value is None else _text(value))
    body = (struct.pack(">ib", 1, TOPIC) + _text(topic) + struct.pack(">i", 1) + _text(name)
            + change + b"\0")
    code, = struct.unpack(">h", _ask(port, ALTER, body)[8:10])
    if code != 0:
        raise RuntimeError(f"Kafka does not change {name} of {topic}: error {code}")
