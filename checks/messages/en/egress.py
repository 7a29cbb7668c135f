"""The request to a firewall's people, in English. See `checks.messages.firewall_request`."""

from checks.language import Texts

WORDS: Texts = {
    "request.subject": "Firewall: let our mail connections to the servers of {domain} in",
    "request.explanation": (
        "An application of your organisation reads and sends the mail of {domain} for its users. It connects to your"
        " mail servers from fixed addresses, which belong to this service alone. Your firewall, and whatever else"
        " limits who may connect, has to let these addresses in; no other address of ours needs to be open."
        " Connections are encrypted with TLS and are made from our side only, and each mailbox is opened with the login"
        " of its own user."
    ),
    "request.opening": "Please allow incoming TCP connections to the mail servers of {domain}.",
    "request.sources": "From (source addresses):",
    "request.targets": "To (destination hosts and TCP ports):",
    "request.target": "{host}, port {port} ({protocol})",
    "request.rule": (
        "Protocol: TCP, any source port; the connection is begun by the source addresses. Please allow all of them:"
        " which one is used changes."
    ),
    "request.blocked": "At our last test these were not let in: {addresses}.",
    "request.lists": (
        "Please also put them on the allow lists of what bans or limits connections by address (fail2ban, intrusion"
        " prevention, connection limits of the mail server): many mailboxes are reached from few addresses."
    ),
}
