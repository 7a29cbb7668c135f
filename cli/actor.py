"""Who runs the command."""

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings_store.audit import Actor


def actor() -> "Actor":
    """Who runs the command: the user of the operating system, whatever the environment claims."""
    from settings_store.audit import Actor

    number = os.getuid()
    try:
        return Actor(pwd.getpwuid(number).pw_name, "local")
    except KeyError:  # a container's user need not have a name
        return Actor(f"uid {number}", "local")
