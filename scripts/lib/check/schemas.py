#!/usr/bin/python3
"""JSON Schemas of proto/ against their metaschema, examples against their schemas.

usage: schemas.py PROTO_DIR
"""
import json
import pathlib
import sys

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

FORMATS = FormatChecker()


def problems_of(validator, value, where):
    for error in validator.iter_errors(value):
        place = "/".join(str(part) for part in error.absolute_path)
        yield f"{where}: /{place}: {error.message}"


def check_events(folder):
    for path in sorted((folder / "events").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            yield f"{path}: {error.message}"
            continue
        validator = Draft202012Validator(schema, format_checker=FORMATS)
        for place, example in enumerate(schema.get("examples", [])):
            yield from problems_of(validator, example, f"{path} example {place}")


def examples_of(node, where=""):
    """(schema, example, where) of every media type of an OpenAPI document."""
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield node["schema"], node["example"], where
        for key, value in node.items():
            yield from examples_of(value, f"{where}/{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from examples_of(value, f"{where}/{place}")


def check_openapi(path):
    doc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, schema in doc["components"]["schemas"].items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            yield f"{path}: {name}: {error.message}"
    for schema, example, where in examples_of(doc):
        whole = {"components": doc["components"], "allOf": [schema]}
        validator = Draft202012Validator(whole, format_checker=FORMATS)
        yield from problems_of(validator, example, f"{path}{where}")


def main():
    proto = pathlib.Path(sys.argv[1])
    wrong = list(check_events(proto)) + list(check_openapi(proto / "openapi.yaml"))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
