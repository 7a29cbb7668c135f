"""How a server can behave before anybody logs on: the first half of `tests.servers.exchange.scenarios`."""

from itertools import combinations

from tests.servers.exchange import pages, soap
from tests.servers.exchange.kinds import EndpointScenario, Scheme
from tests.servers.exchange.wire import Answer

END = EndpointScenario
FOREVER = 3600.0


def _combinations() -> list[EndpointScenario]:
    schemes: tuple[Scheme, ...] = ("Basic", "NTLM", "Negotiate", "Bearer")
    found = []
    for size in range(1, 5):
        for offered in combinations(schemes, size):
            logon = "auth.oauth_required" if offered == ("Bearer",) else "ok"
            name = "_".join(offered).lower()
            found.append(END(name, "ok", f"EWS that offers {', '.join(offered)}", logon, schemes=offered))
    return found


def _front(name: str, code: str, what: str, answer: Answer, logon: str = "") -> EndpointScenario:
    """A scenario in which Exchange is not reached, so that no mailbox is either."""
    return END(name, code, what, logon=logon or code, front=answer)


# fmt: off
ENDPOINTS = (
    END("exchange", "ok", "Exchange as it was started"),
    # EWS: basic, ntlm, negotiate, bearer, basic_ntlm, ... basic_ntlm_negotiate_bearer
    *_combinations(),
    END("digest", "exchange.auth_unusable", "only Digest", logon="exchange.auth_unusable", schemes=("Digest",)),
    END("kerberos_only", "ok", "Negotiate that refuses NTLM", "exchange.auth_unusable",
        schemes=("Negotiate",), accepts_ntlm=False),
    END("protected", "ok", "NTLM, Extended Protection demanded", schemes=("NTLM",), protection="require"),
    END("protected_proxy", "ok", "Extended Protection behind a proxy", "auth.rejected",
        schemes=("NTLM",), protection="other_certificate"),
    END("no_keep_alive", "ok", "NTLM behind a proxy that closes connections",
        "exchange.ntlm_broken", schemes=("NTLM",), keep_alive=False),
    END("no_version", "ok", "no header that tells the version", names_version=False),
    END("autodiscover_other", "ok", "autodiscover names another host", warning="exchange.autodiscover_differs",
        autodiscover="other_host"),
    END("autodiscover_missing", "ok", "no autodiscover", autodiscover="not_found"),
    # log-on pages, proxies, firewalls
    _front("owa_page", "exchange.logon_page", "200 and the log-on page of Outlook on the web", pages.OWA_LOGON),
    _front("owa_redirect", "exchange.logon_page", "302 to /owa/auth/logon.aspx", pages.OWA_REDIRECT),
    _front("other_logon_page", "exchange.logon_page", "200 and another log-on page", pages.SHAREPOINT_LOGON),
    _front("tmg", "exchange.pre_authentication", "Forefront TMG's cookie logon", pages.TMG),
    _front("adfs", "exchange.pre_authentication", "AD FS proxy", pages.ADFS),
    _front("entra_proxy", "exchange.pre_authentication", "Entra application proxy", pages.ENTRA),
    _front("f5_apm", "exchange.pre_authentication", "F5 access policy", pages.F5_APM),
    _front("netscaler", "exchange.pre_authentication", "NetScaler AAA", pages.NETSCALER),
    _front("waf_page", "exchange.firewall", "a web application firewall's page with 200", pages.WAF_200),
    _front("waf_challenge", "exchange.firewall", "a challenge for browsers, 403", pages.WAF_CHALLENGE),
    _front("waf_406", "exchange.firewall", "ModSecurity, 406", pages.WAF_406),
    # HTTP and redirects
    END("plain_http", "exchange.plain_http", "HTTP without TLS", "exchange.plain_http", transport="plain"),
    _front("http_to_https", "exchange.redirect_loop", "TLS ended by a proxy: https is sent to https for ever",
           pages.redirect("{origin}/EWS/Exchange.asmx", 301)),
    _front("redirect_path", "exchange.redirected", "301 to the same host's /mail/EWS/Exchange.asmx",
           pages.redirect("{origin}/mail/EWS/Exchange.asmx", 301)),
    _front("redirect_relative", "exchange.redirected", "the same path",
           pages.redirect("/mail/EWS/Exchange.asmx")),
    _front("redirect_308", "exchange.redirected", "the same, 308", pages.redirect("/mail/EWS/Exchange.asmx", 308)),
    _front("redirect_other_host", "exchange.redirected_elsewhere", "302 to another host",
           pages.redirect("{other}/EWS/Exchange.asmx")),
    _front("redirect_to_http", "exchange.redirected_elsewhere", "302 to the other host without TLS",
           pages.redirect("{plain}/EWS/Exchange.asmx")),
    _front("redirect_loop", "exchange.redirect_loop", "307 to the very same URL",
           pages.redirect("{origin}/EWS/Exchange.asmx", 307)),
    _front("redirect_nowhere", "protocol.error", "302 without a Location", pages.page("Object moved", "", 302)),
    _front("redirect_online", "exchange.online", "302 to Exchange Online",
           pages.redirect("https://outlook.office365.com/EWS/Exchange.asmx")),
    _front("redirect_consumer", "exchange.consumer", "302 to consumer Outlook",
           pages.redirect("https://outlook.live.com/owa/")),
    # Exchange Online
    END("online", "ok", "Exchange Online's 401", "exchange.online_password", "exchange.online", pages.ONLINE_CHALLENGE),
    _front("online_retired", "exchange.online_retired", "Exchange Online, EWS has ended", pages.ONLINE_RETIRED),
    # refusals
    _front("no_scheme", "exchange.no_auth_offered", "401 without WWW-Authenticate", pages.UNAUTHORIZED_NO_SCHEME),
    _front("forbidden", "exchange.forbidden", "403, EWS is switched off", pages.FORBIDDEN),
    _front("forbidden_empty", "exchange.forbidden", "403 with an empty body", pages.FORBIDDEN_EMPTY),
    _front("address_blocked", "server.blocks_address", "403.6", pages.ADDRESS_BLOCKED),
    _front("not_found", "exchange.not_found", "404", pages.NOT_FOUND),
    _front("not_allowed", "exchange.not_allowed", "405", pages.NOT_ALLOWED),
    _front("internal_error", "server.unavailable", "500 of ASP.NET", pages.ASP_ERROR),
    _front("generic_error", "server.unavailable", "302 to genericerrorpage.htm", pages.GENERIC_ERROR),
    _front("bad_gateway", "server.unavailable", "502", pages.BAD_GATEWAY),
    _front("unavailable", "server.unavailable", "503 of a stopped application pool", pages.SERVICE_UNAVAILABLE),
    _front("gateway_timeout", "server.unavailable", "504", pages.GATEWAY_TIMEOUT),
    _front("throttled", "server.throttled", "500 with BackOffMilliseconds", soap.fault("ErrorServerBusy")),
    _front("throttled_503", "server.throttled", "503 with Retry-After", pages.BUSY_503),
    _front("throttled_429", "server.throttled", "429 of a proxy", pages.BUSY_429),
    # no EWS at all
    _front("web_site", "exchange.not_ews", "any web site: 200 and HTML", pages.WEB_SITE),
    _front("json", "exchange.not_ews", "200 and JSON", pages.JSON_API),
    _front("not_xml", "exchange.not_ews", "200 and text", pages.NOT_XML),
    _front("broken_xml", "exchange.not_ews", "200 and XML that never ends", pages.BROKEN_XML),
    _front("empty", "exchange.not_ews", "200 and nothing", pages.EMPTY),
    _front("other_soap", "exchange.other_service", "another SOAP service", pages.OTHER_SOAP),
    # servers that do harm
    _front("silent", "deadline.exceeded", "no answer", Answer(200, wait=FOREVER)),
    _front("drip", "deadline.exceeded", "a byte a second", Answer(200, b"<" * 3600, soap.XML, pause=1.0)),
    _front("gzip_bomb", "protocol.oversize", "64 KiB that unpack to 64 MiB", Answer(200, b"", soap.XML, bomb=True)),
    _front("flood", "protocol.oversize", "64 MiB", Answer(200, b"<!-- -->" * 8192, soap.XML, repeat=1024)),
    _front("cut", "connect.closed", "half an answer", Answer(200, b"x" * 1000, soap.XML, cut=True)),
    _front("hang_up", "connect.closed", "closed instead of an answer", Answer(0)),
    _front("reset", "connect.closed", "reset instead of an answer", Answer(0, reset=True)),
    END("closed", "connect.closed", "closed before TLS", "connect.closed", transport="closed"),
    END("tls_silent", "tls.timeout", "no TLS handshake", "tls.timeout", transport="silent"),
)
# fmt: on
