"""The options of the commands and how their texts become settings. `Invalid` is raised before any work starts."""

from pathlib import Path
from typing import Annotated

import typer

from checks.model import Endpoint, Invalid, Protocol, Security
from checks.settings import ImapSettings, parse_endpoint

_CA_LIMIT = 4 * 1024 * 1024  # bytes; certifi's whole bundle is 0.3 MB

CaFile = Annotated[
    Path | None, typer.Option("--ca-file", metavar="FILE", help="PEM file of CAs to trust besides the public ones.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the report for people.")]
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The part of the addresses after the @.")]
ChangeId = Annotated[str, typer.Argument(metavar="CHANGE_ID", help="As printed by `verify`.")]
AllowInsecure = Annotated[
    bool, typer.Option("--allow-insecure-certificate", help="Verify the settings with this option on.")
]


def read_ca_file(path: Path | None) -> str:
    """The PEM text of the file, '' without one. Raises `Invalid`; `Trust` checks what it holds."""
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            content = file.read(_CA_LIMIT + 1)
        if len(content) > _CA_LIMIT:
            raise Invalid(f"--ca-file {path}: larger than 4 MB; give a PEM file of CA certificates", "ca_file")
        if not content.strip():
            raise Invalid(f"--ca-file {path}: empty; give a PEM file of CA certificates", "ca_file")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(f"--ca-file {path}: cannot be read ({error.strerror})", "ca_file") from None
    except UnicodeDecodeError:
        raise Invalid(f"--ca-file {path}: not a PEM file; give CA certificates as PEM text", "ca_file") from None


def check_target(target: str | None, protocol: Protocol | None, security: Security, exchange: str | None) -> Endpoint:
    """The endpoint that `check` is asked for. Raises `Invalid`."""
    if exchange is not None and target is not None:
        raise Invalid("give either HOST:PORT or --exchange URL, not both", "exchange")
    if exchange is not None or protocol is Protocol.HTTPS:
        raise Invalid("Exchange is not checked yet; give HOST:PORT with --protocol imap or smtp", "exchange")
    if target is None or protocol is None:
        raise Invalid(
            "give HOST:PORT and --protocol imap or smtp, for example: check mail.example.com:993 --protocol imap"
        )
    return parse_endpoint(target, protocol, security)


def verify_settings(
    imap: tuple[str, Security], smtp: tuple[str, Security], *, allow_insecure_certificate: bool, ca_file: Path | None
) -> ImapSettings:
    """The settings that `verify` is asked for; the PEM is proved to hold certificates. Raises `Invalid`."""
    from checks.tls import Trust  # ssl and cryptography: not for --help

    ca_pem = read_ca_file(ca_file)
    Trust(ca_pem)
    return ImapSettings(
        imap=_endpoint("--imap", imap, Protocol.IMAP),
        smtp=_endpoint("--smtp", smtp, Protocol.SMTP),
        allow_insecure_certificate=allow_insecure_certificate,
        ca_pem=ca_pem,
    )


def _endpoint(option: str, given: tuple[str, Security], protocol: Protocol) -> Endpoint:
    text, security = given
    try:
        return parse_endpoint(text, protocol, security)
    except Invalid as error:
        raise Invalid(f"{option}: {error}", error.field) from None
