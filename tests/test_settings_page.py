"""Everything that a settings page of mail domains has to do, and which test proves it: by page, API and command."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE, API, COMMAND = "web/pages/", "web/", "cli/"
IN_SANDBOX, BY_COMMAND = API + "test_settings_page.py::", COMMAND + "test_settings_page.py::"
CONNECTING, IPS = PAGE + "test_connecting.py::", PAGE + "test_connection_ips.py::"
EXCHANGE = "test_exchange_is_added_and_edited_and_takes_the_place_of_imap"
WAITING = "test_who_waits_is_connected_when_an_admin_has_completed_the_settings"

ROWS: Mapping[str, tuple[str, str, str]] = {
    "add IMAP and SMTP settings": (
        CONNECTING + "test_who_waits_is_found_completed_and_verified",
        IN_SANDBOX + "test_imap_settings_are_added_and_edited_and_their_number_warns",
        BY_COMMAND + "test_imap_settings_are_added_and_edited_and_mailboxes_inherit_them",
    ),
    "edit IMAP and SMTP settings": (
        PAGE + "test_story.py::test_settings_are_entered_and_verified_live",
        IN_SANDBOX + "test_imap_settings_are_added_and_edited_and_their_number_warns",
        BY_COMMAND + "test_imap_settings_are_added_and_edited_and_mailboxes_inherit_them",
    ),
    "insecure option": (
        IPS + "test_the_insecure_option_is_ticked_in_the_form",
        IN_SANDBOX + "test_the_insecure_option_is_one_of_the_settings",
        BY_COMMAND + "test_the_insecure_option",
    ),
    "insecure option, where it is what helps": (
        PAGE + "test_report_story.py::test_a_repair_is_a_button_and_applying_takes_the_number_typed",
        IN_SANDBOX + "test_the_insecure_option_is_one_of_the_settings",
        BY_COMMAND + "test_the_insecure_option",
    ),
    "add Exchange settings": (
        PAGE + "test_report_story.py::test_a_domain_changes_to_exchange",
        IN_SANDBOX + EXCHANGE,
        "flows/exchange/test_runs.py::test_the_command_as_it_is_typed",
    ),
    "edit Exchange settings": (
        IPS + "test_exchange_is_added_and_edited",
        IN_SANDBOX + EXCHANGE,
        BY_COMMAND + EXCHANGE,
    ),
    "either the one or the other": (
        IPS + "test_a_domain_has_either_and_changes_both_ways",
        IN_SANDBOX + EXCHANGE,
        BY_COMMAND + EXCHANGE,
    ),
    "warning with the number of mailboxes": (
        PAGE + "test_story.py::test_settings_are_entered_and_verified_live",
        IN_SANDBOX + "test_imap_settings_are_added_and_edited_and_their_number_warns",
        BY_COMMAND + "test_imap_settings_are_added_and_edited_and_mailboxes_inherit_them",
    ),
    "permission: who may edit": (
        PAGE + "test_story.py::test_a_member_may_not",
        API + "test_connecting.py::test_a_member_reaches_their_own",
        COMMAND + "commands/test_access.py::test_a_users_key_and_a_test_key",
    ),
    "permission: roles change": (
        PAGE + "test_rooms.py::test_a_user_gets_a_link_signs_in_and_loses_all_with_the_role",
        API + "test_connecting.py::test_a_change_of_role_is_in_the_audit",
        BY_COMMAND + "test_a_role_is_changed_and_it_is_written_down",
    ),
    "permission: a second person approves": (
        IPS + "test_a_second_person_approves_what_a_person_has_saved",
        API + "test_connecting.py::test_a_second_person_approves_before_a_change_is_applied",
        COMMAND + "commands/test_connecting.py::test_a_second_person_approves",
    ),
    "prefill for IMAP": (
        CONNECTING + "TestMember::test_the_login_is_tried_with_the_settings_of_the_domain",
        API + "test_connecting.py::test_imap_is_filled_in_without_what_an_admin_has_accepted",
        BY_COMMAND + "TestPrefill::test_imap",
    ),
    "prefill for Exchange, with mail and calendar": (
        CONNECTING + "TestMember::test_exchange_is_filled_in_for_mail_and_calendar",
        API + "test_connecting.py::test_exchange_is_filled_in_for_mail_and_calendar",
        BY_COMMAND + "TestPrefill::test_exchange_for_mail_and_calendar",
    ),
    "the provider's hint before the password": (
        CONNECTING + "TestMember::test_the_hint_comes_before_the_password",
        API + "test_connecting.py::test_what_the_provider_wants_is_said_before_the_password_is_typed",
        COMMAND + "commands/test_connecting.py::test_what_the_provider_wants_is_said_first",
    ),
    "pending entry": (
        CONNECTING + "test_who_waits_with_what_was_typed_is_completed_or_dismissed",
        API + "test_connecting.py::" + WAITING,
        COMMAND + "commands/test_connecting.py::test_who_waits_is_listed_completed_and_dismissed",
    ),
    "view connection IPs": (
        IPS + "test_the_ranges_are_shown_as_texts_to_copy",
        API + "test_connection_ips.py::test_static_ranges_are_for_accounts_that_use_them",
        "flows/test_egress.py::test_the_commands",
    ),
    "copy connection IPs": (
        IPS + "test_the_ranges_are_copied",
        API + "test_connection_ips.py::test_the_request_is_a_text_in_every_language",
        "flows/test_egress.py::test_the_commands",
    ),
    "static switch": (
        IPS + "test_static_addresses_are_switched_by_a_change",
        API + "test_connection_ips.py::test_static_ranges_are_for_accounts_that_use_them",
        "flows/test_egress.py::test_the_commands",
    ),
    "inheritance": (
        PAGE + "test_report_story.py::test_a_repair_is_a_button_and_applying_takes_the_number_typed",
        API + "test_connecting.py::test_a_login_that_works_is_stored_and_inherits_what_comes_later",
        BY_COMMAND + "test_imap_settings_are_added_and_edited_and_mailboxes_inherit_them",
    ),
}
"""What can be done, and the tests that do it on the page, by the API and by command."""


@pytest.mark.parametrize("what", ROWS)
def test_each_row_has_a_test_for_each_door(what: str) -> None:
    for place in ROWS[what]:
        file, *names = place.split("::")
        found: ast.AST = ast.parse((HERE / file).read_text("utf-8"))
        for name in names:
            found = _named(found, name, place)


def _named(where: ast.AST, name: str, place: str) -> ast.AST:
    defined = (node for node in ast.iter_child_nodes(where) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    there = {node.name: node for node in defined}
    assert name in there, f"{place} is not there"
    return there[name]
