"""A running API to ask: a real HTTP server in this process, with a store of its own."""

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from settings_store.actors import Actor
from settings_store.domains import ensure_domain, find_account
from settings_store.secrets import new_key
from tests.servers.stores import sqlite_store
from web.pages.app import as_it_is
from web.problems.problem import Translate
from web.server import answering
from worker.config import Config
from worker.service.preflight import Preflight

ANNA = Actor("anna", "local")
SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is the JSON, {} where there is none."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else {}


@dataclass
class Api:
    """The API, asked with a key of a host app unless it is said otherwise."""

    url: str
    preflight: Preflight
    key: str = ""
    operators_key: str = ""
    test_key: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens, for who speaks HTTP by hand."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """One request. `body` goes as JSON unless it is bytes; `headers` are added, `key` is another key or None."""
        key = options.pop("key", self.key)
        headers = dict(options.pop("headers", {}))
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        data: bytes | None = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        found = self.session.request(method, self.url + path, data=data, headers=headers, timeout=SECONDS, **options)
        return Answer(found.status_code, found.headers, found.text)

    @contextlib.contextmanager
    def another_session(self) -> Iterator["Api"]:
        """The same API by another connection: to ask it while this one waits for an answer."""
        with requests.Session() as session:
            yield replace(self, session=session)

    def new_key(self, account: str = "default", **wanted: Any) -> str:
        """The text of a new key of an account, by default the host app's own with all rights."""
        options = KeyRequest(**{"name": "test", **wanted})
        if options.role is Role.MEMBER and options.user_id is None:
            options = replace(options, user_id=self._new_member(account))
        access = (
            self.preflight.operators(ANNA)
            if options.role is Role.OPERATOR
            else self.preflight.account(account, actor=ANNA).access
        )
        return access.create_key(options)[1].text

    def _new_member(self, account: str) -> str:
        """A member's key is that of a user, who is one of a domain."""
        found = self.preflight.account(account, actor=ANNA)
        with self.preflight.database.begin() as conn:
            ensure_domain(conn, find_account(conn, account), "member.example")
        return found.access.add_user(f"member {uuid.uuid4().hex}", Role.MEMBER, "member.example").id


@contextlib.contextmanager
def running(folder: Path, *, working: bool = False, translate: Translate = as_it_is, **config: Any) -> Iterator[Api]:
    """An API with an empty store in `folder`. `working`: verifications are worked on, as `serve` does."""
    url = config.pop("database_url", None) or sqlite_store(folder / "preflight.db")
    config = {"secret_key": SecretStr(new_key()), "database_url": SecretStr(url), **config}
    with Preflight.open(Config(**config)) as preflight, contextlib.ExitStack() as stack:
        if working:
            stack.enter_context(preflight.processes.working())
        api = Api(stack.enter_context(answering(preflight, "127.0.0.1", 0, translate)), preflight)
        api.key = api.new_key()
        stack.callback(api.session.close)
        yield api
