"""Address blocks where no mail server of the public is: the IANA special-purpose registries, and what platforms keep.

As the registries stood after RFC 9780 (May 2025), every row of them:
https://www.iana.org/assignments/iana-ipv4-special-registry/ and https://www.iana.org/assignments/iana-ipv6-special-registry/
(RFC 6890, RFC 8190). Rows that are globally reachable are here too: what is reached there is an anycast service of the
network, never a mail server.
"""

from typing import NamedTuple


class Block(NamedTuple):
    """One row. `source` is an RFC, or where else it is written down."""

    network: str
    name: str
    source: str


IPV4 = (
    Block("0.0.0.0/8", "This network", "RFC 791, 3.2"),
    Block("0.0.0.0/32", "This host on this network", "RFC 1122, 3.2.1.3"),
    Block("10.0.0.0/8", "Private-Use", "RFC 1918"),
    Block("100.64.0.0/10", "Shared Address Space", "RFC 6598"),
    Block("127.0.0.0/8", "Loopback", "RFC 1122, 3.2.1.3"),
    Block("169.254.0.0/16", "Link Local", "RFC 3927"),
    Block("172.16.0.0/12", "Private-Use", "RFC 1918"),
    Block("192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890, 2.1"),
    Block("192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335"),
    Block("192.0.0.8/32", "IPv4 dummy address", "RFC 7600"),
    Block("192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723"),
    Block("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    Block("192.0.0.170/32", "NAT64/DNS64 Discovery", "RFC 8880"),
    Block("192.0.0.171/32", "NAT64/DNS64 Discovery", "RFC 8880"),
    Block("192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737"),
    Block("192.31.196.0/24", "AS112-v4", "RFC 7535"),
    Block("192.52.193.0/24", "AMT", "RFC 7450"),
    Block("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
    Block("192.88.99.2/32", "6a44-relay anycast address", "RFC 6751"),
    Block("192.168.0.0/16", "Private-Use", "RFC 1918"),
    Block("192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534"),
    Block("198.18.0.0/15", "Benchmarking", "RFC 2544"),
    Block("198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737"),
    Block("203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737"),
    Block("240.0.0.0/4", "Reserved", "RFC 1112, 4"),
    Block("255.255.255.255/32", "Limited Broadcast", "RFC 919, 7"),
)

IPV6 = (
    Block("::1/128", "Loopback Address", "RFC 4291"),
    Block("::/128", "Unspecified Address", "RFC 4291"),
    Block("::ffff:0:0/96", "IPv4-mapped Address", "RFC 4291"),
    Block("64:ff9b::/96", "IPv4-IPv6 Translation", "RFC 6052"),
    Block("64:ff9b:1::/48", "IPv4-IPv6 Translation, local use", "RFC 8215"),
    Block("100::/64", "Discard-Only Address Block", "RFC 6666"),
    Block("100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780"),
    Block("2001::/23", "IETF Protocol Assignments", "RFC 2928"),
    Block("2001::/32", "TEREDO", "RFC 4380"),
    Block("2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723"),
    Block("2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    Block("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665"),
    Block("2001:2::/48", "Benchmarking", "RFC 5180"),
    Block("2001:3::/32", "AMT", "RFC 7450"),
    Block("2001:4:112::/48", "AS112-v6", "RFC 7535"),
    Block("2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843"),
    Block("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    Block("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
    Block("2001:db8::/32", "Documentation", "RFC 3849"),
    Block("2002::/16", "6to4", "RFC 3056"),
    Block("2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534"),
    Block("3fff::/20", "Documentation", "RFC 9637"),
    Block("5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602"),
    Block("fc00::/7", "Unique-Local", "RFC 4193"),
    Block("fe80::/10", "Link-Local Unicast", "RFC 4291"),
)

MULTICAST = (
    Block("224.0.0.0/4", "Multicast", "RFC 5771"),
    Block("ff00::/8", "Multicast", "RFC 4291, 2.7"),
)

PLATFORM = (
    Block(
        "168.63.129.16/32",
        "Azure: platform services of every virtual machine",
        "https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16",
    ),
    Block(
        "192.0.0.192/32",
        "Oracle Cloud Classic: instance metadata",
        "https://docs.oracle.com/en/cloud/iaas/compute-iaas-cloud/stcsg/retrieving-instance-metadata.html",
    ),
    Block(
        "100.100.100.200/32",
        "Alibaba Cloud: instance metadata",
        "https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata",
    ),
    Block(
        "161.26.0.0/16",
        "IBM Cloud: infrastructure services, reached from within only",
        "https://cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc",
    ),
    Block(
        "166.8.0.0/14",
        "IBM Cloud: service endpoints, reached from within only",
        "https://cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc",
    ),
    Block(
        "199.36.153.4/30",
        "Google Cloud: restricted.googleapis.com, reached from within only",
        "https://cloud.google.com/vpc/docs/configure-private-google-access",
    ),
    Block(
        "199.36.153.8/30",
        "Google Cloud: private.googleapis.com, reached from within only",
        "https://cloud.google.com/vpc/docs/configure-private-google-access",
    ),
    Block(
        "2600:2d00:2:1000::/64",
        "Google Cloud: restricted.googleapis.com, reached from within only",
        "https://cloud.google.com/vpc/docs/configure-private-google-access",
    ),
    Block(
        "2600:2d00:2:2000::/64",
        "Google Cloud: private.googleapis.com, reached from within only",
        "https://cloud.google.com/vpc/docs/configure-private-google-access",
    ),
)
"""Addresses of cloud platforms with which a machine talks to the platform itself. Several are public by the registries.

Those within blocks of the registries (169.254.169.254, fd00:ec2::254) need no row.
"""

IPV6_GLOBAL = "2000::/3"
"""All that IANA hands out as global unicast: https://www.iana.org/assignments/ipv6-address-space/"""
