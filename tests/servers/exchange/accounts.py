"""Who may log on to the stand-in Exchange, who did, and who is locked out. For the server's process."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.servers.exchange.kinds import MailboxScenario
from tests.servers.exchange.scenarios import MAILBOX_SCENARIOS
from tests.servers.exchange.wire import Answer

NETBIOS_DOMAIN = "LAB"
"""`LAB\\user` is the same account as `user@lab.example`."""
REFUSED = Answer(401)


@dataclass(slots=True)
class Account:
    """One account. `acts` is the name of a mailbox scenario. `impersonates`: it may act for every other mailbox."""

    address: str
    password: str = field(repr=False)
    acts: str = "ok"
    impersonates: bool = False
    bad: int = 0

    @property
    def scenario(self) -> MailboxScenario:
        return MAILBOX_SCENARIOS[self.acts]


class Directory:
    """All accounts, and the record of their logons. Safe for many threads."""

    def __init__(self, accounts: Mapping[str, Account], lockout: int) -> None:
        """`lockout`: bad logons after which an account is locked, 0 for never."""
        self._accounts = {address.lower(): account for address, account in accounts.items()}
        self._by_name = {address.partition("@")[0]: account for address, account in self._accounts.items()}
        self._lockout = lockout
        self._lock = threading.Lock()
        self.good: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()

    def find(self, name: str) -> Account | None:
        r"""The account of a logon name: `user@domain`, `\user@domain`, `LAB\user` or `user`. Letter case is ignored."""
        domain, _, user = name.lower().rpartition("\\")
        if domain not in ("", NETBIOS_DOMAIN.lower()):
            return None
        return self._accounts.get(user) if "@" in user else self._by_name.get(user)

    def judge(self, name: str, right: bool) -> tuple[Account | None, Answer]:
        """Record one logon attempt. The account when it is let in, else None and what to answer."""
        account = self.find(name)
        with self._lock:
            answer = self._refusal(account, right)
            key = account.address if account else name.lower()
            (self.good if answer is None else self.bad)[key] += 1
            if account and not right:
                account.bad += 1
        return (account, REFUSED) if answer is None else (None, answer)

    def _refusal(self, account: Account | None, right: bool) -> Answer | None:
        """What is answered when it is not let in: only who knows the password hears a reason."""
        if account is None or not right:
            return REFUSED
        if self._lockout and account.bad >= self._lockout:
            return REFUSED
        return account.scenario.refusal

    def refuse(self, name: str) -> Answer:
        """Record a bad logon that says nothing of the password, so that it does not count towards locking."""
        account = self.find(name)
        with self._lock:
            self.bad[account.address if account else name.lower()] += 1
        return REFUSED

    def locked(self) -> list[str]:
        return sorted(one.address for one in self._accounts.values() if self._lockout and one.bad >= self._lockout)

    def act(self, address: str | None, scenario: str) -> None:
        """Make one mailbox, or all of them, behave as that mailbox scenario."""
        for one in self._accounts.values():
            if address is None or one.address.lower() == address.lower():
                one.acts = scenario

    def forget(self) -> None:
        """Forget all logons and unlock everybody."""
        with self._lock:
            self.good.clear()
            self.bad.clear()
            for account in self._accounts.values():
                account.bad = 0
