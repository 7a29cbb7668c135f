"""What answers instead of Exchange Web Services: log-on pages, proxies, firewalls, web servers, other services.

The source is beside each; where there is none, it is the product's usual answer, not taken from a recording.
"""

from tests.servers.exchange.wire import Answer

HTML = ("Content-Type", "text/html; charset=utf-8")
IIS = ("Server", "Microsoft-IIS/10.0")
# Exchange Online names its front ends: https://github.com/rvrsh3ll/TokenTactics/issues/6
ONLINE = (
    IIS,
    ("X-CalculatedFETarget", "MRXP264CU001.internal.outlook.com"),
    ("X-FEServer", "PR1P264CA0001"),
)


def page(title: str, text: str = "", status: int = 200, *headers: tuple[str, str]) -> Answer:
    """A small HTML page."""
    body = f"<!DOCTYPE html>\r\n<html><head><title>{title}</title></head><body>{text or title}</body></html>"
    return Answer(status, body.encode(), (HTML, *headers))


def redirect(to: str, status: int = 302, *headers: tuple[str, str]) -> Answer:
    """`to` may begin with `{origin}` (the host that was asked) or `{other}` (the other host of the server)."""
    return page("Object moved", "Object moved", status, ("Location", to), *headers)


# Outlook on the web: form-based logon. https://github.com/gautamsi/ews-javascript-api/issues/15 tells of such pages,
# the form's action is recorded in https://github.com/mguessan/davmail/issues/279
OWA_LOGON = page(
    "Outlook",
    '<form action="/owa/auth.owa" method="POST" name="logonForm"><input name="destination"><input name="flags" '
    'value="4"><input name="username"><input name="password" type="password"></form>',
    200,
    IIS,
    ("X-OWA-Version", "15.2.1544.4"),
)
OWA_REDIRECT = redirect(
    "{origin}/owa/auth/logon.aspx?url={origin}%2fEWS%2fExchange.asmx&reason=0",
    302,
    IIS,
    ("X-OWA-Version", "15.2.1544.4"),
)
SHAREPOINT_LOGON = page("Sign In", '<form action="/_forms/default.aspx"><input type="password" name="pw"></form>')

# https://github.com/gautamsi/ews-javascript-api/issues/5 (Forefront TMG, cookies)
TMG = redirect("/CookieAuth.dll?GetLogon?curl=Z2FEWSZ2FExchange.asmx&reason=0&formdir=3", 302)
# AD FS Web Application Proxy:
# https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/ (pass-through is what EWS needs)
ADFS = redirect("https://adfs.lab.example/adfs/ls/?version=1.0&action=signin&realm=urn%3AAppProxy%3Acom", 307)
# https://learn.microsoft.com/en-us/entra/identity/app-proxy/
ENTRA = redirect("https://login.microsoftonline.com/common/oauth2/authorize?client_id=0&response_type=code", 302)
# F5 BIG-IP APM: session cookie and policy page
F5_APM = redirect("/my.policy", 302, ("Set-Cookie", "MRHSession=0;path=/;secure"), ("Server", "BigIP"))
# Citrix NetScaler AAA
NETSCALER = redirect("/vpn/tmindex.html", 302, ("Set-Cookie", "NSC_TASS=0;Path=/;Secure"))
# F5 BIG-IP ASM's block page comes with status 200
WAF_200 = page("Request Rejected", "The requested URL was rejected. Your support ID is: 1234567890")
# https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
WAF_CHALLENGE = page("Just a moment...", "", 403, ("Server", "cloudflare"), ("cf-mitigated", "challenge"))
# ModSecurity below Apache
WAF_406 = page("Not Acceptable!", "An appropriate representation could not be found. Mod_Security.", 406)

