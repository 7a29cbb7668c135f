"""Sends one message to one channel through Apprise. Nothing else knows Apprise.

Its URLs hold passwords and tokens, so nothing that Apprise or the libraries below it say is passed on but the number of
an HTTP status and the words of a mail server, without the secrets.
"""

import logging
import re
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from checks.model import Invalid
from checks.network.address_policy import AddressPolicy
from worker.alerts import response_limit, smtp_sender
from worker.alerts.egress_guard import NotAllowed, OutOfTime, guarded
from worker.alerts.message import Message, NotSent

SECONDS = 30.0
"""The longest that one message may take."""
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 15.0
_APP = "Mail Preflight"
_HELP = "https://appriseit.com/services/ has the form of each"
_MAX_URL = 2_000
_STATUS = re.compile(r"\berror=(\d{3})\b")
_SCHEMA = re.compile(r"([A-Za-z0-9+.-]{1,32})://")
_TWO_ATS = re.compile(r"://[^/?#]*@[^/?#]*@")  # Apprise would take the end of the password for the host
_WEBHOOKS = ("NotifyJSON", "NotifyXML", "NotifyForm")


def accept(url: str) -> str:
    """The URL as it is shown to people, where a channel can be made of it. Raises `Invalid` where not."""
    plugin = _plugin(url)
    if _recipients(plugin) > 1 or getattr(plugin, "cc", None) or getattr(plugin, "bcc", None):
        raise Invalid(
            "the URL has several recipients; add one channel for each: then what fails for one is not sent again to "
            "the others",
            "url",
        )
    if _is_mail(plugin) and smtp_sender.exposes_password(plugin):
        raise Invalid("the password would go to the mail server unencrypted; write mailtos:// for mailto://", "url")
    return _shown(plugin, _schema(url))


def mail_host(url: str) -> str | None:
    """The mail server that a channel's messages go through, in lower case; None where it is no mail channel."""
    plugin = _plugin(url)
    return str(plugin.smtp_host).lower().rstrip(".") if _is_mail(plugin) else None


def send(url: str, message: Message, policy: AddressPolicy, seconds: float = SECONDS) -> None:
    """Sends a message. Raises `NotSent`; then it may have arrived all the same, as always when an answer is lost.

    Mail has the message's id in its Message-ID, a webhook (JSON, XML or form) in the header `webhook-id`.
    """
    try:
        plugin = _plugin(url)
        post: Callable[[], bool] = partial(smtp_sender.post if _is_mail(plugin) else _notify, plugin, message)
        sent = guarded(post, policy, seconds)
    except (Invalid, NotAllowed, OutOfTime) as error:
        raise NotSent(str(error)) from None
    if not sent:
        raise NotSent("the service refused it")


# -- URLs


def _apprise() -> Any:
    """The library, when it is first needed: it takes half a second, which most commands need not spend."""
    import apprise

    response_limit.shorten()
    return apprise


def _plugin(url: str) -> Any:
    """Apprise's object for a URL. Raises `Invalid` for one that is malformed or reaches into this machine."""
    _keep_quiet()
    manager = _apprise().manager_plugins.NotificationManager()
    schema = _schema(url)
    if schema not in manager:
        raise Invalid(f"no alert service is called {schema}://; {_HELP}", "url")
    if not _is_remote(manager[schema]):
        raise Invalid(f"{schema}:// cannot be used here: alerts go out by mail or by HTTP only; {_HELP}", "url")
    plugin = _apprise().Apprise.instantiate(url, asset=_asset())
    if plugin is None or _recipients(plugin) == 0 or (_is_mail(plugin) and not plugin.smtp_host):
        raise Invalid(f"the URL is not usable for {schema}://; {_HELP}", "url")
    if _reads_files(plugin):
        raise Invalid("the URL names a file or a PGP key; alerts are sent without", "url")
    plugin.redirects, plugin.retry = False, 0
    plugin.socket_connect_timeout, plugin.socket_read_timeout = _CONNECT_SECONDS, _READ_SECONDS
    return plugin


