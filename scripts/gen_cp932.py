#!/usr/bin/env python3
"""Usage: gen_cp932.py OUT.h

Writes the double-byte part of Microsoft's code page 932 as a C table: NEC, IBM and user-defined
characters (F040-F9FC, U+E000 on) included. Zero stands for pairs without a character.
"""
import sys

LEADS = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
TRAIL_FIRST, TRAIL_LAST = 0x40, 0xFC


def code_point(lead, trail):
    try:
        text = bytes([lead, trail]).decode("cp932")
    except UnicodeDecodeError:
        return 0
    return ord(text) if len(text) == 1 else 0


def main(out):
    lines = ["/* Made by scripts/gen_cp932.py: CP932 lead and trail byte to Unicode. */", "#pragma once",
             "#include <stdint.h>", "",
             f"enum {{ CP932_LEADS = {len(LEADS)}, CP932_TRAIL_FIRST = {TRAIL_FIRST}, "
             f"CP932_TRAILS = {TRAIL_LAST - TRAIL_FIRST + 1} }};", "",
             "static const uint16_t cp932_pairs[CP932_LEADS][CP932_TRAILS] = {"]
    for lead in LEADS:
        points = [code_point(lead, trail) for trail in range(TRAIL_FIRST, TRAIL_LAST + 1)]
        assert all(point < 0x10000 for point in points)
        lines.append("    {" + ", ".join(f"0x{point:04X}" if point else "0" for point in points) + "},")
    lines.append("};")
    with open(out, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
