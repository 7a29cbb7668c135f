"""Log lines of the processes, on standard error."""

import logging

from checks.model import Invalid

_OURS = ("checks", "settings_store", "worker", "web", "cli")
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(level: str) -> None:
    """Our loggers at `level`, a name like DEBUG. Raises `Invalid` for another word.

    Other packages stay at WARNING: a mail or database library's debug lines may quote what it sends.
    """
    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise Invalid(
            f"MAIL_PREFLIGHT_LOG_LEVEL {level!r} is no level; give DEBUG, INFO, WARNING or ERROR", "log_level"
        )
    logging.basicConfig(format=_FORMAT, level=logging.WARNING)
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # it warns that memory:// names no host
    for name in _OURS:
        logging.getLogger(name).setLevel(known[level.upper()])
