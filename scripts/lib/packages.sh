# shellcheck shell=bash
# Sourced by scripts/run and scripts/test: install what scripts/packages.txt names and is missing.

# The packages that are missing, one a line. Needs no rights and no network.
packages_missing() {
    local list=$1 package unless
    while read -r package unless; do
        case $package in '' | '#'*) continue ;; esac
        if [ -n "$unless" ] && command -v "${unless#\?}" >/dev/null 2>&1; then
            continue
        fi
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            echo "$package"
        fi
    done <"$list"
}

# Run a command with all rights.
packages_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "cannot install packages: neither root nor sudo" >&2
        return 1
    fi
}

# Files that keep packages from starting services while they are installed; what was there stays.
PACKAGES_POLICY=/usr/sbin/policy-rc.d
PACKAGES_CLUSTER=/etc/postgresql-common/createcluster.d/mamis.conf

packages_quiet_on() {
    if [ ! -e "$PACKAGES_POLICY" ]; then
        packages_policy_made=yes
        printf '#!/bin/sh\nexit 101\n' | packages_as_root tee "$PACKAGES_POLICY" >/dev/null
        packages_as_root chmod 755 "$PACKAGES_POLICY"
    fi
    if [ ! -e "$PACKAGES_CLUSTER" ]; then
        packages_cluster_made=yes
        packages_as_root mkdir -p "${PACKAGES_CLUSTER%/*}"
        echo 'create_main_cluster = false' | packages_as_root tee "$PACKAGES_CLUSTER" >/dev/null
    fi
}

packages_quiet_off() {
    if [ "${packages_policy_made:-no}" = yes ]; then
        packages_as_root rm -f "$PACKAGES_POLICY"
    fi
    if [ "${packages_cluster_made:-no}" = yes ]; then
        packages_as_root rm -f "$PACKAGES_CLUSTER"
        packages_as_root rmdir --ignore-fail-on-non-empty "${PACKAGES_CLUSTER%/*}"
    fi
    packages_policy_made=no packages_cluster_made=no
}

# packages_install LIST LOG: shows what is missing, installs it, starts no service.
packages_install() {
    local list=$1 log=$2 result=0
    local -a missing
    mapfile -t missing < <(packages_missing "$list")
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "this machine has no apt-get; install these by hand: ${missing[*]}" >&2
        return 1
    fi
    echo "packages to install: ${missing[*]}"
    mkdir -p "$(dirname "$log")"
    trap packages_quiet_off EXIT
    packages_quiet_on &&
        packages_as_root apt-get update -q >"$log" 2>&1 &&
        packages_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
            --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" \
            >>"$log" 2>&1 || result=$?
    packages_quiet_off
    trap - EXIT
    if [ "$result" -ne 0 ]; then
        tail -n 15 "$log" >&2
        echo "installing packages failed (log: $log). Cure: check the network and the package" \
            "sources, or install by hand: ${missing[*]}" >&2
    fi
    return "$result"
}
