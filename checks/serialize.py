"""Endpoint results as JSON documents and back: what the store keeps between a run's tasks and its report."""

import functools
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from checks.codes import Code, Verdict
from checks.model import (
    Admission,
    Authentication,
    Certificate,
    Endpoint,
    EndpointResult,
    Fix,
    Option,
    Outcome,
    Pin,
    Protocol,
    Security,
    Step,
    TlsFacts,
    Warn,
)

Document = dict[str, Any]


def dump_endpoint_result(result: EndpointResult) -> Document:
    """A result as plain JSON values."""
    document: Document = _plain(result)
    return document


def _plain(value: Any) -> Any:
    """As `dataclasses.asdict`, which copies each text and number, too, and takes three times as long."""
    kind: Any = type(value)
    if names := _fields(kind):
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


@functools.cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def load_endpoint_result(document: Document) -> EndpointResult:
    """The result that `dump_endpoint_result` wrote. Raises `KeyError` or `ValueError` for anything else."""
    return EndpointResult(
        endpoint=_endpoint(document["endpoint"]),
        verdict=Verdict(document["verdict"]),
        code=Code(document["code"]),
        address=document["address"],
        facts=document["facts"],
        seen=document["seen"],
        option=Option(document["option"]) if document["option"] else None,
        fix=Fix(**document["fix"]) if document["fix"] else None,
        warnings=tuple(Warn(Code(item["code"]), item["facts"]) for item in document["warnings"]),
        steps=tuple(_step(item) for item in document["steps"]),
        tls=_tls(document["tls"]),
        capabilities=tuple(document["capabilities"]),
        insecure=document["insecure"],
        pin=Pin(**document["pin"]) if document.get("pin") else None,  # runs of an earlier version have none
        learned=document.get("learned", {}),
        client=document.get("client", ""),
        admissions=tuple(_admission(item) for item in document.get("admissions", ())),
    )


def _endpoint(item: Document) -> Endpoint:
    return Endpoint(
        Protocol(item["protocol"]),
        item["host"],
        item["port"],
        Security(item["security"]),
        item.get("url", ""),  # what was stored before there was Exchange has none
        item.get("typed", ""),
        Authentication(item.get("authentication", Authentication.LOGIN)),  # nor this before it could be chosen
    )


def _admission(item: Document) -> Admission:
    return Admission(item["source"], Outcome(item["outcome"]), item["shared"], item["seen"])


def _step(item: Document) -> Step:
    return Step(item["name"], Verdict(item["verdict"]), item["ms"], item["seen"])


def _tls(item: Document | None) -> TlsFacts | None:
    if item is None:
        return None
    return TlsFacts(
        item["version"],
        item["cipher"],
        tuple(Certificate(**entry) for entry in item["chain"]),
        item.get("broken"),
        item.get("openssl", ""),  # results of an earlier version do not say who judged
        item.get("x509_strict", False),
        item.get("large_hello", ""),
    )
