"""A page for one reader: what a handler is given, and what it answers with."""

from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from checks.language import Language
from settings_store.access.roles import Right, Role
from settings_store.access.sessions import Session
from web.pages.frame import cookies
from web.pages.frame.environment import at, environment
from web.pages.frame.headers import headers_for
from web.pages.frame.reader import Reader, reader_of
from web.pages.frame.times import Clock, zone_of
from web.pages.wording import TEXTS, words_of
from web.problems.codes import ProblemCode
from web.problems.problem import Problem, Translate, in_language
from worker.service.access.embedding import Embedding
from worker.service.access.sign_in import SignedIn
from worker.service.account import Account
from worker.service.domains.connecting import Connecting
from worker.service.preflight import Preflight

_SAID = "said"
_COMING = Markup("<!-- coming -->")  # what a reader has sent is escaped: it cannot be this


class Room(NamedTuple):
    """A path below `/admin`, who may go there, the key of its words, and paths of pages that belong to it, too."""

    path: str
    right: Right
    words: str
    further: tuple[str, ...] = ()

    def has(self, here: str) -> bool:
        """Whether the page at a path belongs to the room, as what leads back from it says."""
        beginnings = (at(path) for path in (self.path, *self.further))
        return any(here == beginning or here.startswith(beginning + "/") for beginning in beginnings)


ROOMS = (
    Room("domains", Right.READ, "frame.nav.domains", ("new-domain", "changes")),
    Room("connection-ips", Right.READ, "connection_ips.nav"),
    Room("alerts", Right.ADMIN, "frame.nav.alerts"),
    Room("maintenance", Right.READ, "frame.nav.maintenance"),
    Room("webhooks", Right.ADMIN, "frame.nav.webhooks"),
    Room("api-keys", Right.ADMIN, "frame.nav.api_keys", ("embed-origins",)),
    Room("users", Right.ADMIN, "frame.nav.users", ("audit",)),
)
"""What the head of every page leads to."""


class Page:
    """Bound to the request, its reader and, where somebody has signed in, to their session and account."""

    def __init__(self, request: Request, session: Session | None) -> None:
        self.request, self.session = request, session
        self.preflight: Preflight = request.app.state.preflight
        self.reader: Reader = reader_of(request, session.language if session else "")
        self.t = words_of(self.reader.language)
        self.clock = Clock(self.language, zone_of(self.reader.zone), self.preflight.database.now())

    @property
    def language(self) -> Language:
        """The reader's."""
        return self.reader.language

    @cached_property
    def account(self) -> Account:
        """The use cases of the account that is signed in to, for who has signed in."""
        return self.preflight.account_by_id(self._signed_in.account_id, actor=self._signed_in.actor(self.address))

    @property
    def connecting(self) -> Connecting:
        """The use cases of who connects a mailbox: a member has their own domain, and others have each."""
        session, actor = self._signed_in, self._signed_in.actor(self.address)
        if session.role is not Role.MEMBER:
            return self.preflight.connecting(session.account_id, actor=actor, member_of=None)
        if not session.domain:  # it was removed: without it they would have every other one
            raise Problem(ProblemCode.NOT_ALLOWED, self.t("frame.not_allowed.detail"))
        return self.preflight.connecting_in(session.account_id, session.domain, actor=actor)

    @property
    def signed_in(self) -> SignedIn:
        """Sessions and passwords of the account."""
        return self.preflight.signed_in(self._signed_in.account_id, self._signed_in.actor(self.address))

    @property
    def embedding(self) -> Embedding:
        """Where the account's pages may be in a frame."""
        return self.preflight.embedding(self._signed_in.account_id, self._signed_in.actor(self.address))

    @property
    def address(self) -> str:
        """Where the reader comes from."""
        return self.request.client.host if self.request.client else ""

    @property
    def _signed_in(self) -> Session:
        if self.session is None:
            raise TypeError("nobody has signed in, and the route asks for nobody")
        return self.session

    @property
    def start(self) -> str:
        """Where whoever has signed in begins: a member has no domain to look at, and a mailbox to connect."""
        session = self._signed_in
        if self.may(Right.READ):
            return at("domains", session.domain) if session.embedded else at("domains")
        may_connect = session.domain and self.may(Right.CONNECT)
        return at("domains", session.domain, "connect") if may_connect else at("me")

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Where the head of the page leads to."""
        return tuple(room for room in ROOMS if self.may(room.right))

    @property
    def is_refreshed(self) -> bool:
        """Whether our own script asks for what is new of a page that the reader looks at."""
        return self.request.headers.get("sec-fetch-dest") == "empty"

    def may(self, right: Right | str) -> bool:
        """Whether the reader has a right: `may("apply")`."""
        return self.session is not None and Right(right) in self.session.rights

    def told(self, error: Exception) -> str:
        """What went wrong, in the reader's language and without the names of commands."""
        translate: Translate = self.request.app.state.translate
        said = error.said if isinstance(error, Problem) else error
        return in_language(said, self.language, translate)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page that a template makes. See `layout.html` for what it has of its own accord."""
        ancestors = self._ancestors()
        response = HTMLResponse(self._made(template, ancestors, values), status, headers=dict(headers_for(ancestors)))
        if _SAID in self.request.cookies:
            response.delete_cookie(_SAID, path="/")
        return response

    def grow(self, template: str, parts: Iterable[str], **values: Any) -> Response:
        """As `show`, sent while it is made: `parts` are HTML, for where the template has `{{ coming }}`."""
        ancestors = self._ancestors()
        before, _, after = self._made(template, ancestors, {**values, "coming": _COMING}).partition(_COMING)
        headers = {**headers_for(ancestors), "X-Accel-Buffering": "no"}  # nginx would keep it until it is whole
        return StreamingResponse(chain((before,), parts, (after,)), media_type="text/html", headers=headers)

    def part(self, template: str, **values: Any) -> str:
        """A part of a page, as HTML."""
        return environment.get_template(template).render(self._shared() | values)

    def _made(self, template: str, ancestors: tuple[str, ...], values: dict[str, Any]) -> str:
        return environment.get_template(template).render(self._shared() | {"ancestors": ancestors} | values)

    def go(self, where: str, said: str = "") -> Response:
        """On to another page (an address made by `at`), which says once what was done: a key of the words."""
        response = RedirectResponse(where, 303)
        if said:
            response.set_cookie(_SAID, said, max_age=60, path="/", httponly=True, samesite="lax")
        return response

    def _ancestors(self) -> tuple[str, ...]:
        """Origins whose pages may have this one in a frame."""
        if self.session is None or not self.session.embedded:
            return ()
        return tuple(self.embedding.origins())

    def _shared(self) -> dict[str, Any]:
        said = self.request.cookies.get(_SAID, "")
        return {
            "page": self,
            "t": self.t,
            "language": self.language,
            "may": self.may,
            "clock": self.clock,
            "session": self.session,
            "embedded": self.session is not None and self.session.embedded,
            "here": self.request.url.path,
            "said": self.t(said) if said in TEXTS[self.language] and ".said." in said else "",
        }

    @property
    def can_sign_in(self) -> bool:
        """Whether a password may be asked for."""
        return cookies.may_sign_in(self.request)
