"""The options of the commands and how their texts become settings. `Invalid` is raised before any work starts."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from checks.model import Authentication, Endpoint, Invalid, Protocol, Security
from checks.protocols.exchange.url import endpoint_of
from checks.settings import ExchangeSettings, ImapSettings, Settings, parse_endpoint

_CA_LIMIT = 4 * 1024 * 1024  # bytes; certifi's whole bundle is 0.3 MB

STANDARD_INPUT = Path("/dev/stdin")

CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file", metavar="FILE", help="PEM file of CAs to trust besides the public ones; -: standard input."
    ),
]
Exchange = Annotated[
    str | None, typer.Option(metavar="URL", help="Exchange's address, as people type it: mail.example.com will do.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the report for people.")]
Limit = Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="How many are listed at most.")]
After = Annotated[str, typer.Option(metavar="NAME", help="List those that come after this one.")]
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The part of the addresses after the @.")]
ChangeId = Annotated[str, typer.Argument(metavar="CHANGE_ID", help="As printed by `verify`; its beginning will do.")]
AllowInsecure = Annotated[
    bool, typer.Option("--allow-insecure-certificate", help="Verify the settings with this option on.")
]

StaticAddresses = Annotated[
    bool,
    typer.Option("--static-addresses", help="Connect from the operator's static addresses, and from no others."),
]


def given_file(path: Path, *others: Path | None) -> Path:
    """A file to be read, where `-` is standard input. Raises `Invalid` where one of `others` is that already."""
    if str(path) != "-":
        return path
    if any(other is not None and str(other) == "-" for other in others):
        raise Invalid("only one file can be standard input; give the other one by its name")
    return STANDARD_INPUT


def read_ca_file(path: Path | None) -> str:
    """The PEM text of the file, '' without one. Raises `Invalid`; `Trust` checks what it holds."""
    if path is None:
        return ""
    try:
        with given_file(path).open("rb") as file:
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


def check_target(
    target: str | None,
    protocol: Protocol | None,
    security: Security,
    exchange: str | None,
    authentication: Authentication = Authentication.LOGIN,
) -> Endpoint:
    """The endpoint that `check` is asked for. Raises `Invalid`."""
    if authentication is not Authentication.LOGIN and protocol is not Protocol.SMTP:
        raise Invalid("--authentication none is for --protocol smtp", "protocol")
    if exchange is not None and target is not None:
        raise Invalid("give either HOST:PORT or --exchange URL, not both", "exchange")
    if exchange is not None and protocol not in (None, Protocol.HTTPS):
        raise Invalid("--exchange URL goes without --protocol, or with --protocol https", "exchange")
    url = target if protocol is Protocol.HTTPS and exchange is None else exchange
    if url is not None:
        return _exchange_endpoint(url, security)
    if target is None or protocol in (None, Protocol.HTTPS):
        raise Invalid(
            "give HOST:PORT and --protocol imap or smtp, for example: check mail.example.com:993 --protocol imap; "
            "or --exchange URL"
        )
    return parse_endpoint(target, protocol, security, authentication)


def _exchange_endpoint(url: str, security: Security) -> Endpoint:
    if security is Security.STARTTLS:
        raise Invalid("Exchange has no STARTTLS: leave --security out", "exchange")
    return endpoint_of(url)


def verify_settings(
    imap: tuple[str | None, Security],
    smtp: tuple[str | None, Security],
    exchange: str | None,
    *,
    smtp_authentication: Authentication = Authentication.LOGIN,
    allow_insecure_certificate: bool,
    static_addresses: bool = False,
    ca_file: Path | None,
) -> Settings:
    """The settings that `verify` is asked for; the PEM is proved to hold certificates. Raises `Invalid`."""
    from checks.trust import Trust  # ssl and cryptography: not for --help

    ca_pem = read_ca_file(ca_file)
    Trust(ca_pem)
    if exchange is not None:
        if smtp_authentication is not Authentication.LOGIN:
            raise Invalid("leave --smtp-authentication out: Exchange sends through EWS", "exchange")
        found = _exchange_settings(exchange, imap, smtp, allow_insecure_certificate, ca_pem)
        return replace(found, static_addresses=static_addresses)
    if imap[0] is None or smtp[0] is None:
        missing = "--imap" if imap[0] is None else "--smtp"
        raise Invalid(f"give {missing} HOST:PORT; a domain needs both, or --exchange URL", "imap")
    return ImapSettings(
        imap=_endpoint("--imap", imap, Protocol.IMAP),
        smtp=_endpoint("--smtp", smtp, Protocol.SMTP, smtp_authentication),
        allow_insecure_certificate=allow_insecure_certificate,
        ca_pem=ca_pem,
        static_addresses=static_addresses,
    )


def _exchange_settings(
    url: str,
    imap: tuple[str | None, Security],
    smtp: tuple[str | None, Security],
    allow_insecure_certificate: bool,
    ca_pem: str,
) -> ExchangeSettings:
    if imap[0] is not None or smtp[0] is not None:
        raise Invalid("give either --exchange URL or --imap and --smtp: a domain has one of them", "exchange")
    endpoint = endpoint_of(url)
    return ExchangeSettings(endpoint.url, allow_insecure_certificate, ca_pem, endpoint.typed)


def _endpoint(
    option: str,
    given: tuple[str | None, Security],
    protocol: Protocol,
    authentication: Authentication = Authentication.LOGIN,
) -> Endpoint:
    text, security = given
    try:
        return parse_endpoint(text or "", protocol, security, authentication)
    except Invalid as error:
        raise Invalid(f"{option}: {error}", error.field) from None
