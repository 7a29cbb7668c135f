"""The report of a change as the API gives it: what `verify --json` says, without the commands."""

from typing import Literal

from pydantic import Field

from checks.codes import Blame, Code, Verdict
from checks.document import Json
from checks.model import Authentication, Option, Outcome, Protocol, Security
from settings_store.changes.actions import STEPS, Action
from web.api.changes.change_document import Counts
from web.documents import Document, Prefix, public_id
from worker.changes.document import ReportDocument as Worded
from worker.changes.impact import Impact, Safety


class PlaceModel(Document):
    """Where an endpoint is. `url` and `typed` are Exchange's; `address` is the one that answered."""

    protocol: Protocol
    host: str
    port: int
    security: Security
    address: str | None
    authentication: Authentication = Authentication.LOGIN
    url: str | None = None
    typed: str | None = None


class StepModel(Document):
    """One step of a check, in their order; `seen` are the server's or the network's own words, redacted."""

    name: str
    label: str
    verdict: Verdict
    ms: float
    seen: str


class WarningModel(Document):
    """Something to know that is no failure."""

    code: Code
    message: str


class FixModel(Document):
    """A repair that would work."""

    kind: str
    detail: str


class CertificateModel(Document):
    """One certificate that the server sent."""

    subject: str
    issuer: str
    not_before: str
    not_after: str
    sha256: str


class TlsModel(Document):
    """What was found of TLS."""

    version: str | None
    cipher: str | None
    chain: list[CertificateModel]
    broken: int | None
    openssl: str | None
    x509_strict: bool
    large_hello: str | None


class AdmissionModel(Document):
    """What one of our addresses met. `source` is null where nobody knows what the server sees of it."""

    source: str | None
    shared: bool
    outcome: Outcome
    message: str
    seen: str


class EndpointModel(Document):
    """What came of the check of one server. `field` is the form field to look at."""

    endpoint: PlaceModel
    headline: str
    verdict: Verdict
    code: Code
    message: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None
    seen: str
    allow_insecure_certificate: Option | None
    option_message: str
    fix: FixModel | None
    warnings: list[WarningModel]
    steps: list[StepModel]
    tls: TlsModel | None
    judged: str
    untested: str
    client: str | None
    admissions: list[AdmissionModel]


class StopModel(Document):
    """Why the logins ended early, and how many mailboxes were not tried."""

    code: Code
    message: str
    count: int


class CommonCauseModel(Document):
    """One cause that explains more than half of the failures."""

    code: Code
    protocol: Protocol | None
    count: int
    headline: str
    message: str
    hint: str
    field: str | None


class CauseModel(Document):
    """Mailboxes with the same impact for the same reason, who must act, and what to do.

    `seen` are a server's own words to one of them, redacted.
    """

    code: Code
    protocol: Protocol | None
    impact: Impact
    count: int
    headline: str
    message: str
    seen: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None


class UntriedModel(Document):
    """Mailboxes that were not tried, which the action goes on with."""

    action: Literal[Action.RESUME]
    message: str
    count: int


class GroupModel(Document):
    """The mailboxes of an impact in words."""

    impact: Impact
    count: int
    message: str


class ServiceModel(Document):
    """Exchange: how many mailboxes have each verdict on a service."""

    name: str
    label: str
    ok: int
    fail: int
    inconclusive: int


class NextModel(Document):
    """What can be done with the change now. To apply it takes that number where anybody would disconnect."""

    action: Action | None
    message: str
    accept_disconnects: int


class ReportModel(Document):
    """The report of a change, without its mailboxes. To apply the change takes its `checksum`."""

    change_id: str
    domain: str
    verdict: Safety = Field(description="safe: nobody would disconnect; unsafe: somebody would; cannot_tell: not known")
    headline: str
    client: str | None
    endpoints: list[EndpointModel]
    counts: Counts
    checksum: str
    stop: StopModel | None
    common_cause: CommonCauseModel | None
    causes: list[CauseModel]
    untried: UntriedModel | None
    groups: list[GroupModel]
    services: list[ServiceModel]
    next: NextModel


def model_of(worded: Worded) -> ReportModel:
    """The report of a document that was worded without commands."""
    action = STEPS[worded.next.action]
    told: Json = {
        "action": action,
        "message": worded.next.sentence,
        "accept_disconnects": worded.next.accept_disconnects,
    }
    return ReportModel.model_validate(
        worded.head() | {"change_id": public_id(Prefix.CHANGE, worded.change_id), "next": told}
    )
