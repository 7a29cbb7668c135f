"""A member sees their own domain and no other, in the account and in its sandbox."""

from pathlib import Path

import pytest

from checks.model import Unknown
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Right, Role
from tests.web.api import ANNA, running
from tests.worker.service.their_account import SETTINGS
from web.access.granted import needs

OWN, OTHER = "own.example", "other.example"


@pytest.mark.parametrize("live", [True, False])
def test_a_member_has_their_own_domain_only(tmp_path: Path, live: bool) -> None:
    with running(tmp_path) as api:
        preflight = api.preflight
        account = preflight.account(actor=ANNA)
        for name in (OWN, OTHER):
            account.domains.make_known(name)
        member = account.access.add_user("bob", Role.MEMBER, OWN)
        key = account.access.create_key(KeyRequest("bob's", user_id=member.id, live=live))[0]
        assert key.account_id is not None
        there = preflight.account_by_id(key.account_id, actor=ANNA)
        for name in (OWN, OTHER):
            there.domains.make_known(name)

        theirs = preflight.connecting(key.account_id, actor=ANNA, member_of=key.domain_id)
        assert theirs.settings(OWN.upper()) is None
        with pytest.raises(Unknown):
            theirs.settings(OTHER)
        assert preflight.connecting(key.account_id, actor=ANNA, member_of=None).settings(OTHER) is None
        there.changes.save(OWN, SETTINGS)
        assert theirs.settings(OWN) is None, "what is proposed is not in force"


def test_no_handler_gets_the_account_by_the_right_that_a_member_has() -> None:
    with pytest.raises(TypeError):
        needs(Right.CONNECT)
