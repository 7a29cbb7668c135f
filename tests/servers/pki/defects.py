"""What can be wrong with a chain, by name. Each defect changes a `Plan`; several may be put into one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

from tests.servers.pki import der
from tests.servers.pki.chain import (
    HOST,
    OTHER_HOST,
    PRIVATE_ROOT,
    ROOT,
    TRUSTED_ROOTS,
    AiaUrls,
    Chain,
    Plan,
    issued_root,
    no_aia,
    plan,
)
from tests.servers.pki.recipe import Issued, Recipe, authority, issue

UNKNOWN_OID = "1.3.6.1.4.1.55555.1"
CRITICAL = der.Extension(UNKNOWN_OID, der.tlv(0x05), critical=True)
EXPIRED, NOT_YET, SOON = (-90.0, -3.0), (3.0, 90.0), (-89.0, 1.0)
CA_EXPIRED, CA_NOT_YET, CA_SOON = (-1000.0, -2.0), (2.0, 1000.0), (-1000.0, 9.0)


class Defect(StrEnum):
    """Named after the certificate it is in; what the server sends comes last."""

    LEAF_SELF_SIGNED = "leaf self-signed"
    LEAF_SELF_SIGNED_CA = "leaf self-signed and a CA"
    LEAF_EXPIRED = "leaf expired"
    LEAF_NOT_YET_VALID = "leaf not yet valid"
    LEAF_EXPIRES_SOON = "leaf expires soon"
    LEAF_OTHER_NAME = "leaf for another name"
    LEAF_CN_ONLY = "leaf without alternative names"
    LEAF_WILDCARD = "leaf for a wildcard"
    LEAF_WEAK_KEY = "leaf with an RSA key of 1024 bits"
    LEAF_SHA1 = "leaf signed with SHA-1"
    LEAF_CLIENT_PURPOSE = "leaf for clients"
    LEAF_WRONG_USAGE = "leaf whose key may only sign CRLs"
    LEAF_CRITICAL = "leaf with an unknown critical extension"
    LEAF_BAD_SIGNATURE = "leaf with a damaged signature"
    LEAF_NO_IDENTIFIERS = "leaf without key identifiers"

    CA_EXPIRED = "intermediate expired"
    CA_NOT_YET_VALID = "intermediate not yet valid"
    CA_EXPIRES_SOON = "intermediate expires soon"
    CA_WEAK_KEY = "intermediate with an RSA key of 1024 bits"
    CA_SHA1 = "intermediate signed with SHA-1"
    CA_NOT_A_CA = "intermediate that is no CA"
    CA_NO_CONSTRAINTS = "intermediate without basic constraints"
    CA_MAY_NOT_SIGN = "intermediate whose key may not sign certificates"
    CA_CLIENT_PURPOSE = "intermediate for client certificates"
    CA_PATH_LENGTH = "intermediate below one that allows none"
    CA_NAME_NOT_PERMITTED = "intermediate for other names"
    CA_NAME_EXCLUDED = "intermediate that excludes the name"
    CA_CRITICAL = "intermediate with an unknown critical extension"
    CA_BAD_SIGNATURE = "intermediate with a damaged signature"
    CA_NO_USAGE = "intermediate without key usage"

    ROOT_PRIVATE = "root not trusted"
    ROOT_EXPIRED = "root expired"
    ROOT_NOT_YET_VALID = "root not yet valid"
    ROOT_NO_USAGE = "root without key usage"
    ROOT_NO_IDENTIFIERS = "root without key identifiers"
    ROOT_PATH_LENGTH = "root that allows no intermediate"
    ROOT_WEAK_KEY = "root with an RSA key of 1024 bits"
    ROOT_CONSTRAINED = "root for other names"

    SENT_WITHOUT_INTERMEDIATE = "intermediate not sent"
    SENT_OTHER_INTERMEDIATE = "another intermediate sent"
    SENT_REKEYED_INTERMEDIATE = "an intermediate of that name and another key sent"
    SENT_UNORDERED = "sent in the wrong order"
    SENT_UNNEEDED = "sent with a certificate that is not needed"
    SENT_ROOT = "sent with its root"
    SENT_TWICE = "sent with the leaf twice"


Change = Callable[[Plan], None]


def forge(defects: Iterable[Defect] = (), host: str = HOST, depth: int = 1, aia: AiaUrls = no_aia) -> Chain:
    """A chain with these defects: `depth` intermediates (1 or more) between the lab's root and a leaf for `host`."""
    return planned(defects, host, depth, aia).build()


def planned(defects: Iterable[Defect] = (), host: str = HOST, depth: int = 1, aia: AiaUrls = no_aia) -> Plan:
    """As `forge`, not built yet, for changes that have no name. Defects are applied in the order of `Defect`."""
    draft = plan(host, depth)
    draft.aia = aia
    wanted = set(defects)
    for defect in Defect:
        if defect in wanted:
            CHANGES[defect](draft)
    return draft


def _leaf(**changes: object) -> Change:
    def change(draft: Plan) -> None:
        draft.leaf = replace(draft.leaf, **changes)  # type: ignore[arg-type]  # the table below names fields of Recipe

    return change


def _issuing(**changes: object) -> Change:
    def change(draft: Plan) -> None:
        draft.issuing = replace(draft.issuing, **changes)  # type: ignore[arg-type]  # as above

    return change


def _root(recipe: Recipe) -> Change:
    def change(draft: Plan) -> None:
        draft.root = recipe

    return change


def _sends(sender: Callable[[Chain], Sequence[Issued]]) -> Change:
    return lambda draft: draft.senders.append(sender)


