"""Everything that a settings page of mail domains has to do: where it is proved that it can be done on the page."""

import ast
from pathlib import Path

import pytest

TABLE = """
add IMAP and SMTP settings      test_connecting.py      test_who_waits_is_found_completed_and_verified
edit IMAP and SMTP settings     test_story.py           test_settings_are_entered_and_verified_live
insecure option                 test_report_story.py    test_a_repair_is_a_button_and_applying_takes_the_number_typed
add and edit Exchange settings  test_connection_ips.py  test_exchange_is_added_and_edited
either the one or the other     test_connection_ips.py  test_exchange_is_added_and_edited
warning with the number         test_story.py           test_settings_are_entered_and_verified_live
permission                      test_story.py           test_a_member_may_not
prefill for IMAP                test_connecting.py      test_the_login_is_tried_with_the_settings_of_the_domain
prefill for Exchange, with calendar test_connecting.py      test_exchange_is_filled_in_for_mail_and_calendar
pending entry                   test_connecting.py      test_who_waits_is_found_completed_and_verified
view and copy connection IPs    test_connection_ips.py  test_the_ranges_are_shown_as_texts_to_copy
static switch                   test_connection_ips.py  test_static_addresses_are_switched_by_a_change
inheritance                     test_connecting.py      test_the_login_is_tried_with_the_settings_of_the_domain
"""
"""What can be done, and the file and test that does it."""

ROWS = [line.rsplit(maxsplit=2) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("what", "file", "test"), ROWS, ids=[row[0].strip() for row in ROWS])
def test_each_row_has_a_test(what: str, file: str, test: str) -> None:
    module = ast.parse((Path(__file__).parent / file).read_text("utf-8"))
    there = {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    assert test in there, what
