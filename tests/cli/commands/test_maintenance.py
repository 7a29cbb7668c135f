"""`mail-preflight maintenance` and `domains pause` and `resume`: when nobody is to watch."""

from datetime import UTC, datetime, timedelta

import pytest

from settings_store import schema
from tests.cli.planted import DAY, Planted

pytestmark = pytest.mark.usefixtures("tokyo")


def tomorrow(hour: int) -> str:
    """A time of tomorrow in Tokyo, as people type it."""
    return f"{datetime.now(UTC) + timedelta(hours=9, days=1):%Y-%m-%d}T{hour:02}:00"


def windows(planted: Planted) -> list[tuple[int | None, float, float]]:
    with planted.database.read() as conn:
        return [(row.domain_id, row.starts_at, row.ends_at) for row in conn.execute(schema.maintenance.select())]


class TestMaintenance:
    def test_of_one_domain_in_local_time(self, planted: Planted) -> None:
        domain_id = planted.domain()
        begin, end = tomorrow(22), tomorrow(23)

        said = planted.run(
            *("maintenance", "add", "--domain", "Demo.Example", "--from", begin, "--until", end, "--note", "new\ndisks")
        )

        shown = f"{begin.replace('T', ' ')}+09:00 to {end.replace('T', ' ')}+09:00"
        assert (said.status, said.out) == (0, f"Maintenance 1: demo.example, {shown}; new disks\n")
        assert planted.run("maintenance", "list").out == f"1: demo.example, {shown}; new disks\n"
        expected = datetime.fromisoformat(begin + "+09:00").timestamp()
        assert windows(planted) == [(domain_id, expected, expected + 3600)]

    def test_of_all_domains_with_an_offset(self, planted: Planted) -> None:
        said = planted.run("maintenance", "add", "--from", tomorrow(5) + "+00:00", "--until", tomorrow(6) + "Z")

        assert said.status == 0
        assert "1: all domains, " in said.out
        ((domain_id, starts_at, ends_at),) = windows(planted)
        assert domain_id is None
        assert (starts_at % DAY, ends_at % DAY) == (5 * 3600, 6 * 3600)

    def test_as_json(self, planted: Planted) -> None:
        planted.run("maintenance", "add", "--from", tomorrow(5) + "Z", "--until", tomorrow(6) + "Z")

        (document,) = planted.run("maintenance", "list", "--json").document

        day = f"{datetime.now(UTC) + timedelta(hours=9, days=1):%Y-%m-%d}"
        times = {"from": f"{day}T05:00:00+00:00", "until": f"{day}T06:00:00+00:00"}
        assert document == {"id": 1, "domain": None, "note": "", **times}

    def test_removed(self, planted: Planted) -> None:
        planted.run("maintenance", "add", "--from", tomorrow(5), "--until", tomorrow(6))

        assert planted.run("maintenance", "remove", "1").out == "Removed.\n"
        assert windows(planted) == []
        said = planted.run("maintenance", "remove", "1")
        assert said.status == 2
        assert "there is no maintenance 1" in said.err

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--from", "tonight", "--until", "2030-01-01"], "--from: 'tonight' is no time"),
            (["--from", "2030-01-01", "--until", "25:00"], "--until: '25:00' is no time"),
            (["--from", "2030-01-02", "--until", "2030-01-01"], "must end after it starts"),
            (["--from", "2020-01-01", "--until", "2020-01-02"], "is over already"),
            (["--from", "2026-01-01", "--until", "2062-01-01"], "pause it"),
            (["--from", "0001-01-01", "--until", "2030-01-01"], "0001-01-01"),
            (["--from", "2030-01-01"], "--until"),
            (["--from", "2030-01-01", "--until", "2030-01-02", "--domain", "strange.example"], "is not known"),
        ],
    )
    def test_bad_input_is_one_line(self, planted: Planted, arguments: list[str], words: str) -> None:
        said = planted.run("maintenance", "add", *arguments)

        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1
        assert words in said.err
        assert windows(planted) == []


class TestPause:
    def test_paused_and_resumed(self, planted: Planted) -> None:
        planted.healthy()

        said = planted.run("domains", "pause", "Demo.Example")

        assert said.status == 0
        assert "Paused: nobody watches it." in said.out
        assert "To watch it again: mail-preflight domains resume demo.example\n" in said.out
        assert planted.run("health").out.startswith("? demo.example: paused")
        assert planted.run("domains", "pause", "demo.example").out.startswith("It was paused already.")
        assert planted.run("domains", "resume", "demo.example").out == "It is watched again.\n"
        assert planted.run("domains", "resume", "demo.example").out == "It was not paused.\n"

    @pytest.mark.parametrize("command", ["pause", "resume"])
    def test_an_unknown_domain(self, planted: Planted, command: str) -> None:
        said = planted.run("domains", command, "strange.example")

        assert (said.status, said.out) == (2, "")
        assert "is not known" in said.err

    def test_domains_alone_still_lists_them(self, planted: Planted) -> None:
        planted.healthy()

        assert planted.run("domains").out.startswith("demo.example: imap://imap.demo.example:993")
        assert planted.run("domains", "--json").document[0]["domain"] == "demo.example"
