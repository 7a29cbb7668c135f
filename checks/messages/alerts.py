"""Alerts put into words: subject and plain text of what broke, what still is broken and what works again.

The words themselves are in the `alerts.py` of each language; cause and advice are those of the code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from checks.codes import Code
from checks.language import Language, in_every_language
from checks.messages import Wording, wording
from checks.model import Facts, Protocol

_WORDS: Mapping[Language, Mapping[str, str]] = in_every_language("checks.messages", "WORDS", "alerts")

NAMES = 10
"""So many domains or mailboxes are named, the others counted."""
DIGEST_LINES = 50
_SUBJECT_LENGTH = 120
_FACT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One event of one incident. Times are UTC seconds since 1970; `zone` is the one to write them in.

    `scope` and `severity` are an incident's. `domains` are all of them; `names` some of the `mailboxes` it concerns.
    """

    kind: Literal["opened", "reminder", "resolved"]
    reference: str
    scope: str
    severity: str
    code: Code
    since: float
    facts: Facts = field(default_factory=dict)
    seen: str = ""
    ended_at: float | None = None
    number: int = 0
    domains: Sequence[str] = ()
    mailboxes: int = 0
    names: Sequence[str] = ()
    address: str = ""
    link: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    now: float = 0.0


def subject(story: AlertEvent, language: Language) -> str:
    """One short line that differs for opened, still open and resolved."""
    words = _WORDS[language]
    manner = _manner(story)
    name = manner if manner == "undone" else story.scope
    what = words[f"what.{name}"].format_map(_Values(_place(story, language)))
    line = words[f"subject.{manner}"].format(what=what, number=story.number)
    return _one_line(line, _SUBJECT_LENGTH)


def _manner(story: AlertEvent) -> str:
    """A notice speaks of what is still to come, or of what is only good to know. What ended untold is not broken.

    What a change did that was rolled back is told as that: the mailboxes work again by the time anybody reads it.
    """
    if _undone(story) and story.kind == "opened":
        return "undone"
    over = story.kind != "resolved" and story.ended_at is not None
    if story.scope != "notice":
        return "over" if over else story.kind
    if story.severity == "info":
        return "info"
    if over:
        return "ahead_resolved"
    return "ahead" if story.kind == "opened" else f"ahead_{story.kind}"


def text(story: AlertEvent, language: Language) -> str:
    """The whole message: what, since when, who, what to do, and where to read on."""
    words = _WORDS[language]
    cause = _cause(story, language)
    parts = [_intro(story, words), cause.sentence, _seen(story, words), *also(story.facts, language)]
    facts = [_since(story, words), _ended(story, words), _affected(story, words)]
    reference = [words["reference"].format(reference=story.reference), story.link]
    blocks = ([part for part in block if part] for block in (parts, facts, [_advice(story, cause, words)], reference))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def also(facts: Facts, language: Language) -> list[str]:
    """What other endpoints of the same server fail for, where an incident is about several."""
    found = []
    for item in facts.get("also", "").split():
        place, _, code = item.rpartition("=")
        protocol, _, server = place.partition("@")
        host, _, port = server.rpartition(":")
        values = {"host": host, "port": port, "protocol": Protocol(protocol).label}
        found.append(wording(Code(code), values, language).sentence)
    return found


def _cause(story: AlertEvent, language: Language) -> Wording:
    """The names in a certificate are a server's words as well: they must not look like lines of ours."""
    facts = {name: _one_line(value, _FACT_LENGTH) for name, value in story.facts.items()}
    return wording(story.code, facts, language)


def digest(stories: Sequence[AlertEvent], total: int, language: Language) -> tuple[str, str]:
    """Subject and text of many at once: two lines for each, at most `DIGEST_LINES`, then how many more there are."""
    words = _WORDS[language]
    lines = [line for story in stories[:DIGEST_LINES] for line in _digest_lines(story, language)]
    more = total - min(len(stories), DIGEST_LINES)
    if more > 0:
        lines += ["", words["digest.more"].format(count=more)]
    head = words["digest.head"].format(count=total)
    return _one_line(words["subject.digest"].format(count=total), _SUBJECT_LENGTH), "\n".join([head, "", *lines]) + "\n"


def test_message(channel: str, language: Language) -> tuple[str, str]:
    """Subject and text with which an admin tries out a channel."""
    words = _WORDS[language]
    return words["subject.test"], words["test"].format(channel=channel) + "\n"


def _digest_lines(story: AlertEvent, language: Language) -> list[str]:
    words = _WORDS[language]
    when = _written(story.ended_at if story.kind == "resolved" and story.ended_at else story.since, story.zone)
    sentence = _one_line(_cause(story, language).sentence, 300)
    values = {"when": when, "sentence": sentence, "where": story.link or story.reference}
    return [f"- {subject(story, language)}", words["digest.line"].format_map(values)]


def _intro(story: AlertEvent, words: Mapping[str, str]) -> str:
    """What the code's sentence does not say: that it works again, or that it is the service itself."""
    scope = words.get(f"intro.{story.scope}", "") if story.ended_at is None or _manner(story) == "undone" else ""
    manner = words.get(f"intro.{_manner(story)}", "")
    lasted = _duration((story.ended_at or story.now or story.since) - story.since, words)
    parts = [
        _rolled_back(story, words),
        manner.format(lasted=lasted, number=story.number),
        scope.format_map(_Values(_source(story, words))),
        _change(story, words),
    ]
    return "\n".join(part for part in parts if part)


