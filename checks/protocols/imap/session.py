"""A login as the client's profile logs in, proved by EXAMINE INBOX, without a needless round trip.

Two shortcuts save round trips where the server bears them: the first response in the line of AUTHENTICATE, and EXAMINE
sent ahead of the login's answer. Neither changes what the answer to the login means. Where anything goes wrong with
one before the password was judged, all of them are off for this server, and the login is made once more without.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from checks.clients.profile import IdMoment, ImapClient, NextWay
from checks.codes import Code
from checks.model import Credential, CredentialKind, Fault
from checks.network.dial import Deadline
from checks.network.stream import Stream
from checks.protocols.dialect import Habits, Unjudged, initial_response, lacking
from checks.protocols.imap.sending import encoded, offers, token_mechanisms, ways
from checks.protocols.imap.wire import Responder, Session, mechanism_refused, steps, translated

SHORTCUT_SHARE = 0.6  # of what is left of the deadline: the rest is for a login without shortcuts
_FEW_FIELDS = 2  # imapflow sends ID again where the server gave fewer
_OUR_ID = (("name", "Mail Preflight"),)
_UNJUDGED = frozenset(
    {
        Code.PROTOCOL_ERROR,
        Code.PROTOCOL_FOREIGN_TAG,
        Code.CONNECT_CLOSED,
        Code.DEADLINE,
        Code.SERVER_UNAVAILABLE,
        Code.AUTH_NO_MECHANISM,
        Code.AUTH_NOT_OFFERED,
    }
)
"""What says nothing about a password. With a shortcut in use it may be about that."""


@dataclass(frozen=True, slots=True)
class _Shortcuts:
    """`inline`: the first response goes with AUTHENTICATE though the client would wait; `ahead`: EXAMINE goes along."""

    inline: bool = False
    ahead: bool = False

    @property
    def any(self) -> bool:
        return self.inline or self.ahead


def log_in(
    stream: Stream, credential: Credential, capabilities: tuple[str, ...], habits: Habits, client: ImapClient
) -> None:
    """One login, proved by EXAMINE INBOX. Raises `Fault` or `OSError`; `Unjudged` where another one may be made.

    A successful login is no proof: Exchange Online may answer the next command with
    "BAD User is authenticated but not connected".
    """
    _Login(stream, credential, capabilities, habits, client).run()


def offered(capabilities: tuple[str, ...]) -> frozenset[str]:
    """The SASL mechanisms, with `LOGIN` for the command."""
    found = {item[5:] for item in capabilities if item.startswith("AUTH=")}
    found.discard("LOGIN")  # the obsolete SASL mechanism; the LOGIN command stands for it
    if offers("LOGIN", capabilities):
        found.add("LOGIN")
    return frozenset(found)


class _Login:
    """One login on one connection."""

    def __init__(
        self,
        stream: Stream,
        credential: Credential,
        capabilities: tuple[str, ...],
        habits: Habits,
        client: ImapClient,
    ) -> None:
        self._stream = stream
        self._credential = credential
        self._capabilities = capabilities
        self._habits = habits
        self._client = client
        self._session = Session(stream, bare_line_feed=client.bare_line_feed, foreign_tag=client.foreign_tag)
        self._shortcuts = _Shortcuts()
        self._id_later = False
        self._said = b""  # what the login was answered with
        self._token = credential.kind is CredentialKind.OAUTH2_TOKEN

    def run(self) -> None:
        """Login and proof."""
        whole = self._stream.deadline
        try:
            self._identify_first()
            asked_again = self._admitted()
            self._said = self._stream.last_line
            self._prove()
        except OSError as error:
            if not self._shortcuts.any:
                raise
            late = isinstance(error, TimeoutError)
            raise self._unjudged(Fault(Code.DEADLINE if late else Code.CONNECT_CLOSED, "no answer")) from None
        except Fault as fault:
            if self._shortcuts.any and fault.code in _UNJUDGED:
                raise self._unjudged(fault) from None
            raise
        finally:
            self._stream.deadline = whole
        if self._habits.ahead is None and not asked_again and not self._token:
            self._habits.ahead = True

    def _unjudged(self, fault: Fault) -> Fault:
        self._habits.ahead = self._habits.inline = False
        return Unjudged(fault.code, fault.seen, **fault.facts)

    def _admitted(self) -> bool:
        """Logs in. Whether the server asked again after it had the credential, as few do."""
        if self._token:
            return self._admitted_by_token()
        found = ways(self._capabilities, self._client, self._credential.username)
        if not found:
            raise lacking(offered(self._capabilities))
        *first, last = self._order(found)
        for way in first:
            try:
                return self._admitted_by(way)
            except Fault as fault:
                if self._shortcuts.any or not self._goes_on(way, fault):
                    raise
        return self._admitted_by(last)

    def _order(self, found: tuple[str, ...]) -> Sequence[str]:
        """What is left of the client's ways when those are left out that the server did not know."""
        left = [way for way in found if way not in self._habits.refused] or [found[-1]]
        return self._habits.choice.order(left) if self._client.next_way is NextWay.REFUSAL else left

    def _goes_on(self, way: str, fault: Fault) -> bool:
        """Whether the client would try its next way; after a rejected password see `checks.protocols.choice`."""
        when = self._client.next_way
        if when is not NextWay.NEVER and mechanism_refused(self._stream, fault):
            self._habits.refused.add(way)
            return True
        return when is NextWay.REFUSAL and fault.code is Code.AUTH_REJECTED and self._habits.choice.another(way)

    def _admitted_by(self, way: str) -> bool:
        user, password = encoded(self._credential, way, self._client, self._capabilities)
        if way == "LOGIN":
            self._take(_Shortcuts(ahead=self._ahead))
            with self._reading("login"):
                self._session.imap.login(user, password)
            self._habits.choice.works = way
            return False
        mechanism = way.removeprefix("AUTH=")
        can_inline = mechanism == "PLAIN" and "SASL-IR" in self._capabilities
        inline = can_inline and (self._client.sasl_ir or self._habits.inline)
        self._take(_Shortcuts(inline and not self._client.sasl_ir, inline and self._ahead))
        said = steps(mechanism, user, password, usual_prompts=self._client.usual_prompts)
        responder = Responder(said, hasty=self._shortcuts.any)
        asked_again = self._authenticated(mechanism, responder, inline=inline)
        self._habits.choice.works = way
        return asked_again

    def _admitted_by_token(self) -> bool:
        mechanism = next(iter(token_mechanisms(self._capabilities, self._client)), None)
        if mechanism is None:
            raise lacking(offered(self._capabilities))
        response = initial_response(mechanism, self._credential)
        after = b"\1" if mechanism == "OAUTHBEARER" else b""  # RFC 7628, 3.2.3
        usual = self._client.token_sasl_ir
        inline = "SASL-IR" in self._capabilities and (usual or self._habits.inline)
        self._take(_Shortcuts(inline and not usual))
        responder = Responder([lambda _: response], token=True, after=after, hasty=self._shortcuts.any)
        return self._authenticated(mechanism, responder, inline=inline)

    def _authenticated(self, mechanism: str, responder: Responder, *, inline: bool) -> bool:
        with self._reading("login", responder):
            self._session.imap.authenticate(mechanism, responder, inline=inline)
        return responder.asked_again

    @property
    def _ahead(self) -> bool:
        return bool(self._habits.ahead) and not self._id_later

    def _identify_first(self) -> None:
        """ID before the login. A client that sends it twice does so where the server said little of itself."""
        moment = self._client.id if "ID" in self._capabilities else IdMoment.NEVER
        said = 0
        if moment in {IdMoment.BEFORE_LOGIN, IdMoment.BOTH}:
            with self._reading("login"):
                said = self._session.imap.identify(self._client.id_fields)
        self._id_later = moment is IdMoment.AFTER_LOGIN or (moment is IdMoment.BOTH and said < _FEW_FIELDS)

    def _reading(
        self, stage: Literal["login", "select"], responder: Responder | None = None
    ) -> AbstractContextManager[None]:
        bare_line_feed = self._client.bare_line_feed
        return translated(self._stream, stage, responder, said=self._said, bare_line_feed=bare_line_feed)

    def _take(self, shortcuts: _Shortcuts) -> None:
        self._shortcuts = shortcuts
        if shortcuts.any:
            self._stream.deadline = Deadline(self._stream.deadline.remaining() * SHORTCUT_SHARE)
        if shortcuts.ahead:
            self._session.imap.examine_ahead()

    def _prove(self) -> None:
        if self._id_later:
            with self._reading("select"):
                self._session.imap.identify(self._client.id_fields)
        try:
            self._examine()
        except Fault as fault:
            if not self._id_later and "unsafe login" in fault.seen.lower() and self._opens_with_id():
                raise Fault(Code.AUTH_ID_REQUIRED, fault.seen, names=self._client.library) from None
            raise

    def _opens_with_id(self) -> bool:
        """Whether the mailbox opens once we have named ourselves, which the client does not do (Netease)."""
        if "ID" not in self._capabilities:
            return False
        try:
            with self._reading("select"):
                self._session.imap.identify(_OUR_ID)
                self._session.examine()
        except (Fault, OSError):
            return False
        return True

    def _examine(self) -> None:
        with self._reading("select"):
            if self._shortcuts.ahead:
                if self._session.imap.examined_ahead():
                    return
                self._habits.ahead = False
            # What becomes of it after one that was swallowed may be the shortcut's doing still (Cyrus).
            self._session.examine()
