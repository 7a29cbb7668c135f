#!/bin/sh
# Writes .env beside compose.yaml with a fresh key and password. Never touches one that is there.
set -eu
cd "$(dirname "$0")/.."
umask 077

if [ -e .env ]; then
    echo ".env is there already; it was left as it is" >&2
    exit 1
fi

# A Fernet key: 32 random bytes in URL-safe base64.
key=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')
password=$(od -An -v -tx1 -N 24 /dev/urandom | tr -d ' \n')

sed -e "s|^MAIL_PREFLIGHT_SECRET_KEY=.*|MAIL_PREFLIGHT_SECRET_KEY=$key|" \
    -e "s|^MAIL_PREFLIGHT_DATABASE_PASSWORD=.*|MAIL_PREFLIGHT_DATABASE_PASSWORD=$password|" \
    .env.example >.env
echo "Wrote .env. Keep a copy of the key elsewhere: credentials can be read with it only."
