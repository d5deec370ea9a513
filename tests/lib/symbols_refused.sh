#!/bin/sh
# Fails when a library imports one of the named functions: each has a trap that we keep away from.
# Usage: symbols_refused.sh LIBRARY SYMBOL...
set -eu
library=$1
shift
imported=$(nm --undefined-only --format=posix "$library" | cut -d ' ' -f 1 | sort -u)
for symbol in "$@"; do
    if printf '%s\n' "$imported" | grep -qx "$symbol"; then
        echo "$library uses $symbol" >&2
        exit 1
    fi
done
