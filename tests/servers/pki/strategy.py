"""Random chains for property tests."""

from hypothesis import strategies as st

from tests.servers.pki.chain import HOST, AiaUrls, Chain, no_aia
from tests.servers.pki.defects import Defect, forge


def _named(prefix: str) -> list[Defect]:
    return [defect for defect in Defect if defect.name.startswith(prefix)]


SELF_SIGNED = frozenset({Defect.LEAF_SELF_SIGNED, Defect.LEAF_SELF_SIGNED_CA})
LEAF = [defect for defect in _named("LEAF_") if defect not in SELF_SIGNED]
ISSUER, ROOTS, SENT = _named("CA_"), _named("ROOT_"), _named("SENT_")


@st.composite
def chains(draw: st.DrawFn, aia: AiaUrls = no_aia, host: str = HOST) -> Chain:
    """Chains of one to three intermediates with up to five defects, one chain in five without any.

    All of them are to be judged with the trust store of `trust_pem`. `aia` gives the caIssuers URLs.
    """
    if draw(st.integers(0, 9)) == 0:
        return forge({draw(st.sampled_from(sorted(SELF_SIGNED))), *draw(_few(LEAF, 2))}, host)
    found = {*draw(_few(LEAF, 2)), *draw(_few(ISSUER, 1)), *draw(_few(SENT, 1)), *draw(_few(ROOTS, 1))}
    return forge(found, host, draw(st.integers(1, 3)), aia)


def _few(defects: list[Defect], most: int) -> st.SearchStrategy[frozenset[Defect]]:
    """Rather none than many: what is wrong alone is met as often as what is wrong in company."""
    return st.one_of(
        st.just(frozenset[Defect]()),
        st.just(frozenset[Defect]()),
        st.frozensets(st.sampled_from(defects), min_size=1, max_size=most),
    )
