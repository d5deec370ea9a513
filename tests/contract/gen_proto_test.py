"""scripts/gen_proto.py refuses contracts that would leave a hole, and writes only what changed."""
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def generate(proto, out):
    return subprocess.run(["/usr/bin/python3", str(TOP / "scripts" / "gen_proto.py"), "--proto",
                           str(proto), "--out", str(out)], text=True, check=False,
                          capture_output=True, timeout=60)


@pytest.fixture
def proto(tmp_path):
    shutil.copytree(TOP / "proto", tmp_path / "proto")
    return tmp_path / "proto"


FAULTS = [
    ("openapi.yaml", "      x-action: session_end\n", "", "x-action is missing"),
    ("openapi.yaml", "x-action: session_end", "x-action: session_ends", "not in access.yaml"),
    ("openapi.yaml", "x-rate-class: upload", "x-rate-class: slow", "x-rate-class"),
    ("openapi.yaml", "      x-body-bytes-max: 268500992\n", "", "x-body-bytes-max"),
    ("openapi.yaml", "operationId: sign_out", "operationId: sign_in", "stands twice"),
    ("openapi.yaml", "login_id: {type: string, minLength: 1, maxLength: 254}",
     "login_id: {type: string}", "needs maxLength"),
    ("openapi.yaml", "half_units: {type: integer, minimum: 0, maximum: 1000}",
     "half_units: {type: number}", "not supported"),
    ("openapi.yaml", "version: {type: string, minLength: 1, maxLength: 40}",
     "version: {type: string, maxLength: 40, pattern: '^(a|b)*$'}", "more than classes"),
    ("openapi.yaml", "version: {type: string, minLength: 1, maxLength: 40}",
     "version: {type: string, maxLength: 40, pattern: '^[a-z]*[a-f]$'}", "go back"),
    ("access.yaml", "roles: {doctor: own}", "roles: {doktor: own}", "role doktor"),
    ("access.yaml", "roles: {doctor: own}", "roles: {doctor: everything}", "scope everything"),
    ("access.yaml", "    tokens: [\"attendance:write\"]\n", "", "tokens of access.yaml differ"),
    ("asyncapi.yaml", "x-senders: [gateway]", "x-senders: [nobody]", "x-senders"),
    ("asyncapi.yaml", "      reply: {$ref: '#/components/messages/reply'}\n",
     "      upload_read: {$ref: '#/components/messages/upload_read'}\n", "one channel"),
    ("errors.yaml", "class: retry, status: 503}", "class: again, status: 503}", "class of"),
    ("errors.yaml", "params: [column, value]", "params: [column]", "uses {value}"),
    ("errors.yaml", "  doctor_unknown:\n", "  kana_mismatch:\n", "stands twice"),
    ("events/seminar.state.v1.schema.json", '"maxLength": 200', '"minLength": 0', "maxLength"),
    ("events/seminar.state.v1.schema.json", "urn:mamis:event:seminar.state.v1", "urn:x", "$id"),
]


@pytest.mark.parametrize("name,old,new,words", FAULTS)
def test_holes_are_refused(proto, tmp_path, name, old, new, words):
    path = proto / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = generate(proto, tmp_path / "gen")
    assert done.returncode == 1
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "gen").exists()


def test_only_changes_are_written(proto, tmp_path):
    out = tmp_path / "gen"
    assert generate(proto, out).returncode == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    text = (proto / "errors.yaml").read_text(encoding="utf-8")
    (proto / "errors.yaml").write_text(text.replace("title: No number\n", "title: No numbers\n"),
                                       encoding="utf-8")
    assert generate(proto, out).returncode == 0
    changed = {path.name for path in out.iterdir() if path.stat().st_mtime_ns != before[path.name]}
    assert changed == {"codes.c", "reference.md"}


def test_a_new_version_keeps_the_old_names(proto, tmp_path):
    """credits.posted.v2 beside v1: both have their struct."""
    events = proto / "events"
    text = (events / "seminar.state.v1.schema.json").read_text(encoding="utf-8")
    (events / "seminar.state.v2.schema.json").write_text(
        text.replace("seminar.state.v1", "seminar.state.v2"), encoding="utf-8")
    topics = proto / "asyncapi.yaml"
    text = topics.read_text(encoding="utf-8")
    begin = text.index("    seminar_state:\n      name:")
    message = text[begin:text.index("    credits_posted:\n      name:")]
    text = text.replace(message, message + message.replace("seminar_state:", "seminar_state_v2:")
                        .replace("seminar.state.v1", "seminar.state.v2"))
    reference = "      seminar_state: {$ref: '#/components/messages/seminar_state'}\n"
    text = text.replace(reference, reference + reference.replace("seminar_state", "seminar_state_v2"))
    topics.write_text(text, encoding="utf-8")
    done = generate(proto, tmp_path / "gen")
    assert done.returncode == 0, done.stderr
    header = (tmp_path / "gen" / "events.h").read_text(encoding="utf-8")
    assert "struct event_seminar_state {" in header and "struct event_seminar_state_v2 {" in header
    assert '#define EVENT_SEMINAR_STATE_V2 "seminar.state.v2"' in header
