"""Mail-server settings as the API takes and gives them: IMAP and SMTP, or Exchange, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from checks.model import Authentication, Endpoint, Invalid, Protocol, Security
from checks.protocols.exchange.url import endpoint_of
from checks.settings import ExchangeSettings, ImapSettings, Settings, normalise_host
from checks.trust import Trust
from web.documents import Document, Request

_LONGEST_PEM = 100_000

Port = Annotated[int, Field(ge=1, le=65535, examples=[993])]
CaPem = Annotated[str, Field(max_length=_LONGEST_PEM, description="CAs trusted for this domain only, as PEM text.")]
Static = Annotated[bool, Field(description="Whether connections leave from the operator's static addresses only.")]
Insecure = Annotated[bool, Field(description="Whether a certificate is accepted that cannot be verified.")]


class ServerRequest(Request):
    """One mail server. `security` auto: what the port says (993, 465: TLS; 143, 587, 25: STARTTLS)."""

    host: str = Field(max_length=300, examples=["mail.example.com"])
    port: Port
    security: Security = Security.AUTO


class SmtpRequest(ServerRequest):
    """The server for sending. `authentication` none: it takes mail without a login."""

    port: Port = Field(examples=[465])
    authentication: Authentication = Authentication.LOGIN


class ImapSettingsRequest(Request):
    """IMAP for reading and SMTP for sending."""

    kind: Literal["imap"]
    imap: ServerRequest
    smtp: SmtpRequest
    allow_insecure_certificate: Insecure = False
    ca_pem: CaPem = ""
    static_addresses: Static = False

    def settings(self) -> Settings:
        """Validated. Raises `Invalid` whose field is a pointer into this document."""
        _require_certificates(self.ca_pem)
        imap = Endpoint(Protocol.IMAP, _host(self.imap.host, "imap"), self.imap.port, self.imap.security)
        smtp = Endpoint(
            Protocol.SMTP,
            _host(self.smtp.host, "smtp"),
            self.smtp.port,
            self.smtp.security,
            authentication=self.smtp.authentication,
        )
        return ImapSettings(imap, smtp, self.allow_insecure_certificate, self.ca_pem, self.static_addresses)


class ExchangeSettingsRequest(Request):
    """Exchange Web Services, for mail and calendar."""

    kind: Literal["exchange"]
    exchange_url: str = Field(max_length=2000, examples=["https://mail.example.com/EWS/Exchange.asmx"])
    allow_insecure_certificate: Insecure = False
    ca_pem: CaPem = ""
    static_addresses: Static = False

    def settings(self) -> Settings:
        """Validated. Raises `Invalid` whose field is a pointer into this document."""
        _require_certificates(self.ca_pem)
        try:
            endpoint = endpoint_of(self.exchange_url)
        except Invalid as error:
            raise Invalid(str(error), "settings/exchange_url") from None
        return ExchangeSettings(
            endpoint.url, self.allow_insecure_certificate, self.ca_pem, endpoint.typed, self.static_addresses
        )


SettingsRequest = Annotated[ImapSettingsRequest | ExchangeSettingsRequest, Field(discriminator="kind")]


class ServerDocument(Document):
    """One mail server."""

    host: str
    port: int
    security: Security


class SmtpDocument(ServerDocument):
    """The server for sending."""

    authentication: Authentication


class ImapSettingsDocument(Document):
    """IMAP for reading and SMTP for sending."""

    kind: Literal["imap"] = "imap"
    imap: ServerDocument
    smtp: SmtpDocument
    allow_insecure_certificate: bool
    ca_pem: str
    static_addresses: bool


class ExchangeSettingsDocument(Document):
    """Exchange Web Services, for mail and calendar."""

    kind: Literal["exchange"] = "exchange"
    exchange_url: str
    allow_insecure_certificate: bool
    ca_pem: str
    static_addresses: bool


SettingsDocument = Annotated[ImapSettingsDocument | ExchangeSettingsDocument, Field(discriminator="kind")]


def document_of(settings: Settings) -> ImapSettingsDocument | ExchangeSettingsDocument:
    """Settings as they are given."""
    insecure, ca_pem, static = settings.allow_insecure_certificate, settings.ca_pem, settings.static_addresses
    if isinstance(settings, ExchangeSettings):
        return ExchangeSettingsDocument(
            exchange_url=settings.url, allow_insecure_certificate=insecure, ca_pem=ca_pem, static_addresses=static
        )
    imap, smtp = settings.imap, settings.smtp
    return ImapSettingsDocument(
        imap=ServerDocument(host=imap.host, port=imap.port, security=imap.security),
        smtp=SmtpDocument(host=smtp.host, port=smtp.port, security=smtp.security, authentication=smtp.authentication),
        allow_insecure_certificate=insecure,
        ca_pem=ca_pem,
        static_addresses=static,
    )


def _host(text: str, server: str) -> str:
    try:
        return normalise_host(text)
    except Invalid as error:
        raise Invalid(str(error), f"settings/{server}/host") from None


def _require_certificates(pem: str) -> None:
    """The PEM is proved to hold certificates."""
    try:
        Trust(pem)
    except Invalid as error:
        raise Invalid(str(error), "settings/ca_pem") from None