PLAIN_TO_TLS = page("400 The plain HTTP request was sent to HTTPS port", "", 400, ("Server", "nginx"))
NOT_FOUND = page("404 - File or directory not found.", "", 404, IIS)
# EWS published for reading only, or a static site: IIS and nginx
NOT_ALLOWED = page("405 - HTTP verb used to access this page is not allowed.", "", 405, IIS, ("Allow", "GET, HEAD"))
# https://github.com/ecederstrand/exchangelib/issues/893 has a 403 with an empty body, /1199 another
FORBIDDEN = page("403 - Forbidden: Access is denied.", "", 403, IIS)
FORBIDDEN_EMPTY = Answer(403, b"", (IIS,))
# IIS IP restrictions, substatus 403.6
# https://learn.microsoft.com/en-us/troubleshoot/developer/webapps/iis/www-administration-management/http-status-code
ADDRESS_BLOCKED = page(
    "IIS 10.0 Detailed Error - 403.6 - Forbidden", "HTTP Error 403.6 - Forbidden. The IP address is rejected.", 403, IIS
)
# Exchange Online after the end of EWS: 403 and nothing else
# https://techcommunity.microsoft.com/blog/exchange/exchange-online-ews-your-time-is-almost-up/4492361
ONLINE_RETIRED = Answer(403, b"", ONLINE)
# The 401 of outlook.office365.com: https://github.com/ecederstrand/exchangelib/issues/113 (Basic; Bearer came later)
ONLINE_CHALLENGE = Answer(
    401,
    b"",
    (
        *ONLINE,
        (
            "WWW-Authenticate",
            'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-'
            '000000000000@*", token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri='
            '"https://login.windows.net/common/oauth2/authorize"',
        ),
        ("WWW-Authenticate", 'Basic Realm=""'),
    ),
)
UNAUTHORIZED_NO_SCHEME = page("401 - Unauthorized", "", 401, IIS)
# exchangelib's own comment calls it "ridiculous behaviour for random outages" (exchangelib/protocol.py)
GENERIC_ERROR = redirect("/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx", 302, IIS)
ASP_ERROR = page("Runtime Error", "Server Error in '/EWS' Application.", 500, IIS)
SERVICE_UNAVAILABLE = page("Service Unavailable", "HTTP Error 503. The service is unavailable.", 503)
BUSY_503 = page("Service Unavailable", "", 503, IIS, ("Retry-After", "2"))
BUSY_429 = Answer(429, b"", (("Retry-After", "30"),))
BAD_GATEWAY = page("502 Bad Gateway", "", 502, ("Server", "nginx"))
GATEWAY_TIMEOUT = page("504 Gateway Time-out", "", 504, ("Server", "nginx"))

WEB_SITE = page("Welcome to Example Ltd", "We make things.", 200, ("Server", "Apache"))
JSON_API = Answer(200, b'{"status":"ok"}', (("Content-Type", "application/json"),))
NOT_XML = Answer(200, b"EWS proxy: it works", (("Content-Type", "text/plain"),))
BROKEN_XML = Answer(200, b'<?xml version="1.0"?><s:Envelope><s:Body>', (("Content-Type", "text/xml"),))
EMPTY = Answer(200, b"", (("Content-Type", "text/xml"),))
# https://www.w3.org/TR/2000/NOTE-SOAP-20000508/ section 4.4: what a service says to an operation it does not know
OTHER_SOAP = Answer(
    500,
    b'<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
    b"<faultcode>soap:Client</faultcode><faultstring>Server did not recognize the value of HTTP Header SOAPAction."
    b"</faultstring></soap:Fault></soap:Body></soap:Envelope>",
    (("Content-Type", "text/xml; charset=utf-8"),),
)

# Client authenticated, EWS switched off for the mailbox: HTTP 403
# https://github.com/microsoftgraph/microsoft-graph-docs/issues/5659
EWS_DISABLED = Answer(403, b"", (IIS,))
# the text that exchangelib looks for in any answer (exchangelib/protocol.py)
LOCKED_OUT = page("401", "The referenced account is currently locked out and may not be logged on to.", 401, IIS)
# header of the front end, prefix as exchangelib strips it (exchangelib/protocol.py)
CAS_ERROR = Answer(500, b"", (IIS, ("X-CasErrorCode", "CAS error: EmailMailboxNotFound")))
