#!/bin/sh
# Fails when an object or library imports one of the named functions: each has a trap that we keep
# away from. Usage: symbols_refused.sh FILE... -- SYMBOL...
set -eu
imported=""
while [ "$1" != "--" ]; do
    imported="$imported
$(nm --undefined-only --format=posix "$1" | cut -d ' ' -f 1)"
    shift
done
shift
for symbol in "$@"; do
    if printf '%s\n' "$imported" | grep -qx "$symbol"; then
        echo "$symbol is used" >&2
        exit 1
    fi
done
