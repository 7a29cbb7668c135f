"""What is read for all who wait, however many they are: new events, and how far changes are that somebody watches."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store.access import api_keys, sessions
from settings_store.changes import progress
from settings_store.changes.lifecycle import ChangeState
from settings_store.changes.progress import Group, Standing
from settings_store.db import Database
from settings_store.events import events, settled
from settings_store.events.events import Wanted
from settings_store.runs import runs
from worker.changes.impact import Impact, before_of, impact_of
from worker.events.public import PublicEvent
from worker.events.reading import KEPT_SECONDS, worded

_LONGEST_HISTORY = 1000
SESSION = "session:"
"""What the id of a session begins with where an API key's might stand."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and whose it is. `change_id` is the change that it is of, '' where it is of none."""

    account_id: int
    change_id: str
    event: PublicEvent


@dataclass(frozen=True, slots=True)
class Seen:
    """An endpoint's verdict."""

    protocol: str
    host: str
    port: int
    verdict: str
    code: str


@dataclass(frozen=True, slots=True)
class Now:
    """A change as it stands. `total` is 0 until its run is planned; `counts` are mailboxes by impact, so far."""

    state: ChangeState
    run_id: str | None
    stage: str | None
    done: int
    total: int
    counts: Mapping[str, int]
    endpoints: tuple[Seen, ...]
    checksum: str | None
    code: str | None

    @property
    def ended(self) -> bool:
        """Whether its verification is over."""
        return self.stage in runs.ENDED


def settled_upto(database: Database) -> int:
    """The number up to which all events can be read."""
    return settled.look(database).upto


def between(database: Database, account_ids: Collection[int], after: int, upto: int) -> list[Told]:
    """What happened in these accounts after the number `after`, up to and with `upto`, oldest first."""
    with database.read() as conn:
        found = events.of_accounts(conn, account_ids, after, upto)
        told = worded(conn, found)
    owners = (
        (event.account_id or 0, event.subject if event.kind.startswith("change.") else _change_of(event.payload))
        for event in found
    )
    return [Told(account_id, change_id, event) for (account_id, change_id), event in zip(owners, told, strict=True)]


def _change_of(payload: Mapping[str, Any]) -> str:
    return str(payload.get("change_id") or "")


def history(database: Database, account_id: int, change_id: str, upto: int) -> tuple[int, list[PublicEvent]]:
    """What is shown of what happened to a change and its runs, up to and with the number `upto`.

    Before that the number above which all of it is shown.
    """
    which, shown_from = Wanted(change_id=change_id), database.now() - KEPT_SECONDS
    with database.read() as conn:
        hidden = events.newest_before(conn, account_id, shown_from)
        return hidden, worded(conn, events.wanted(conn, account_id, which, hidden, _LONGEST_HISTORY, upto=upto))


def standing(database: Database, change_ids: Collection[str], known: Mapping[str, Now]) -> dict[str, Now]:
    """How the changes stand, of those that there still are. `known` is what was seen of them before.

    So many statements, however many changes and watchers there are.
    """
    with database.read() as conn:
        found = progress.standings(conn, change_ids)
        going = {each.run_id for each in found.values() if each.run_id and _moves(each, known.get(each.change_id))}
        counted = _by_run(progress.groups(conn, going)) if going else {}
        checked = progress.endpoint_documents(conn, going) if going else {}
    return {
        each.change_id: _now(each, counted.get(each.run_id, []), checked.get(each.run_id, []))
        if each.run_id and each.run_id in going
        else _as_before(each, known.get(each.change_id))
        for each in found.values()
    }


def usable_keys(database: Database, key_ids: Collection[str]) -> set[str]:
    """Those of the API keys, and of the sessions of the page, that may still be used."""
    of_sessions = {key_id.removeprefix(SESSION): key_id for key_id in key_ids if key_id.startswith(SESSION)}
    with database.read() as conn:
        now = database.now()
        open_ones = sessions.usable(conn, set(of_sessions), now) if of_sessions else set()
        keys = set(key_ids) - set(of_sessions.values())
        return api_keys.usable(conn, keys, now) | {of_sessions[session_id] for session_id in open_ones}


def _moves(each: Standing, known: Now | None) -> bool:
    """Whether its run may have come farther than was seen."""
    if known is None or each.stage not in runs.ENDED:
        return True
    return (known.run_id, known.stage, known.checksum) != (each.run_id, each.stage, each.checksum)


def _by_run(found: Iterable[Group]) -> dict[str, list[Group]]:
    by_run: dict[str, list[Group]] = {}
    for group in found:
        by_run.setdefault(group.run_id, []).append(group)
    return by_run


def _now(each: Standing, groups: list[Group], documents: list[dict[str, Any]]) -> Now:
    return Now(
        state=each.state,
        run_id=each.run_id,
        stage=each.stage,
        done=sum(group.count for group in groups if group.verdict is not None),
        total=sum(group.count for group in groups),
        counts=each.counts if each.counts is not None else _impacts(groups),
        endpoints=tuple(_seen(document) for document in documents),
        checksum=each.checksum,
        code=each.stop_code,
    )


def _as_before(each: Standing, known: Now | None) -> Now:
    """One without a run, or whose run has ended and was counted then."""
    return replace(known, state=each.state) if known else _now(each, [], [])


def _impacts(groups: Iterable[Group]) -> Mapping[str, int]:
    """Mailboxes by impact, of those of which nothing more is to be asked."""
    counts: Counter[str] = Counter({str(impact): 0 for impact in Impact})
    for group in groups:
        before = before_of(group.before, group.baseline)
        asked_still = group.verdict is Verdict.FAIL and (not group.judged or before is MailboxState.UNKNOWN)
        if group.verdict is not None and not asked_still:
            counts[str(impact_of(before, group.verdict))] += group.count
    return dict(counts)


def _seen(document: Mapping[str, Any]) -> Seen:
    endpoint = document["endpoint"]
    return Seen(endpoint["protocol"], endpoint["host"], endpoint["port"], document["verdict"], document["code"])
