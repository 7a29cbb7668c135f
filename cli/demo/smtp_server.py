"""An SMTP submission server for the sandbox: STARTTLS, AUTH PLAIN and LOGIN, and no mail taken."""

import asyncio
import ssl
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from cli.demo.directory import Directory


class _TakesNoMail:
    async def handle_RCPT(self, *_arguments: object) -> str:  # noqa: N802 aiosmtpd's name for the hook
        return "550 5.7.1 The sandbox takes no mail"


class _Authenticator:
    """Asks the directory. aiosmtpd sends `message` where the result is not `handled`."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def __call__(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: Any
    ) -> AuthResult:
        if not isinstance(login, LoginPassword):
            return AuthResult(success=False, handled=False)
        username, password = login.login.decode("utf-8", "replace"), login.password.decode("utf-8", "replace")
        refusal = self._directory.refusal(username, password)
        if refusal is not None and refusal.smtp:
            return AuthResult(success=False, handled=False, message=refusal.smtp)
        return AuthResult(success=True)


async def start_smtp(directory: Directory, tls: ssl.SSLContext) -> asyncio.Server:
    """A server on a free port of 127.0.0.1; AUTH is offered after STARTTLS only."""
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        return SMTP(
            _TakesNoMail(),
            hostname="demo.example",
            ident="ESMTP",
            tls_context=tls,
            authenticator=_Authenticator(directory),
            loop=loop,
        )

    return await loop.create_server(connected, "127.0.0.1", 0, backlog=256)
