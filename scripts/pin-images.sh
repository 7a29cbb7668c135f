#!/bin/sh
# Asks the registry for the digests of the images that compose.yaml names, and writes them into .env. Needs docker.
set -eu
cd "$(dirname "$0")/.."
[ -e .env ] || { echo "there is no .env; scripts/make-env.sh writes one" >&2; exit 1; }

pin() {
    digest=$(docker buildx imagetools inspect "$2" --format '{{.Manifest.Digest}}')
    case $digest in
        sha256:*) ;;
        *) echo "no digest for $2: $digest" >&2; exit 1 ;;
    esac
    sed "s|^$1=.*|$1=@$digest|" .env >.env.new
    cat .env.new >.env # keeps its mode
    rm .env.new
    echo "$2@$digest"
}

pin PYTHON_DIGEST python:3.11-slim-bookworm
pin REDIS_DIGEST redis:7.4-bookworm
pin POSTGRES_DIGEST postgres:17-bookworm
