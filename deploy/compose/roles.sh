#!/bin/sh
# Runs once, when PostgreSQL makes its data folder: the login roles with their password. What they may
# do is given by `mamisctl migrate`, which leaves roles as they are.
set -eu
for role in gateway registration credit renewal notification operator; do
    bypass=BYPASSRLS
    [ "$role" != gateway ] || bypass=NOBYPASSRLS
    printf "CREATE ROLE mamis_%s LOGIN %s PASSWORD :'password';\n" "$role" "$bypass"
done | psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" -U postgres -d "$POSTGRES_DB"