def _recipients(plugin: Any) -> int:
    if _is_mail(plugin):
        return len(plugin.targets)
    try:
        return len(plugin)
    except TypeError:  # some have none, because there can be but one
        return 1


def _schema(url: str) -> str:
    found = _SCHEMA.match(url)
    if not found or len(url) > _MAX_URL or not unquote(url).isprintable():
        raise Invalid(f"an alert channel needs a URL such as mailto://... or json://...; {_HELP}", "url")
    if _TWO_ATS.search(url):
        raise Invalid("the URL has more than one @ before the host; in a user name or password, write it as %40", "url")
    return found[1].lower()


def _is_remote(plugin: Any) -> bool:
    """Whether a plugin is one of those that send by HTTP, in the thread they are called in, or by mail.

    The others talk to this machine, run programs or threads, or read keys from its files.
    """
    if plugin.category != "native" or {"keyfile", "subfile"} & set(plugin.template_args):
        return False
    modules = [sys.modules[kind.__module__] for kind in plugin.__mro__]
    return plugin.__name__ == "NotifyEmail" or any(hasattr(module, "requests") for module in modules)


def _reads_files(plugin: Any) -> bool:
    files = [value for value in vars(plugin).values() if isinstance(value, _apprise().AppriseAttachment)]
    return any(len(value) for value in files) or getattr(plugin, "pgp_mode", "no") != "no"


def _asset() -> Any:
    """Nothing is stored on disk, nothing logged with secrets, no redirect followed."""
    return _apprise().AppriseAsset(
        app_id=_APP, app_desc=_APP, app_url="", storage_mode="memory", http_redirects=False, async_mode=False
    )


def _is_mail(plugin: Any) -> bool:
    return type(plugin).__name__ == "NotifyEmail"


def _shown(plugin: Any, schema: str) -> str:
    """Only what cannot be a secret: tokens may be anywhere else, in the place of the host, too."""
    if _is_mail(plugin):
        return f"{schema}: {plugin.targets[0][1]} by {plugin.smtp_host or plugin.host}:{plugin.port}"
    if type(plugin).__name__ in _WEBHOOKS:
        port = f":{plugin.port}" if plugin.port else ""
        return f"{schema}://{plugin.host}{port}/..."
    return f"{schema}://... ({plugin.service_name})"


# -- HTTP


def _notify(plugin: Any, message: Message) -> bool:
    if type(plugin).__name__ in _WEBHOOKS:
        others = {name: value for name, value in plugin.headers.items() if name.lower() != "webhook-id"}
        plugin.headers = {**others, "webhook-id": message.id}
    if type(plugin).__name__ in _WEBHOOKS or plugin.overflow_mode == _apprise().OverflowMode.UPSTREAM:
        # A service that refuses long ones would get none, and a second part has the id of the first.
        plugin.overflow_mode = _apprise().OverflowMode.TRUNCATE
    _answer.status = ""
    try:
        sent = plugin.notify(body=message.text, title=message.subject, notify_type=message.kind, body_format="text")
    except Exception:  # noqa: BLE001 - any of 180 services; its words may hold secrets. Time limits end other threads
        raise NotSent("the service's answer was not understood") from None
    if not sent:
        status = f"HTTP status {_answer.status}" if _answer.status else "no connection, or no answer in time"
        raise NotSent(f"the message was not accepted: {status}")
    return True


_answer = threading.local()


class _StatusKeeper(logging.Filter):
    """Lets nothing pass of what Apprise logs, but keeps the HTTP status: it says it nowhere else."""

    def filter(self, record: logging.LogRecord) -> bool:
        found = _STATUS.search(record.getMessage())
        if found:
            _answer.status = found[1]
        return False


def _keep_quiet() -> None:
    """What holds whole URLs (below WARNING) is not even made."""
    logger = logging.getLogger("apprise")
    if not any(isinstance(kept, _StatusKeeper) for kept in logger.filters):
        logger.addFilter(_StatusKeeper())
    logger.setLevel(logging.WARNING)