def _self_signed(draft: Plan, *, is_ca: bool) -> None:
    draft.self_signed = True
    if is_ca:  # what `openssl req -x509` makes of a key
        draft.leaf = replace(draft.leaf, ca=True, usage=None, purposes=None)


def _path_length(draft: Plan) -> None:
    """Another intermediate above the issuing one, which allows none below itself (RFC 5280, 4.2.1.9)."""
    draft.intermediates.insert(-1, replace(authority("Lab Intermediate For Leaves Only"), path_length=0))


def _rekeyed(chain: Chain) -> Sequence[Issued]:
    """An authority that went on under its name with a new key, and a server that still sends the old certificate."""
    if len(chain.sent) < 2 or len(chain.path) < 3:
        return chain.sent
    recipe = replace(chain.path[1].recipe, key=f"{chain.path[1].recipe.subject} of old")
    return (chain.sent[0], issue(recipe, chain.path[2]), *chain.sent[2:])


def stranger() -> Issued:
    """An intermediate of the lab's root that has nothing to do with any chain."""
    return issue(authority("Lab Stranger"), issued_root(ROOT))


CHANGES: Mapping[Defect, Change] = {
    Defect.LEAF_SELF_SIGNED: partial(_self_signed, is_ca=False),
    Defect.LEAF_SELF_SIGNED_CA: partial(_self_signed, is_ca=True),
    Defect.LEAF_EXPIRED: _leaf(days=EXPIRED),
    Defect.LEAF_NOT_YET_VALID: _leaf(days=NOT_YET),
    Defect.LEAF_EXPIRES_SOON: _leaf(days=SOON),
    Defect.LEAF_OTHER_NAME: _leaf(subject=OTHER_HOST, names=(OTHER_HOST,)),
    Defect.LEAF_CN_ONLY: _leaf(names=()),
    Defect.LEAF_WILDCARD: _leaf(names=("*.lab.example",)),
    Defect.LEAF_WEAK_KEY: _leaf(kind="rsa1024"),
    Defect.LEAF_SHA1: _leaf(digest="sha1"),
    Defect.LEAF_CLIENT_PURPOSE: _leaf(purposes=("client",)),
    Defect.LEAF_WRONG_USAGE: _leaf(usage=("crl_sign",)),
    Defect.LEAF_CRITICAL: _leaf(extra=(CRITICAL,)),
    Defect.LEAF_BAD_SIGNATURE: _leaf(flipped=True),
    Defect.LEAF_NO_IDENTIFIERS: _leaf(identifiers=False),
    Defect.CA_EXPIRED: _issuing(days=CA_EXPIRED),
    Defect.CA_NOT_YET_VALID: _issuing(days=CA_NOT_YET),
    Defect.CA_EXPIRES_SOON: _issuing(days=CA_SOON),
    Defect.CA_WEAK_KEY: _issuing(kind="rsa1024"),
    Defect.CA_SHA1: _issuing(digest="sha1"),
    Defect.CA_NOT_A_CA: _issuing(ca=False),
    Defect.CA_NO_CONSTRAINTS: _issuing(ca=None, usage=None),
    Defect.CA_MAY_NOT_SIGN: _issuing(usage=("digital_signature",)),
    Defect.CA_CLIENT_PURPOSE: _issuing(purposes=("client",)),
    Defect.CA_PATH_LENGTH: _path_length,
    Defect.CA_NAME_NOT_PERMITTED: _issuing(permitted=("other.example",)),
    Defect.CA_NAME_EXCLUDED: _issuing(excluded=("lab.example",)),
    Defect.CA_CRITICAL: _issuing(extra=(CRITICAL,)),
    Defect.CA_BAD_SIGNATURE: _issuing(flipped=True),
    Defect.CA_NO_USAGE: _issuing(usage=None),
    Defect.ROOT_PRIVATE: _root(PRIVATE_ROOT),
    Defect.ROOT_EXPIRED: _root(TRUSTED_ROOTS["expired"]),
    Defect.ROOT_NOT_YET_VALID: _root(TRUSTED_ROOTS["not_yet_valid"]),
    Defect.ROOT_NO_USAGE: _root(TRUSTED_ROOTS["no_usage"]),
    Defect.ROOT_NO_IDENTIFIERS: _root(TRUSTED_ROOTS["no_identifiers"]),
    Defect.ROOT_PATH_LENGTH: _root(TRUSTED_ROOTS["path_length"]),
    Defect.ROOT_WEAK_KEY: _root(TRUSTED_ROOTS["weak_key"]),
    Defect.ROOT_CONSTRAINED: _root(TRUSTED_ROOTS["constrained"]),
    Defect.SENT_WITHOUT_INTERMEDIATE: _sends(lambda chain: (chain.sent[0], *chain.sent[2:])),
    Defect.SENT_OTHER_INTERMEDIATE: _sends(lambda chain: (chain.sent[0], stranger(), *chain.sent[2:])),
    Defect.SENT_REKEYED_INTERMEDIATE: _sends(_rekeyed),
    Defect.SENT_UNORDERED: _sends(lambda chain: (chain.sent[0], *reversed(chain.sent[1:]))),
    Defect.SENT_UNNEEDED: _sends(lambda chain: (*chain.sent, stranger())),
    Defect.SENT_ROOT: _sends(lambda chain: (*chain.sent, chain.path[-1]) if len(chain.path) > 1 else chain.sent),
    Defect.SENT_TWICE: _sends(lambda chain: (*chain.sent, chain.sent[0])),
}
