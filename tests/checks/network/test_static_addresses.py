"""The operator's ranges, as they are written."""

import pytest

from checks.model import Invalid
from checks.network.static_addresses import addresses_of, egresses, parse_networks, parse_ranges
from checks.network.way_out import Source
from worker.config import load_config


def test_ranges_of_both_families_and_single_addresses() -> None:
    ranges = parse_ranges("203.0.113.8/30, 2001:db8::8/127 198.51.100.7")
    assert [str(each) for each in ranges] == ["203.0.113.8/30", "2001:db8::8/127", "198.51.100.7"]
    assert [each.public for each in addresses_of(ranges, "")] == [
        *(f"203.0.113.{last}" for last in (8, 9, 10, 11)),
        *("2001:db8::8", "2001:db8::9"),
        "198.51.100.7",
    ]
    assert parse_ranges("") == ()


def test_egresses_and_the_addresses_behind_a_nat() -> None:
    ranges = parse_ranges("tokyo=203.0.113.8/31@10.0.0.8/31 osaka=198.51.100.7 tokyo=2001:db8::8")
    assert egresses(ranges) == ("osaka", "tokyo")
    assert [(each.public, each.local) for each in addresses_of(ranges, "tokyo")] == [
        ("203.0.113.8", "10.0.0.8"),
        ("203.0.113.9", "10.0.0.9"),
        ("2001:db8::8", "2001:db8::8"),
    ]
    assert addresses_of(ranges, "osaka")[0].source == Source(ipv4="198.51.100.7", only=True)
    assert addresses_of(ranges, "") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("203.0.113.0/33", "is no address and no range"),
        ("203.0.113.9/30", "is no address and no range"),  # its bits say more than the range
        ("mail.example.com", "is no address and no range"),
        ("203.0.113.8-203.0.113.11", "is no address and no range"),
        ("203.0.113.0/24", "too many addresses"),
        ("203.0.113.0/28 198.51.100.0/31", "18 addresses are too many"),
        ("Tokyo=203.0.113.8", "is no name of an egress"),
        ("=203.0.113.8", "is no name of an egress"),
        ("203.0.113.8/30@10.0.0.8/31", "same family and size"),
        ("203.0.113.8@2001:db8::8", "same family and size"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(text: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match=words):
        parse_ranges(text)
    monkeypatch.setenv("MAIL_PREFLIGHT_STATIC_ADDRESSES", text)
    with pytest.raises(Invalid, match=f"MAIL_PREFLIGHT_STATIC_ADDRESSES is not usable: .*{words}") as refused:
        load_config()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHARED_ADDRESSES", "everything"),
        ("SOURCE_ADDRESS", "203.0.113.0/24"),
        ("ALLOW_PORTS", "https"),
        ("ALLOW_PORTS", "70000"),
    ],
)
def test_the_other_settings_are_looked_at_too(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MAIL_PREFLIGHT_{name}", text)
    with pytest.raises(Invalid, match=f"MAIL_PREFLIGHT_{name} is not usable"):
        load_config()


@pytest.mark.parametrize(
    ("broker", "ports", "admitted", "refused"),
    [
        ("memory://", None, (993, 8443), ()),
        ("redis://127.0.0.1/0", None, (993, 443), (80, 8443)),
        ("redis://127.0.0.1/0", "8443, 2526", (993, 8443, 2526), (80,)),
        ("redis://127.0.0.1/0", "any", (993, 80, 8443), ()),
    ],
)
def test_ports_are_limited_where_the_service_is_distributed(
    broker: str,
    ports: str | None,
    admitted: tuple[int, ...],
    refused: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_BROKER_URL", broker)
    if ports is not None:
        monkeypatch.setenv("MAIL_PREFLIGHT_ALLOW_PORTS", ports)
    policy = load_config().policy
    assert all(policy.admits_port("9.9.9.9", port) for port in admitted)
    assert not any(policy.admits_port("9.9.9.9", port) for port in refused)


def test_the_shared_address_has_a_name_where_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PREFLIGHT_SOURCE_ADDRESS", "10.0.0.2, fd00::2")
    assert (load_config().shared_source, load_config().shared_name) == (Source("10.0.0.2", "fd00::2"), "")
    monkeypatch.setenv("MAIL_PREFLIGHT_SHARED_ADDRESSES", "203.0.113.1")
    assert load_config().shared_name == "203.0.113.1"
    assert parse_networks("203.0.113.0/24 2001:db8::/64")[1].version == 6
