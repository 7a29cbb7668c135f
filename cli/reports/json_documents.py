"""JSON on standard output: exactly one document, written piece by piece so that memory does not grow with mailboxes.

ASCII only: a control character of a server's words reaches no terminal, and no encoding can spoil the document.
"""

import json
from collections.abc import Iterator
from typing import TextIO

from cli.naming import as_typed
from worker.changes.document import ReportDocument


def write_document(document: object, stream: TextIO) -> None:
    """Writes `document` as one line of JSON."""
    stream.write(json.dumps(document) + "\n")


def write_report(report: ReportDocument, stream: TextIO) -> None:
    """Writes the `verify` document, the mailboxes one a line as the report yields them."""
    head = as_typed(json.dumps(report.head()))
    stream.write(head.removesuffix("}") + ', "mailboxes": [')
    for line in _separated(report):
        stream.write(line)
    stream.write("\n]}\n")


def _separated(report: ReportDocument) -> Iterator[str]:
    comma = ""
    for mailbox in report.mailboxes():
        yield f"{comma}\n{json.dumps(mailbox.as_json())}"
        comma = ","
