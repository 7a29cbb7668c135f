"""The network of the firewall tests: its addresses, and what the firewall does at each port."""

SERVER, SERVER_6 = "10.9.0.1", "2001:db8:9::1"
SHARED = "10.9.0.2"
STATIC, STATIC_6 = "10.9.0.4/30", "2001:db8:9::4/127"
ADDRESSES = [f"10.9.0.{last}/24" for last in (1, 2, 4, 5, 6, 7)] + [f"2001:db8:9::{last}/64" for last in (1, 4, 5)]

PORTS = {
    "admitted": 9930,
    "dropped": 9931,
    "rejected": 9932,
    "reset": 9933,
    "prohibited": 9934,
    "only_shared": 9935,
    "nobody": 9936,
    "banned": 9937,
    "ipv6_only": 9938,
}
_BLOCKED_BY = {
    "dropped": "ip saddr 10.9.0.7 tcp dport 9931 drop",
    "rejected": "ip saddr 10.9.0.6 tcp dport 9932 reject",
    "reset": "ip saddr 10.9.0.5 tcp dport 9933 reject with tcp reset",
    "prohibited": "ip saddr 10.9.0.4 tcp dport 9934 reject with icmpx type admin-prohibited",
    "only_shared": "ip saddr 10.9.0.4/30 tcp dport 9935 drop",
    "nobody": "tcp dport 9936 drop",
    "banned": "ip saddr 10.9.0.6 tcp dport 9937 tcp flags syn limit rate over 1/hour burst 3 packets drop",
    "ipv6_only": "ip saddr 10.9.0.0/24 tcp dport 9938 drop",
}
RULES = "\n".join(_BLOCKED_BY.values())
