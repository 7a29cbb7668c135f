"""Who is in the sandbox domain, and what was planted there for the report to find."""

import csv
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.demo.directory import Directory, Refusal

DOMAIN = "demo.example"

APP_PASSWORD = Refusal(
    "[ALERT] Application-specific password required (Failure)",
    "534 5.7.9 Application-specific password required.",
)
LOCKED = Refusal(
    "[ALERT] Your account is locked. Please contact your administrator.",
    "535 5.7.0 Your account is locked. Please contact your administrator.",
)
IMAP_NOT_ENABLED = Refusal(
    "[ALERT] Your account is not enabled for IMAP use. Please visit your settings page and enable your account for"
    " IMAP access. (Failure)",
    "",
)
TEMPORARY = Refusal("[UNAVAILABLE] Temporary authentication failure.", "454 4.7.0 Temporary authentication failure")

_GIVEN = ("akira", "bela", "chidi", "dana", "emeka", "freya", "goro", "hanna", "ines", "jonas", "kaya", "liam")
_FAMILY = ("abe", "berg", "costa", "diaz", "evans")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is planted for the listed people at the old server, the new one, or both.

    `refusal` None stands for a wrong password: the one that they gave is not the one that the server knows.
    """

    refusal: Refusal | None
    people: tuple[str, ...]
    at_old: bool = False
    at_new: bool = True


FAULTS = (
    Fault(None, ("bela.abe", "dana.berg", "goro.costa", "hanna.diaz", "jonas.evans")),
    Fault(APP_PASSWORD, ("chidi.evans", "ines.abe")),
    Fault(LOCKED, ("freya.costa",)),
    Fault(IMAP_NOT_ENABLED, ("kaya.berg",)),
    Fault(TEMPORARY, ("liam.diaz",)),
    Fault(None, ("emeka.diaz", "goro.evans", "liam.abe"), at_old=True),
    Fault(LOCKED, ("ines.costa", "akira.evans"), at_old=True, at_new=False),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The mailboxes by user name with the password each of them gave, new in every demo."""

    passwords: Mapping[str, str] = field(repr=False)

    def old_directory(self) -> Directory:
        return self._directory([fault for fault in FAULTS if fault.at_old])

    def new_directory(self) -> Directory:
        return self._directory([fault for fault in FAULTS if fault.at_new])

    def write_csv(self, path: Path) -> None:
        """A file as `mailboxes import` takes it. Only its owner can read it."""
        path.touch(mode=0o600)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["address", "password"])
            writer.writerows(self.passwords.items())

    def _directory(self, faults: list[Fault]) -> Directory:
        planted = {address(who): fault.refusal for fault in faults for who in fault.people}
        wrong = {username: secrets.token_urlsafe(12) for username, refusal in planted.items() if refusal is None}
        refusals = {username: refusal for username, refusal in planted.items() if refusal is not None}
        return Directory({**self.passwords, **wrong}, refusals)


def address(who: str) -> str:
    return f"{who}@{DOMAIN}"


def make_cast() -> Cast:
    return Cast({address(who): secrets.token_urlsafe(12) for who in _people()})


def _people() -> Iterator[str]:
    return (f"{given}.{family}" for family in _FAMILY for given in _GIVEN)
