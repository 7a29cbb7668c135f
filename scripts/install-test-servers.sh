#!/bin/sh
# Installs the Debian packages that the tests start: Dovecot, Postfix, Redis, PostgreSQL and Chromium. With --with-node
# also Node and npm, for the mail clients of Node, unless some other ones are there: they are 340 packages, and take a while.
#
# Does nothing when all are there. Needs root or sudo. Nothing is started or enabled by it: the tests run their own
# copies, with their own configuration, below /tmp.
set -eu

packages="dovecot-imapd postfix redis-server postgresql curl openssl procps util-linux libsasl2-modules docker-compose iproute2 nftables \
chromium fonts-noto-cjk"
policy=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*"; }

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

find_missing() {
    for package in $packages; do
        is_installed "$package" || printf '%s ' "$package"
    done
    if [ "${1-}" = --with-node ]; then
        command -v node >/dev/null || printf 'nodejs '
        command -v npm >/dev/null || printf 'npm '
    fi
}

# Services that a package brings ask policy-rc.d whether they may start; 101 means "forbidden by policy".
forbid_starting() {
    # one saved by an interrupted run of ours is the true one
    if [ -e "$policy" ] && [ ! -e "$policy.before-test-servers" ]; then
        mv "$policy" "$policy.before-test-servers"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

allow_starting() {
    rm -f "$policy"
    if [ -e "$policy.before-test-servers" ]; then
        mv "$policy.before-test-servers" "$policy"
    fi
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    say "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -q --no-install-recommends $1
}

main() {
    if ! command -v dpkg-query >/dev/null; then
        say "This script knows Debian and Ubuntu only. Install these yourself: Dovecot 2.3 or 2.4, Postfix, Redis," \
            "PostgreSQL, curl, openssl, docker-compose, Chromium."
        exit 2
    fi
    missing=$(find_missing "$@")
    if [ -z "$missing" ]; then
        say "The servers for the tests are installed already."
        exit 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "These packages are missing: $missing"
            say "Run this script as root, or install sudo."
            exit 2
        fi
        say "Asking sudo for root to install: $missing"
        exec sudo sh "$0" "$@"
    fi
    say "Installing Debian packages for the tests, without starting their services: $missing"
    trap allow_starting EXIT
    trap 'exit 1' HUP INT TERM
    forbid_starting
    install_packages "$missing"
    say "Done."
}

main "$@"
