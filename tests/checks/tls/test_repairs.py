"""Repairs in words: the same kinds in every language, each with its facts."""

import re
from dataclasses import replace

import pytest
from cryptography import x509

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.language import Language
from checks.messages import fix_detail
from checks.messages.en import certificates as certificates_en
from checks.messages.endpoints import endpoint_document
from checks.messages.ja import certificates as certificates_ja
from checks.model import Endpoint, EndpointResult, Fix, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint
from checks.serialize import dump_endpoint_result, load_endpoint_result
from checks.tls.repairs import repair
from checks.trust import Trust
from tests.servers.pki import der
from tests.servers.pki.chain import HOST, Chain
from tests.servers.pki.defects import EXPIRED, planned
from tests.servers.pki.oracle import client_context, memory_handshake
from tests.servers.pki.setups import Setup, staged

FACTS = {
    "host": "mail.lab.example",
    "name": "imap.lab.example",
    "subject": "CN=x",
    "sha256": "0a",
    "date": "2026-03-03",
}


def test_both_languages_know_the_same_repairs() -> None:
    assert set(certificates_en.FIXES) == set(certificates_ja.FIXES)
    for kind, words in certificates_en.FIXES.items():
        assert set(re.findall(r"{(\w+)}", words)) == set(re.findall(r"{(\w+)}", certificates_ja.FIXES[kind])), kind


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", [kind for kind in certificates_en.FIXES if "." not in kind])
def test_a_repair_is_a_whole_sentence(kind: str, language: Language) -> None:
    words = fix_detail(repair(kind, (), **FACTS), language)
    assert not re.search(r"[{}]|  |None", words)
    assert words.endswith("。" if language is Language.JA else ".")
    assert bool(re.search(r"[\u3040-\u30ff]", words)) is (language is Language.JA)


def test_a_name_that_does_not_lead_here_is_told_apart() -> None:
    here, elsewhere = (fix_detail(repair("use_host", name="imap.lab.example", resolves=r)) for r in ("yes", "no"))
    assert here in elsewhere
    assert "DNS" in elsewhere


def test_a_repair_without_words_of_ours_keeps_its_own() -> None:
    assert fix_detail(Fix("use_url", "https://mail.lab.example"), Language.JA) == "https://mail.lab.example"


def test_a_repair_is_kept_and_told_in_the_language_of_the_reader() -> None:
    endpoint = Endpoint(Protocol.IMAP, "mail.lab.example", 993)
    result = EndpointResult(
        endpoint, Verdict.FAIL, Code.TLS_NAME_MISMATCH, fix=repair("use_host", name="x.lab.example")
    )
    kept = load_endpoint_result(dump_endpoint_result(result))
    assert kept == result
    told = [endpoint_document(kept, language).as_json()["fix"] for language in Language]
    assert told[0] != told[1]
    assert all(isinstance(each, dict) and set(each) == {"kind", "detail"} for each in told)


def with_a_hidden_fault() -> Chain:
    """root -> intermediate (URIs of other.example only) -> leaf (expired; its URI is one of lab.example)

    OpenSSL looks at the time before it looks at name constraints, and we do not read constraints of URIs.
    """
    draft = planned()
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.UniformResourceIdentifier(f"https://{HOST}/")])
    only = x509.NameConstraints([x509.UniformResourceIdentifier("other.example")], None)
    draft.leaf = replace(draft.leaf, days=EXPIRED, names=(), extra=(extension(names),))
    draft.issuing = replace(draft.issuing, extra=(extension(only),))
    return draft.build()


def extension(value: x509.ExtensionType) -> der.Extension:
    return der.Extension(value.oid.dotted_string, value.public_bytes())


def test_a_repair_that_openssl_does_not_bear_out_is_not_claimed() -> None:
    chain = with_a_hidden_fault()
    context = CheckContext(Trust(chain.ca_pem), AddressPolicy(allow_all=True))
    with staged(Setup(chain), "imap", "tls") as server:
        result = check_endpoint(Endpoint(Protocol.IMAP, HOST, server.port, Security.TLS), context)

    assert memory_handshake(chain, client_context(chain.ca_pem), HOST).verify_code == 10
    assert not memory_handshake(chain.repaired("renew"), client_context(chain.ca_pem), HOST).accepted
    assert result.fix is not None
    assert (result.code, result.fix.kind) == (Code.TLS_EXPIRED, "replace_certificate")
    assert [warn.code for warn in result.warnings] == [Code.TLS_NAME_CONSTRAINTS]
