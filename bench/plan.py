"""How much is measured."""

from dataclasses import dataclass

AT_ONCE = 20
"""Logins at a time, of every party."""
ROUND_TRIP = 0.040
"""Seconds, in the section with a distant server."""
WORKERS = 2


class Void(Exception):
    """A party did not do what it was to do, so its numbers mean nothing."""


@dataclass(frozen=True, slots=True)
class PagePlan:
    """`saves` for each server; `loads` of each report; a run of `mailboxes` that is looked at for `seconds`."""

    saves: int = 10
    loads: int = 15
    mailboxes: int = 10_000
    seconds: float = 15.0


SHORT_PAGE = PagePlan(saves=3, loads=5, mailboxes=10_000, seconds=3.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """`count` mailboxes, and `few`, to compare with curl; `rounds` of all parties in turn.

    `saves` to take the latency of. `steps` of growth: those above five times `count` are left out. `domains` are due at
    once for health. `watchers` look at one run for `watched_seconds`. `page` is of the admin page.
    """

    count: int = 2_000
    few: int = 100
    rounds: int = 3
    saves: int = 10
    steps: tuple[int, ...] = (100, 1_000, 10_000)
    domains: int = 5_000
    watchers: int = 500
    watched_seconds: float = 24.0
    page: PagePlan = PagePlan()

    @property
    def distant_count(self) -> int:
        """Mailboxes with the delay: a round trip costs each of them half a second."""
        return max(AT_ONCE, self.count // 4)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of mailboxes over which growth is shown in one process."""
        return tuple(size for size in self.steps if size <= 5 * self.count) or (self.count,)

    @property
    def worker_sizes(self) -> tuple[int, ...]:
        """The same for workers."""
        return self.sizes[-2:]
