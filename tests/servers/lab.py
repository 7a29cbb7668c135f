"""The usual pair: one Dovecot and one Postfix for the domain lab.example, with a certificate of our own root."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.certificates import CertificateLab
from tests.servers.dovecot import DovecotOptions, DovecotServer
from tests.servers.postfix import PostfixServer

DOMAIN = "lab.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """`users` maps addresses of `domain` (they are the user names too) to passwords."""

    certificates: CertificateLab
    users: Mapping[str, str] = field(repr=False)
    domain: str = DOMAIN

    @property
    def ca_file(self) -> Path:
        """The PEM file of the root that the servers' certificate comes from."""
        return self.certificates.ca_file

    def write_csv(self, path: Path, wrong: int = 0, count: int | None = None) -> list[str]:
        """Write the first `count` mailboxes as a CSV file, the last `wrong` of them with a wrong password.

        Returns the addresses of those. UTF-8, header `address,password`.
        """
        chosen = list(self.users.items())[:count]
        broken = [address for address, _ in chosen[len(chosen) - wrong :]]
        lines = (f"{name},{'not-it-' if name in set(broken) else ''}{password}\n" for name, password in chosen)
        path.write_text("address,password\n" + "".join(lines), encoding="utf-8")
        return broken


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLab(Mailboxes):
    """The mailboxes and the servers that have them."""

    folder: Path
    dovecot: DovecotServer
    postfix: PostfixServer

    def forget(self) -> None:
        """Empty both logs, so that logins are counted from nothing."""
        self.dovecot.forget()
        self.postfix.forget()


def lab_users(count: int) -> dict[str, str]:
    """`user000@lab.example` and so on, with passwords that cannot be mistaken for anything else in a log."""
    return {f"user{number:03}@{DOMAIN}": f"Sesame-{number:03}-open" for number in range(count)}


@contextlib.contextmanager
def mail_lab(folder: Path, users: int = 200, options: DovecotOptions | None = None) -> Iterator[MailLab]:
    """Start the pair in `folder` (see `scratch_folder`). Raises `ServerError` when that is not possible here."""
    known = lab_users(users)
    certificates = CertificateLab(folder / "certificates")
    leaf = certificates.issue()
    with (
        DovecotServer(folder / "dovecot", leaf, known, options) as dovecot,
        PostfixServer(folder / "postfix", leaf, dovecot.sasl_socket) as postfix,
    ):
        yield MailLab(folder=folder, certificates=certificates, dovecot=dovecot, postfix=postfix, users=known)
