#!/bin/sh
# Runs make targets in a fresh Debian 12 or 13: scripts/in-debian.sh RELEASE TARGET...  (for example: 13 test)
#
# Ends with 3 where this machine cannot have such a system (no root, no namespaces, no mirror), else as make does.
# Needs root. What runs is the commit that is checked out, in a clone of its own: changes that are not committed are
# left out. The base system comes from debootstrap once a release and is kept, with what apt and pip downloaded, below
# $MAIL_PREFLIGHT_CACHE (default: the user's cache folder). All else is removed at the end, whatever happens.
#
# Where packages come from is taken from this machine: apt's sources, proxies and options, pip's index settings, npm's
# registry from its variable, the proxy variables, /etc/hosts and the certificates of its own authorities.
set -eu

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$1" >&2
    exit "${2:-2}"
}

# Packages of the base system: what the README asks of a Debian machine before the first `make`.
PREREQUISITES="ca-certificates git make python3 python3-venv"
CARRIED="http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NPM_CONFIG_REGISTRY CI PYTEST_ADDOPTS"

cache=${MAIL_PREFLIGHT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var}/.cache}/mail-preflight}

name_of() {
    case $1 in
        12) echo bookworm ;;
        13) echo trixie ;;
        *) fail "Debian $1 is not known here. Usage: scripts/in-debian.sh 12|13 TARGET..." ;;
    esac
}

# The address that this machine's apt has for Debian (or, by its label, Debian-Security); nothing where it has none.
mirror_of() {
    command -v apt-get >/dev/null || return 0
    apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed -n "s/^$1 main \(https\{0,1\}:.*[^/]\)\/*$/\1/p" | head -n 1
}

find_debootstrap() {
    command -v debootstrap >/dev/null && return
    command -v apt-get >/dev/null || fail "debootstrap is missing; install it first."
    say "Installing the Debian package debootstrap ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap
}

# The base system as a tar file: only what debootstrap makes, nothing of this machine's settings.
make_base() {
    find_debootstrap
    say "Making a base system of Debian $release ($codename), once ..."
    proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null || true)"
    # shellcheck disable=SC2086 # no mirror known: debootstrap's own default
    http_proxy=${http_proxy:-$proxy} debootstrap --variant=minbase "$codename" "$scratch/base" $(mirror_of Debian) \
        >"$scratch/debootstrap.log" || fail "debootstrap failed: $(tail -n 3 "$scratch/debootstrap.log")" 3
    rm -f "$scratch"/base/var/cache/apt/archives/*.deb
    tar -C "$scratch/base" -cf "$base.part$$" .
    mv "$base.part$$" "$base"
    rm -rf "$scratch/base"
}

write_sources() {
    mirror=$(mirror_of Debian)
    security=$(mirror_of Debian-Security)
    if [ -n "$mirror" ]; then
        printf 'deb %s %s main\ndeb %s %s-updates main\n' "$mirror" "$codename" "$mirror" "$codename"
    fi >"$root/etc/apt/sources.list.d/mirror.list"
    if [ -n "$mirror" ]; then : >"$root/etc/apt/sources.list"; fi
    if [ -n "$security" ]; then
        printf 'deb %s %s-security main\n' "$security" "$codename" >"$root/etc/apt/sources.list.d/security.list"
    fi
    {
        apt-config dump Acquire 2>/dev/null | grep -E '^Acquire::(https?|ftp|Check|Retries)' || true
        # downloads are kept for the next run
        printf 'APT::Keep-Downloaded-Packages "true";\nBinary::apt::APT::Keep-Downloaded-Packages "true";\n'
    } >"$root/etc/apt/apt.conf.d/90in-debian"
}

# pip's settings as a file, without those that name a place on this machine's disk.
write_pip_settings() {
    say "[global]"
    env | sed -n 's/^PIP_\(INDEX_URL\|EXTRA_INDEX_URL\|TRUSTED_HOST\|PROXY\|DEFAULT_TIMEOUT\|RETRIES\)=/\1=/p' |
        while IFS='=' read -r name value; do
            printf '%s = %s\n' "$(printf %s "$name" | tr 'A-Z_' 'a-z-')" "$value"
        done
    python3 -m pip --disable-pip-version-check config list 2>/dev/null |
        sed -n "s/^global\.\(index-url\|extra-index-url\|trusted-host\|proxy\|retries\)='\(.*\)'$/\1 = \2/p" |
        grep -v file: || true
    say "cert = /etc/ssl/certs/ca-certificates.crt"
}

copy_settings() {
    write_sources
    write_pip_settings | awk -F' = ' '!seen[$1]++' >"$root/etc/pip.conf"
    cat /etc/hosts >"$root/etc/hosts"
    cat /etc/resolv.conf >"$root/etc/resolv.conf"
    grep -q '^::1.*localhost' "$root/etc/hosts" || say "::1 localhost ip6-localhost" >>"$root/etc/hosts"
    mkdir -p "$root/usr/local/share/ca-certificates"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \; 2>/dev/null || true
    # nothing that a package brings may start
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
}

# Runs as process 1 of its own namespaces, so all that it mounts and starts is gone when it ends.
enter() {
    mount --rbind "$root" "$root" # a mount, so that what runs inside can have namespaces of its own
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount --rbind /sys "$root/sys"
    mkdir -p "$cache/apt-$release" "$cache/pip" "$root/root/.cache/pip"
    mount --bind "$cache/apt-$release" "$root/var/cache/apt/archives"
    mount --bind "$cache/pip" "$root/root/.cache/pip"
    set -- "$@"
    for name in $CARRIED; do
        eval "value=\${$name-}"
        if [ -n "$value" ]; then set -- "$name=$value" "$@"; fi
    done
    env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive PREREQUISITES="$PREREQUISITES" "$@"
}

inside() {
    # shellcheck disable=SC2016 # expanded inside
    enter chroot "$root" sh -ec '
        apt-get update -qq
        apt-get dist-upgrade -y -qq >/dev/null
        apt-get install -y -qq --no-install-recommends $PREREQUISITES >/dev/null
        cd /srv/mail-preflight
        python3 --version
        make "$@"' sh "$@"
}

main() {
    [ $# -ge 2 ] || fail "Usage: scripts/in-debian.sh 12|13 TARGET..."
    [ "$(id -u)" -eq 0 ] || fail "scripts/in-debian.sh needs root: it makes a system of its own and enters it." 3
    unshare --mount --pid --fork true 2>/dev/null || fail "This machine allows no namespaces; nothing was run." 3
    release=$1
    shift
    codename=$(name_of "$release")
    cd "$(dirname "$0")/.."
    mkdir -p "$cache"
    base=$cache/debian-$release-$(dpkg --print-architecture 2>/dev/null || uname -m).tar
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/mail-preflight-debian.XXXXXX")
    trap 'rm -rf --one-file-system "$scratch"' EXIT
    trap 'exit 1' HUP INT TERM
    [ -e "$base" ] || make_base
    root=$scratch/root
    mkdir "$root"
    tar -C "$root" -xf "$base"
    copy_settings
    git clone --quiet --no-hardlinks . "$root/srv/mail-preflight"
    [ -z "$(git status --porcelain)" ] || say "Changes that are not committed are left out."
    say "Debian $release ($codename), commit $(git rev-parse --short HEAD): make $*"
    export root cache release PREREQUISITES CARRIED
    unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" "$0" --inside "$@"
}

if [ "${1-}" = --inside ]; then
    shift
    inside "$@"
else
    main "$@"
fi
