"""`/v1/me`: whose the key is that asks, and what it may do."""

from typing import Annotated

from web.access.caller import Caller
from web.access.granted import has_key
from web.access.routing import router
from web.api.access.key_document import KeyDocument, key_document
from web.documents import Document
from worker.service.preflight import Preflight

routes = router("access")


class MeDocument(Document):
    """Who asks. `account` is null for an operator, `domain` for everybody but a member."""

    key: KeyDocument
    account: str | None
    domain: str | None


@routes.get("/v1/me", operation_id="me.get", summary="Who am I?")
def get(asked: Annotated[tuple[Preflight, Caller], has_key()]) -> MeDocument:
    """The key of this request, its user and its account."""
    preflight, caller = asked
    key = caller.key
    account = preflight.account_name(key.account_id) if key.account_id is not None else None
    domain = preflight.domain_name(key.domain_id) if key.domain_id is not None else None
    return MeDocument(key=key_document(key), account=account, domain=domain)