def _undone(story: AlertEvent) -> bool:
    """Whether the watch after a change has found it, and the change was rolled back for it."""
    return bool(story.facts.get("change") and story.facts.get("undone"))


def _rolled_back(story: AlertEvent, words: Mapping[str, str]) -> str:
    """That a change was rolled back, and why: also when all is well again, which is what the rollback was for."""
    if not _undone(story):
        return ""
    count = story.facts.get("failing") or str(story.mailboxes)
    share = {"failing": count, "total": story.facts.get("total") or count}
    return words["intro.change_undone"].format_map({**story.facts, **share})


def _change(story: AlertEvent, words: Mapping[str, str]) -> str:
    """Which change it came with, where the watch after a change has found it and nobody has undone that."""
    if not story.facts.get("change") or _undone(story) or story.ended_at is not None:
        return ""
    return words["intro.change"].format_map(story.facts)


def _advice(story: AlertEvent, cause: Wording, words: Mapping[str, str]) -> str:
    """What to do, while there is something to do."""
    if _undone(story):
        return words["advice"].format(advice=words["advice.undone"].format_map(story.facts))
    advice = words.get(f"advice.{story.scope}", cause.advice)
    return words["advice"].format(advice=advice) if advice and story.ended_at is None else ""


def _seen(story: AlertEvent, words: Mapping[str, str]) -> str:
    return words["seen"].format(seen=_one_line(story.seen, 500)) if story.seen else ""


def _since(story: AlertEvent, words: Mapping[str, str]) -> str:
    return words["since"].format(time=_written(story.since, story.zone))


def _ended(story: AlertEvent, words: Mapping[str, str]) -> str:
    if story.ended_at is None:
        return ""
    return words["ended"].format(time=_written(story.ended_at, story.zone))


def _affected(story: AlertEvent, words: Mapping[str, str]) -> str:
    lines = []
    if len(servers := _servers(story)) > 1:  # one alone is in the sentence
        lines.append(words["servers"].format(names=_listed(servers, len(servers), words)))
    if story.domains:
        lines.append(words["domains"].format(names=_listed(story.domains, len(story.domains), words)))
    if story.address:
        lines.append(words["mailbox"].format(address=story.address))
    elif story.mailboxes:
        names = _listed(story.names, story.mailboxes, words) if story.names else ""
        lines.append(
            words["mailboxes"].format(count=story.mailboxes) + (words["named"].format(names=names) if names else "")
        )
    return "\n".join(lines)


def _servers(story: AlertEvent) -> Sequence[str]:
    """The endpoints that it is about, which the fact names like `imap@mail.example:993`."""
    named = (item.partition("@") for item in story.facts.get("endpoints", "").split())
    return [f"{Protocol(protocol).label} {server}" for protocol, _, server in named]


def _listed(names: Sequence[str], total: int, words: Mapping[str, str]) -> str:
    shown = words["comma"].join(names[:NAMES])
    more = total - min(len(names), NAMES)
    return shown + words["and_more"].format(count=more) if more > 0 else shown


def _place(story: AlertEvent, language: Language) -> Mapping[str, str]:
    """The values for a subject. `domain` is the only one, or the first and how many more."""
    words = _WORDS[language]
    domains = story.domains
    domain = domains[0] if domains else words["unknown"]
    if len(domains) > 1:
        domain += words["and_more"].format(count=len(domains) - 1)
    host = story.facts.get("host") or words["unknown"]
    own = {"domain": domain, "host": host, "address": story.address or domain}
    if len(protocols := {server.partition(" ")[0]: None for server in _servers(story)}) > 1:
        own["protocol"] = words["comma"].join(protocols)
    return {
        **story.facts,
        **_source(story, words),
        **own,
        "domains": str(len(domains)),
        "mailboxes": str(story.mailboxes),
    }


def _source(story: AlertEvent, words: Mapping[str, str]) -> Facts:
    """The connection IP, which has no number where the system chooses it."""
    return {"source": story.facts.get("source") or words["any_source"]}


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _one_line(line: str, length: int) -> str:
    """On one line, without control characters: words of a server may be among it."""
    line = " ".join("".join(char if char.isprintable() else " " for char in line).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _written(at: float, zone: ZoneInfo) -> str:
    """Like `2026-03-29 07:00 (UTC+02:00)`."""
    local = datetime.fromtimestamp(at, zone)
    return f"{local:%Y-%m-%d %H:%M} (UTC{_offset(local.utcoffset() or timedelta())})"


def _offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _duration(seconds: float, words: Mapping[str, str]) -> str:
    """The two greatest units, at least one minute."""
    minutes = max(1, round(max(0.0, seconds) / 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = [("days", days), ("hours", hours), ("minutes", rest)]
    parts = [
        words["day" if name == "days" and count == 1 else name].format(count=count) for name, count in units if count
    ]
    return words["blank"].join(parts[:2])
