"""What is said of an endpoint besides its codes, in English. See `checks.messages.endpoints`."""

from checks.language import Texts

WORDS: Texts = {
    "endpoint.ok": "works",
    "endpoint.fail": "does not work",
    "endpoint.inconclusive": "could not tell",
    "place.no_login": "without login",
    "step.resolve": "find the address",
    "step.connect": "connect",
    "step.tls": "TLS",
    "step.starttls": "STARTTLS",
    "step.greeting": "greeting",
    "step.capabilities": "capabilities",
    "step.request": "request",
    "step.authentication": "login methods",
    "step.allowed": "; allowed by the option",
    "exchange.typed": "You typed {typed}; what is used is {url}",
    "option.needed": "the option “allow insecure certificate” is needed for this server; without it nobody connects.",
    "option.until": " It lets in the key met now: expect another one, to be checked and applied anew, by {date}.",
    "option.not_needed": "The option “allow insecure certificate” is not needed for this server; untick it.",
    "option.needed_elsewhere": (
        "The option “allow insecure certificate” is not needed for this server, only for another one of these settings:"
        " it holds for all of them."
    ),
    "option.would_not_help": "The option “allow insecure certificate” would not help with this server.",
    "source.shared": "the shared address",
    "source.shared_as": "{source} (shared)",
    "admission.admitted": "admitted",
    "admission.refused": "refused: the connection was turned away at once",
    "admission.dropped": "dropped: no answer at all, as a firewall does it",
    "admission.closed": "closed: connected, and cut off before a word was said",
    "admission.silent": "silent: connected, and nothing was said",
    "admission.blocked": "blocked: the server says so",
    "admission.busy": "put off: the server asks to come again later",
    "admission.banned": "banned: admitted at first, and then no more",
    "admission.no_family": "not tried: the server has no address of this family",
    "admission.not_here": "not tried: the machine that tests does not have this address",
    "admission.unreachable": "not tried: there is no network route from this address",
    "judged": "Certificates judged by {openssl}.",
    "judged.strictly": "Certificates judged by {openssl}, with the strict rules of Python 3.13 and later.",
    "large_hello.not_tested": (
        "Not tested: a first TLS message of several packets, as apps with OpenSSL 3.5 or later send it;"
        " {openssl} sends none."
    ),
}
