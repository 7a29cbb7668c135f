"""Every response code of IMAP and every enhanced status code of SMTP that IANA lists, and words in other languages."""

import pytest

from checks.codes import CODES, Code
from checks.protocols.imap.replies import translate_imap
from checks.protocols.smtp.replies import translate_smtp

# https://www.iana.org/assignments/imap-response-codes, without ALERT and CAPABILITY, which stand in any answer
TELLING = {
    "AUTHENTICATIONFAILED": Code.AUTH_REJECTED,
    "AUTHORIZATIONFAILED": Code.AUTH_POLICY,
    "CANNOT": Code.PROTOCOL_ERROR,
    "CLIENTBUG": Code.PROTOCOL_ERROR,
    "CONTACTADMIN": Code.AUTH_ACCOUNT_DISABLED,
    "CORRUPTION": Code.SERVER_UNAVAILABLE,
    "EXPIRED": Code.AUTH_EXPIRED,
    "INPROGRESS": Code.SERVER_UNAVAILABLE,
    "INUSE": Code.MAILBOX_IN_USE,
    "LIMIT": Code.SERVER_THROTTLED,
    "NOPERM": Code.AUTH_POLICY,
    "OVERQUOTA": Code.SERVER_THROTTLED,
    "PRIVACYREQUIRED": Code.AUTH_ENCRYPTION_REQUIRED,
    "REFERRAL": Code.MAILBOX_ELSEWHERE,
    "SERVERBUG": Code.SERVER_UNAVAILABLE,
    "TEMPFAIL": Code.AUTH_TEMPORARY,
    "UNAVAILABLE": Code.AUTH_TEMPORARY,
}
_OTHERS = """
ALREADYEXISTS ANNOTATE ANNOTATIONS APPENDUID BADCHARSET BADCOMPARATOR BADEVENT BADURL CLOSED COMPRESSIONACTIVE COPYUID
EXPUNGEISSUED HASCHILDREN HIGHESTMODSEQ MAILBOXID MAXCONVERTMESSAGES MAXCONVERTPARTS MESSAGELIMIT METADATA MODIFIED
NEWNAME NOMODSEQ NOTIFICATIONOVERFLOW NOTSAVED NOUPDATE PARSE PERMANENTFLAGS READ-ONLY READ-WRITE UIDNEXT
UIDNOTSTICKY UIDREQUIRED UIDVALIDITY UNDEFINED-FILTER UNKNOWN-CTE UNSEEN URLMECH USEATTR
"""
OTHER_COMMANDS = _OTHERS.split()


@pytest.mark.parametrize("name", TELLING)
def test_a_response_code_tells_the_cause_of_a_login_that_failed(name: str) -> None:
    assert translate_imap(f"a NO [{name} x] y", "login") is TELLING[name]


@pytest.mark.parametrize("name", OTHER_COMMANDS)
def test_a_response_code_of_another_command_blames_no_password(name: str) -> None:
    assert translate_imap(f"a NO [{name} 1] y", "login") is Code.PROTOCOL_ERROR


@pytest.mark.parametrize("name", ["ALERT", "CAPABILITY IMAP4rev1"])
def test_what_may_stand_in_any_answer_says_nothing_of_its_cause(name: str) -> None:
    assert translate_imap(f"a NO [{name}] Login failed", "login") is Code.AUTH_REJECTED


@pytest.mark.parametrize("name", ["NONEXISTENT", "TRYCREATE"])
def test_no_mailbox_is_a_matter_of_the_mailbox_only_after_the_login(name: str) -> None:
    assert translate_imap(f"a NO [{name}] y", "select") is Code.MAILBOX_NO_INBOX


