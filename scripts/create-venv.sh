#!/bin/sh
# Creates .venv in the current folder, or keeps the one that works. Usage: scripts/create-venv.sh [PYTHON]
set -eu
python=${1:-python3}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

recent='import sys; sys.exit(sys.version_info < (3, 11))'
if .venv/bin/python -c "$recent" 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    exit 0
fi

command -v "$python" >/dev/null ||
    fail "$python was not found. Mail Preflight needs Python 3.11 or newer: on Debian, apt-get install python3 python3-venv"
"$python" -c "$recent" ||
    fail "$("$python" --version) is too old. Mail Preflight needs Python 3.11 or newer; name one with: make PYTHON=python3.12"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))')
    # Debian splits these modules off into a package of their own.
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "$python cannot create virtual environments. On Debian, the package $package is missing: sudo apt-get install $package"
    fi
    echo "$python cannot create virtual environments: installing the Debian package $package ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
fi

rm -rf .venv
"$python" -m venv .venv
