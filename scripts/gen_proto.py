#!/usr/bin/python3
"""Make C code and the reference page from proto/.

usage: gen_proto.py --proto DIR --out DIR

Writes into OUT/ and touches only files whose content changes:
  errors.h errors.c   process errors                 codes.h codes.c    codes with their texts
  topics.h            topics of Kafka                events.h events.c  events and commands
  access.h access.c   who may do what                bodies.h bodies.c  bodies of requests
  routes.h routes.c   routes, parameters
Needs python3-yaml. The standards' own validators run in scripts/check.
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from genproto import access, errors, events, routes  # noqa: E402
from genproto.common import Mistake, Output, load_yaml  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--proto", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    out = Output(args.out)
    try:
        rights = load_yaml(args.proto / "access.yaml")
        schemas = events.load_events(args.proto / "events")
        errors.generate(load_yaml(args.proto / "errors.yaml"), out)
        access.generate(rights, out)
        events.generate(schemas, load_yaml(args.proto / "asyncapi.yaml"), out)
        routes.generate(routes.load_routes(load_yaml(args.proto / "openapi.yaml"), rights), out)
    except Mistake as mistake:
        print(f"gen_proto: {mistake}", file=sys.stderr)
        return 1
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