# https://www.iana.org/assignments/smtp-enhanced-status-codes: subject.detail
DETAILS = [
    *(f"1.{detail}" for detail in range(11)),
    *(f"2.{detail}" for detail in range(5)),
    *(f"3.{detail}" for detail in range(7)),
    *(f"4.{detail}" for detail in range(8)),
    *(f"5.{detail}" for detail in range(7)),
    *(f"6.{detail}" for detail in range(11)),
    *(f"7.{detail}" for detail in range(31)),
]
LASTING = {
    "2.1": Code.AUTH_ACCOUNT_DISABLED,
    "7.1": Code.AUTH_POLICY,
    "7.4": Code.AUTH_NO_MECHANISM,
    "7.6": Code.AUTH_NO_MECHANISM,
    "7.8": Code.AUTH_REJECTED,
    "7.9": Code.AUTH_NO_MECHANISM,
    "7.10": Code.AUTH_ENCRYPTION_REQUIRED,
    "7.11": Code.AUTH_ENCRYPTION_REQUIRED,
    "7.12": Code.AUTH_NO_MECHANISM,
    "7.13": Code.AUTH_ACCOUNT_DISABLED,
    "7.14": Code.AUTH_POLICY,
    "7.30": Code.AUTH_BASIC_DISABLED,  # Exchange Online's own use of it
}
PASSING = {
    "2.2": Code.MAILBOX_FULL,
    **dict.fromkeys(("3.0", "3.1", "3.2", "3.5"), Code.AUTH_TEMPORARY),
    **dict.fromkeys((f"4.{detail}" for detail in range(7)), Code.AUTH_TEMPORARY),
    "7.25": Code.SERVER_REVERSE_DNS,
    "7.28": Code.SERVER_THROTTLED,
}


@pytest.mark.parametrize("detail", DETAILS)
def test_an_enhanced_status_code_behind_a_refused_login(detail: str) -> None:
    """What belongs to the delivery of mail says nothing of a login, and is inconclusive."""
    code = translate_smtp(550, f"5.{detail} x", "auth")
    assert code is {**LASTING, **PASSING}.get(detail, Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("detail", DETAILS)
def test_an_enhanced_status_code_of_class_four_never_lasts(detail: str) -> None:
    for status in (454, 535):
        assert not CODES[translate_smtp(status, f"4.{detail} x", "auth")].permanent


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Zu viele Anmeldeversuche, bitte warten", Code.SERVER_THROTTLED),
        ("Trop de tentatives de connexion", Code.SERVER_THROTTLED),
        ("Demasiados intentos", Code.SERVER_THROTTLED),
        ("Troppi tentativi di accesso", Code.SERVER_THROTTLED),
        ("Zbyt wiele prób logowania", Code.SERVER_THROTTLED),
        ("Слишком много попыток входа", Code.SERVER_THROTTLED),
        ("登录过于频繁", Code.SERVER_THROTTLED),
        ("Der Dienst ist vorübergehend nicht erreichbar", Code.AUTH_TEMPORARY),
        ("Service temporairement indisponible", Code.AUTH_TEMPORARY),
        ("Inténtelo más tarde", Code.AUTH_TEMPORARY),
        ("Servizio temporaneamente non disponibile", Code.AUTH_TEMPORARY),
        ("Tente novamente mais tarde", Code.AUTH_TEMPORARY),
        ("Probeer het later opnieuw", Code.AUTH_TEMPORARY),
        ("Spróbuj ponownie później", Code.AUTH_TEMPORARY),
        ("Zkuste to prosím později", Code.AUTH_TEMPORARY),
        ("Сервис временно недоступен", Code.AUTH_TEMPORARY),
        ("Lütfen daha sonra tekrar deneyin", Code.AUTH_TEMPORARY),
        ("一時的なエラーです", Code.AUTH_TEMPORARY),
        ("系统繁忙，请稍后再试", Code.AUTH_TEMPORARY),
        ("나중에 다시 시도하십시오", Code.AUTH_TEMPORARY),
        ("Ihr Konto wurde gesperrt", Code.AUTH_LOCKED),
        ("Votre compte est bloqué", Code.AUTH_LOCKED),
        ("アカウントがロックされています", Code.AUTH_LOCKED),
        ("Ihr Postfach wurde deaktiviert", Code.AUTH_ACCOUNT_DISABLED),
        ("Der IMAP-Zugang ist deaktiviert", Code.AUTH_PROTOCOL_DISABLED),
        ("Benutzername oder Kennwort falsch", Code.AUTH_REJECTED),
        ("パスワードが違います", Code.AUTH_REJECTED),
    ],
)
def test_words_in_other_languages(words: str, code: Code) -> None:
    assert translate_imap(f"a NO {words}", "login") is code
    assert translate_smtp(535, words, "auth") is code
