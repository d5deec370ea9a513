"""The parts of scripts/gen_proto.py, one module for each contract."""
