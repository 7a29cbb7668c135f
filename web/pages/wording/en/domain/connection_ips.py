"""From where mail servers are connected to."""

from checks.language import Texts

WORDS: Texts = {
    "connection_ips.nav": "Connection IPs",
    "connection_ips.heading": "Connection IPs",
    "connection_ips.lead": "The addresses from which mail servers are connected to. Firewalls and allow lists have to let them in.",
    "connection_ips.addresses": "Addresses and ranges",
    "connection_ips.shared": "Shared addresses",
    "connection_ips.shared.hint": "For every domain that does not use static addresses.",
    "connection_ips.shared.none": "None is known yet.",
    "connection_ips.incomplete": "There may be others: the system chooses, and nobody has set which. Ask whoever operates this service.",
    "connection_ips.static": "Static addresses",
    "connection_ips.static.hint": "Only for domains that use them, by the switch in their settings.",
    "connection_ips.static.unused": "There are some. They are shown once a domain uses them, or a change is saved that would.",
    "connection_ips.static.none": "This service has none.",
    "connection_ips.domains": "Used by:",
    "connection_ips.in_use": "Connections leave from static addresses.",
    "connection_ips.to_request": "Request to the firewall",
    "connection_ips.request.heading": "Request to the firewall of {domain}",
    "connection_ips.request.hint": "The text has its servers, ports and addresses, in English and Japanese.",
    "connection_ips.request.button": "Show the request",
    "connection_ips.request.static": "For the people who run the firewall: what to let in. The domain uses static addresses, or a change is saved with which it would.",
    "connection_ips.request.shared": "For the people who run the firewall: what to let in. The domain uses the shared addresses.",
    "connection_ips.request.blocked": "Not let in at the last test: {addresses}",
    "connection_ips.request.in": "The request in",
    "connection_ips.subject": "Subject",
    "connection_ips.text": "Text",
    "connection_ips.explain": "What it is about, for the IT team",
    "connection_ips.targets": "Servers and ports",
    "connection_ips.your_domain": "your domain",
    "connection_ips.admissions": "From which of our addresses it lets us in",
}
