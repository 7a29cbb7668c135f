"""A reader without JavaScript: gets pages, fills in forms, follows where it is sent. One session of cookies."""

import html.parser
import re
from dataclasses import dataclass, field

import requests

from tests.web.api import ANNA, SECONDS, Api
from worker.service.access.sign_in import Browser

PASSWORD = "a few words that nobody guesses"


@dataclass
class Shown:
    """A page as it came."""

    status: int
    url: str
    html: str
    headers: requests.structures.CaseInsensitiveDict[str]

    @property
    def text(self) -> str:
        """What is to be read of it."""
        found = _Text()
        found.feed(self.html)
        return re.sub(r"\s+", " ", " ".join(found.parts)).strip()


class _Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@dataclass
class Reader:
    """Somebody with a browser; signed in once `sign_in` was called."""

    api: Api
    session: requests.Session = field(default_factory=requests.Session)
    language: str = "en"

    def get(self, path: str, **headers: str) -> Shown:
        """A page, with wherever it leads to."""
        return self._asked("GET", path, None, headers)

    def send(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Shown:
        """A form, as a browser sends it from a page of ours."""
        return self._asked("POST", path, fields or {}, {"Sec-Fetch-Site": "same-origin", **headers})

    def sign_in(self, user: str = "anna", role: str = "super_admin", domain: str | None = None) -> "Reader":
        """Makes a user of that role with a password, and signs in as them."""
        make_user(self.api, user, role, domain)
        shown = self.send("/admin/sign-in", {"name": user, "password": PASSWORD})
        assert shown.status == 200, shown.text
        return self

    def _asked(self, method: str, path: str, data: dict[str, str] | None, headers: dict[str, str]) -> Shown:
        told = {"Accept-Language": self.language, **headers}
        answer = self.session.request(method, self.api.url + path, data=data, headers=told, timeout=SECONDS)
        return Shown(answer.status_code, answer.url.removeprefix(self.api.url), answer.text, answer.headers)


def make_user(api: Api, name: str, role: str = "super_admin", domain: str | None = None) -> None:
    """A user with `PASSWORD`, who signs in to the page."""
    from settings_store.access.roles import Role

    account = api.preflight.account(actor=ANNA)
    user = account.access.add_user(name, Role(role), domain)
    signed_in = api.preflight.signed_in(user.account_id or 0, ANNA)
    api.preflight.sign_in.set_up(signed_in.link_for(user.id), name, PASSWORD, Browser("127.0.0.1"))
