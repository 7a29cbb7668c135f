"""The table of reserved names, as Markdown, for `docs/api.md`: `python -m checks.sandbox.names_page`."""

import sys

from checks.codes import Code
from checks.sandbox.names import BY_LOGINS, BY_TIME, BY_URL, DOMAIN, HOSTS, MAILBOXES

BEGIN, END = "<!-- sandbox-names: begin -->", "<!-- sandbox-names: end -->"


def table() -> str:
    """Every code, and how to get it."""
    rows = [f"| `{code}` | {_host(code)} | {_mailbox(code)} |" for code in Code]
    return "\n".join(["| code | as a server's host | as a mailbox, or else |", "| --- | --- | --- |", *rows]) + "\n"


def _host(code: Code) -> str:
    return ", ".join(f"`{label}{DOMAIN}`" for label, found in HOSTS.items() if found is code)


def _mailbox(code: Code) -> str:
    otherwise = {**BY_LOGINS, **BY_TIME, **BY_URL}.get(code)
    reserved = [f"`{label}@`" for label, found in MAILBOXES.items() if found is code]
    return ", ".join([*reserved, otherwise] if otherwise else reserved)


if __name__ == "__main__":
    sys.stdout.write(table())
