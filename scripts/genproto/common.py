"""Reading contracts, writing files, spelling C."""
import json
import re

import yaml


class Mistake(Exception):
    """Something in proto/ that must be put right there."""


# By libyaml where Python has it: several times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueLoader(_Loader):
    """Refuses a key that stands twice in one mapping."""


def _unique_mapping(loader, node, deep=False):
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            raise Mistake(f"{key_node.start_mark.name}:{key_node.start_mark.line + 1}: "
                          "merge keys are no YAML 1.2")
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise Mistake(f"{key_node.start_mark.name}:{key_node.start_mark.line + 1}: "
                          f"'{key}' stands twice")
        seen.add(key)
    return _Loader.construct_mapping(loader, node, deep)


_UniqueLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
# Dates stay text, as in JSON.
_UniqueLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load_yaml(path):
    with open(path, encoding="utf-8") as file:
        try:
            return yaml.load(file, _UniqueLoader)
        except yaml.YAMLError as error:
            raise Mistake(f"{path}: {error}") from None


def load_json(path):
    def unique(pairs):
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise Mistake(f"{path}: '{key}' stands twice")
        return dict(pairs)

    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise Mistake(f"{path}: {error}") from None


class Output:
    """Files of one run; written at the end, only where the content differs."""

    def __init__(self, folder):
        self.folder = folder
        self.files = {}

    def add(self, name, text):
        self.files[name] = text if text.endswith("\n") else text + "\n"

    def flush(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            path = self.folder / name
            data = text.encode("utf-8")
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)


def c_text(text):
    """A C string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def c_name(text):
    """credits.posted.v1 -> credits_posted_v1"""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()).strip("_")


def banner(about, source):
    return f"/* {about} Made from {source} by scripts/gen_proto.py: do not edit. */\n"


def expect(condition, message):
    if not condition:
        raise Mistake(message)
