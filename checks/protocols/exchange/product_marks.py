"""By what a log-on page, a proxy, a firewall or Exchange Online gives itself away.

Words of strangers again: bodies are bounded before they come here, and no pattern repeats without a bound.
"""

import re
from urllib.parse import urlsplit

from checks.codes import Code
from checks.model import Fault
from checks.network.http import Reply, excerpt
from checks.protocols import exchange_online

# Where a proxy sends somebody who has not logged on at the proxy itself.
_LOGON_FIRST = re.compile(
    r"/adfs/|/cookieauth\.dll|/internalsite/"  # AD FS, Forefront TMG and UAG
    r"|/my\.policy|/my\.logon|/vdesk/|/f5-w-"  # F5 BIG-IP
    r"|/vpn/|/cgi/(login|gettm)|/logon/logonpoint|/nf/auth"  # NetScaler
    r"|/dana-na/|/remote/login|/\+cscoe\+/|/global-protect/"  # Pulse, FortiGate, Cisco, Palo Alto
    r"|/oauth2/|/oauth/authorize|/saml2?/|/sso/|/idp/|/openid|/cdn-cgi/access/|/wsfed|/siteminderagent/"
)
_LOGON_HOSTS = re.compile(
    r"(^|\.)(login\.microsoftonline\.(com|us|de|cn)|login\.windows\.net|okta\.com|oktapreview\.com|duosecurity\.com"
    r"|cloudflareaccess\.com|onelogin\.com|pingone\.(com|eu)|auth0\.com|accounts\.google\.com)$"
)
_LOGON_COOKIES = re.compile(r"\b(MRHSession|F5_ST|NSC_(TASS|AAAC|TMAS)|SMSESSION)=", re.IGNORECASE)
# What firewalls write on the pages with which they turn somebody away.
_FIREWALL = re.compile(
    rb"requested url was rejected|your support id is|incapsula incident|imperva|mod_security|modsecurity"
    rb"|attention required! \| cloudflare|cf-error-details|sucuri website firewall|web page blocked|fortiguard"
    rb"|web application firewall|barracuda|<title>request rejected|the request is blocked\."
    rb"|access denied.{0,400}reference (#|&#35;)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE = re.compile(rb"<!doctype html|<html", re.IGNORECASE)
_LOGON_PAGE = re.compile(
    rb"type=.?password|/owa/auth|auth\.owa|logon\.aspx|<title>[^<]{0,40}(sign in|log ?on|log ?in|outlook)",
    re.IGNORECASE,
)


def wants_logon_first(reply: Reply, target: str) -> bool:
    """Whether a redirect leads to the log-on of a proxy that stands before Exchange."""
    parts = urlsplit(target)
    return bool(
        _LOGON_FIRST.search(parts.path.lower())
        or _LOGON_HOSTS.search((parts.hostname or "").lower())
        or _LOGON_COOKIES.search(reply.header("set-cookie"))
    )


def gateway(reply: Reply) -> Fault | None:
    """The firewall or proxy that answered in Exchange's place, if one gives itself away."""
    if reply.header("cf-mitigated") or (is_page(reply) and _FIREWALL.search(reply.body)):
        return Fault(Code.EXCHANGE_FIREWALL, excerpt(reply))
    if is_page(reply) and _LOGON_COOKIES.search(reply.header("set-cookie")):
        return Fault(Code.EXCHANGE_PRE_AUTHENTICATION, excerpt(reply))
    return None


def is_page(reply: Reply) -> bool:
    """Whether the answer is made for a browser."""
    return "text/html" in reply.header("content-type").lower() or bool(_PAGE.search(reply.body[:1_024]))


def is_logon_page(reply: Reply) -> bool:
    """Whether people are asked for their password here."""
    return is_page(reply) and bool(_LOGON_PAGE.search(reply.body))


def is_online(reply: Reply, url: str) -> bool:
    """Whether Exchange Online answered: by the host that was asked, or by the machines that the answer names."""
    named = (reply.header("x-calculatedfetarget"), reply.header("x-calculatedbetarget"))
    host = urlsplit(url).hostname or ""
    return exchange_online.is_online(host) or any(map(exchange_online.is_back_end, named))
