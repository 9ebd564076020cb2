#!/bin/sh
# Makes the certificates with which the sample proves itself, and the key of its server, which is a key for this test
# alone: whoever reads these files has it. The authorities' own keys are not kept, so neither can sign anything more.
# All are valid from 2020 for a hundred years, but for the one that has expired. Needs OpenSSL 3.4 or newer.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

export OPENSSL_CONF="$scratch/openssl.cnf"
printf '[req]\ndistinguished_name = names\n[names]\n' > "$OPENSSL_CONF"
make() { openssl req -x509 -not_before 20200101000000Z "$@"; }
new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

new_key test-only-key.pem
chmod 0644 test-only-key.pem # the server runs as nobody
for authority in authority other-authority; do
    new_key "$scratch/$authority.key"
    make -key "$scratch/$authority.key" -out "$authority.pem" -subj "/CN=small-tls test $authority" \
        -not_after 21200101000000Z -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
done
for server in "server 2120" "expired 2021"; do
    make -CA authority.pem -CAkey "$scratch/authority.key" -key test-only-key.pem -out "${server% *}.pem" \
        -subj /CN=localhost -not_after "${server#* }0101000000Z" -addext subjectAltName=DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
        -addext extendedKeyUsage=serverAuth
done
