"""Signing in, and setting a password."""

from checks.language import Texts

WORDS: Texts = {
    "sign_in.heading": "Sign in",
    "sign_in.account": "Account",
    "sign_in.name": "User name",
    "sign_in.name.hint": "For example your e-mail address. You will be a super admin of this service.",
    "sign_in.password": "Password",
    "sign_in.password.hint": "{count} characters or more. A few words are easier to remember than signs.",
    "sign_in.again": "Password once more",
    "sign_in.not_the_same": "The two passwords are not the same.",
    "sign_in.button": "Sign in",
    "sign_in.wrong": "That did not work. Either user name and password do not belong together, or there were too many attempts: wait a minute then.",
    "sign_in.forgotten": "Without a password, or with a forgotten one, ask a super admin for a link.",
    "sign_in.unsafe": "Your password would travel unencrypted, so it is not asked for. Open this page by https, or on the service's own machine. Behind a proxy, name it in MAIL_PREFLIGHT_WEB_TRUSTED_PROXIES.",
    "sign_in.set_up.heading": "Set your password",
    "sign_in.set_up.first": "You are the first one here.",
    "sign_in.set_up.user": "For {name}. All sessions that are open end with it.",
    "sign_in.set_up.button": "Set the password",
    "sign_in.said.set_up": "Your password is set, and you are signed in.",
    "sign_in.said.out": "You are signed out.",
}
