"""What the shipped clients other than the one that judged would make of the same server."""

from collections.abc import Callable, Mapping

from checks.clients.profile import ClientProfile, IdMoment, Text
from checks.clients.selection import SHIPPED
from checks.codes import Code
from checks.model import Facts, Protocol

_LIBRARIES: Mapping[Protocol, Callable[[ClientProfile], str]] = {
    Protocol.IMAP: lambda client: client.imap.library,
    Protocol.SMTP: lambda client: client.smtp.library,
    Protocol.HTTPS: lambda client: client.ews.library,
}
_TEXTS: Mapping[Protocol, Callable[[ClientProfile], tuple[Text, ...]]] = {
    Protocol.IMAP: lambda client: (client.imap.login_user, client.imap.login_password, client.imap.sasl),
    Protocol.SMTP: lambda client: (client.smtp.user, client.smtp.password),
    Protocol.HTTPS: lambda client: (client.ews.basic,),
}
_LINES: Mapping[Protocol, Callable[[ClientProfile], bool]] = {
    Protocol.IMAP: lambda client: client.imap.bare_line_feed,
    Protocol.SMTP: lambda client: client.smtp.bare_line_feed,
    Protocol.HTTPS: lambda _: False,
}
_DOES: Mapping[Code, Callable[[ClientProfile, Protocol], bool]] = {
    Code.AUTH_UNSENDABLE: lambda client, protocol: all(text == Text() for text in _TEXTS[protocol](client)),
    Code.AUTH_ID_REQUIRED: lambda client, _: client.imap.id in (IdMoment.AFTER_LOGIN, IdMoment.BOTH),
    Code.PROTOCOL_BARE_LINE_FEED: lambda client, protocol: _LINES[protocol](client),
    Code.PROTOCOL_FOREIGN_TAG: lambda client, _: client.imap.foreign_tag,
}
"""Whether a client surely does what such a verdict hangs on. Of what is not sure nothing is said."""


def client_facts(code: Code, protocol: Protocol, judged: str) -> Facts:
    """`library` that judged and `others` that would not meet this, with their profiles; empty for other codes.

    `judged` is the name of the profile; of one that is not shipped the library is not known.
    """
    does = _DOES.get(code)
    if does is None:
        return {}
    library_of = _LIBRARIES[protocol]
    named = {name: f"{library_of(client)} ({name})" for name, client in SHIPPED.items()}
    others = [named[name] for name, client in SHIPPED.items() if name != judged and does(client, protocol)]
    return {"library": named.get(judged, judged), "others": ", ".join(others)}
