"""What the canaries say: whether they all came to the same bad end, and why."""

from collections.abc import Sequence

from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import Protocol
from settings_store.mailboxes import rejections
from settings_store.runs import endpoints, outcomes, pages, runs
from settings_store.runs.runs import CANDIDATE


def like_failure(results: Sequence[tuple[Verdict, Code]]) -> Code | None:
    """The code of canaries that came to the same bad end. One that could not be told does not make them differ."""
    lasting = [code for verdict, code in results if verdict is Verdict.FAIL]
    codes = lasting or [code for _, code in results]
    works = any(verdict is Verdict.OK for verdict, _ in results)
    return codes[0] if len(codes) == 1 and not works else None


def suspected(conn: Connection, run_id: str, code: Code) -> Code:
    """Why no more mailboxes are tried, where all canaries failed with `code`.

    Exchange rejects everybody alike for reasons of its own: Extended Protection behind a proxy, another form of user
    names, a login method that is offered and does not work. So the passwords are not to blame, and may be tried again.
    """
    tried = outcomes.tried(conn, run_id, pages.CANARY_PAGE)
    exchange = Protocol.HTTPS.value in endpoints.documents(conn, run_id, CANDIDATE)
    if not (exchange and code is Code.AUTH_REJECTED and len(tried) > 1):
        return code
    rejections.forget_tried(conn, run_id, tried)
    runs.stop(conn, run_id, Code.EXCHANGE_ALL_REJECTED, "0")  # how many are left untried is counted after this
    return Code.EXCHANGE_ALL_REJECTED
