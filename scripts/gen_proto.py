#!/usr/bin/python3
"""Make C code and the reference page from proto/.

usage: gen_proto.py --proto DIR --out DIR

Writes into OUT/ and touches only files whose content changes:
  errors.h errors.c   process errors                 codes.h codes.c    codes with their texts
  topics.h            topics of Kafka                events.h events.c  events and commands
  access.h access.c access.sql  who may do what
  bodies.h bodies.c   bodies of requests
  routes.h routes.c   routes, parameters             reference.md       all of it, to read
Needs python3-yaml. The standards' own validators run in scripts/check.
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from genproto import access, errors, events, page, routes  # noqa: E402
from genproto.common import Mistake, Output, load_yaml  # noqa: E402


def contracts(proto, out):
    texts = load_yaml(proto / "errors.yaml")
    rights = load_yaml(proto / "access.yaml")
    addresses = load_yaml(proto / "openapi.yaml")
    topics = load_yaml(proto / "asyncapi.yaml")
    schemas = events.load_events(proto / "events")
    table = routes.load_routes(addresses, rights)
    errors.generate(texts, out)
    access.generate(rights, out)
    shapes = events.generate(schemas, topics, out)
    routes.generate(table, out)
    page.generate(addresses, table, rights, topics, shapes, texts, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--proto", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    out = Output(args.out)
    try:
        contracts(args.proto, out)
    except Mistake as mistake:
        print(f"gen_proto: {mistake}", file=sys.stderr)
        return 1
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
