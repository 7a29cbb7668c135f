"""What is refused is told in the language of who asks (Accept-Language), where it is there; codes and places stay."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.wording.errors import translated
from tests.web.api import Api, running
from tests.web.planted_changes import plant

JAPANESE = re.compile(r"[\u3040-\u9fff]")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("languages"), translate=translated) as found:
        yield found


@dataclass(frozen=True)
class Asked:
    """A request that is refused, and what its detail begins with in Japanese."""

    method: str
    path: str
    says: str
    body: Any = None
    key: str = ""


REFUSED = {
    "no key": Asked("GET", "/v1/domains", "`Authorization: Bearer mp_...` の形で", key="none"),
    "no path": Asked("GET", "/v1/nothing", "そのパスはありません"),
    "no domain": Asked("GET", "/v1/domains/unknown.example", "ドメイン unknown.example は登録されていません"),
    "a host": Asked(
        "POST", "/v1/domains/d.example/changes", "", {"settings": {"kind": "imap", "imap": {"host": "a b"}}}
    ),
    "NUL": Asked("PUT", "/v1/domains/d.example", "/x: テキストに NUL", {"x": "\0"}),
    "a cursor": Asked("GET", "/v1/domains?cursor=!", "この一覧のカーソルではありません"),
}


def asked(api: Api, what: Asked, languages: str) -> Any:
    key = None if what.key else api.key
    return api.ask(what.method, what.path, what.body, key=key, headers={"Accept-Language": languages})


@pytest.mark.parametrize("name", REFUSED)
def test_only_words_change(api: Api, name: str) -> None:
    english, japanese = (asked(api, REFUSED[name], each) for each in ("en-GB, ja;q=0.5", "ja, en;q=0.5"))
    assert japanese.body["detail"].startswith(REFUSED[name].says)
    assert JAPANESE.search(japanese.body["title"])
    assert (japanese.headers["Content-Language"], english.headers["Content-Language"]) == ("ja", "en")
    assert "Accept-Language" in japanese.headers["Vary"]
    assert not JAPANESE.search(english.text)
    stays = ("type", "status", "code", "instance")
    assert [japanese.body[each] for each in stays] == [english.body[each] for each in stays]
    places = ([(each["pointer"], each["code"]) for each in answer.body["errors"]] for answer in (english, japanese))
    assert next(places) == next(places)


def test_the_way_on_is_no_command(api: Api) -> None:
    change = plant(api, "discarded")
    body = api.ask(
        "POST", f"{change.path}/apply", {}, headers={"If-Match": f'"{"0" * 64}"', "Accept-Language": "ja"}
    ).body
    assert (body["code"], "mail-preflight" in str(body)) == ("wrong_state", False)
    assert "適用できません" in body["detail"]
