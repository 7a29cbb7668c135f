"""What a provider wants as the password, in English. Values: {provider}, {url}."""

from collections.abc import Mapping

HINTS: Mapping[str, str] = {
    "app_password": (
        "{provider} does not take the password of your account here. Make an app password at {url}, and enter that one."
    ),
    "app_password_with_two_steps": (
        "If your {provider} account has two-step verification, enter an app password, made at {url}, "
        "and not the password of your account."
    ),
    "no_password": (
        "{provider} takes no password here: programs are let in by OAuth only. Ask your administrator to connect you."
    ),
    "two_steps": "It can be made once two-step verification is on.",
}
