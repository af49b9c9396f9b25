"""Twenty things by which people tell a finished terminal program from another, and the tests that hold us to each."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tui.test_every_action import ELSEWHERE

TESTS = Path(__file__).resolve().parents[1]

CHECKS: Final[dict[str, str]] = {
    "a command loads no terminal library, and the first rows cost no more in a large registry than in a small one": """
        test_architecture.py::test_the_version_is_printed_without_textual
        test_architecture.py::test_models_are_listed_without_textual
        tui/test_large.py::test_the_first_rows_of_ten_thousand_models_cost_what_those_of_five_do""",
    "ten thousand models: rows at once, a key within 100 ms while they are read, and esc ends the reading": """
        tui/test_large.py::test_rows_come_first_keys_are_answered_while_the_others_are_read_and_escape_ends_it
        tui/test_large.py::test_models_that_are_shown_as_they_come_are_shown_as_if_they_had_come_at_once""",
    "a key that is held over ten thousand rows: none dropped, 10 ms each": """
        tui/test_every_screen.py::test_a_key_held_over_ten_thousand_models_costs_little_and_none_is_dropped
        tui/test_line_table_limits.py::test_holding_a_key_over_ten_thousand_rows_drops_none
        tui/test_filtering.py::test_a_key_in_the_filter_costs_little_over_ten_thousand_versions""",
    "a key in sight sends less than 700 bytes, scrolling less than 1,500 on average, and rest nothing": """
        tui/test_every_screen.py::test_a_key_held_over_ten_thousand_models_costs_little_and_none_is_dropped
        tui/test_every_screen.py::test_at_rest_no_screen_sends_a_byte_for_as_long_as_thirty_looks
        tui/test_line_table_limits.py::test_a_key_costs_little_and_scrolling_costs_little_on_average
        tui/test_plot_screen.py::test_a_step_over_the_points_costs_less_than_700_bytes
        tui/test_real_app.py::test_nothing_is_sent_while_nothing_changes_and_a_change_costs_little""",
    "a window that is closed ends it, also where the hangup is ignored, and burns no processor": """
        tui/test_manners.py::test_a_window_that_is_closed_ends_it_also_where_the_hangup_is_ignored
        tui/test_terminal.py::test_a_closed_window_ends_the_process_without_burning_the_processor
        tui/test_real_app.py::test_a_signal_ends_it_with_its_code_and_restores_the_terminal""",
    "SIGTERM leaves the terminal as it was, and the code says so": """
        tui/test_real_app.py::test_a_signal_ends_it_with_its_code_and_restores_the_terminal
        tui/test_terminal.py::test_a_signal_ends_the_app_with_its_code_and_restores_the_terminal
        tui/test_terminal.py::test_an_app_that_does_not_answer_is_ended_and_the_terminal_restored""",
    "a file system that hangs holds no key and no end, and is called stale": """
        tui/test_manners.py::test_a_hung_file_system_is_called_stale_and_neither_keys_nor_the_end_wait_for_it
        tui/test_live.py::test_a_hung_file_system_holds_neither_keys_nor_the_end
        tui/test_background.py::test_a_hung_mount_holds_a_few_threads_and_not_one_per_key""",
    "hostile texts and names reach no terminal, raise nothing, and keep the columns": """
        tui/test_every_screen.py::test_hostile_names_of_files_send_no_sequence_of_theirs_and_keep_the_columns
        tui/test_browse.py::test_hostile_texts_never_reach_the_screen
        tui/test_line_table_limits.py::test_hostile_text_reaches_the_terminal_as_pictures_and_keeps_the_columns""",
    "every screen at every size, and any size at any moment": """
        tui/test_every_size.py::test_lists_versions_and_comparisons_at_every_size
        tui/test_every_size.py::test_moves_words_and_oversight_at_every_size
        tui/test_every_size.py::test_forms_conflicts_and_clean_up_at_the_largest_size
        tui/test_every_screen.py::test_any_size_at_any_moment_is_survived_on_every_screen_and_leaves_it_as_it_was
        tui/test_manners.py::test_thirty_random_sizes_in_a_row_leave_a_screen_that_fits
        tui/test_browse.py::test_a_terminal_that_is_too_small_gets_one_line""",
    "no colour where none is wanted, and a refusal with the way out where no screen can be drawn": """
        tui/test_manners.py::test_without_colour_no_screen_sends_any
        tui/test_real_app.py::test_a_dumb_terminal_is_refused_with_the_way_out
        tui/test_real_app.py::test_no_terminal_is_refused_with_the_way_out
        tui/test_line_table_limits.py::test_without_colour_the_cursor_is_reversed_and_no_colour_is_sent""",
    "a terminal that is not UTF-8 gets ASCII, and the C locale of one that is keeps the signs": """
        tui/test_manners.py::test_a_terminal_that_is_not_utf_8_gets_ascii_and_no_escapes
        tui/test_manners.py::test_the_c_locale_of_a_utf_8_terminal_keeps_the_signs
        tui/test_browse.py::test_ascii_terminals_get_ascii""",
    "every action is in the help, the palette, the completion and the reference, and can have another key": """
        tui/test_help.py::test_the_reference_is_the_table
        tui/test_help.py::test_every_action_of_a_screen_is_done_there_and_helped
        tui/test_finding.py::test_every_action_of_a_screen_is_in_its_palette
        tui/test_keymap.py::test_every_action_can_have_another_key
        tui/test_keymap.py::test_wrong_settings_are_told_and_the_rest_is_followed
        tui/test_every_action.py::test_every_action_of_the_table_is_done_on_a_real_registry""",
    "help on every screen is of that screen; esc and q close it; esc never quits, q at the root does": """
        tui/test_every_screen.py::test_help_is_of_the_screen_closes_to_it_and_escape_never_quits
        tui/test_browse.py::test_escape_gives_up_one_thing_at_a_time_and_never_quits
        tui/test_browse.py::test_q_at_the_models_and_ctrl_q_anywhere_quit""",
    "a reader sees everything; each writing key says who may; nothing is written": """
        tui/test_every_screen.py::test_every_writing_key_tells_a_reader_who_may_and_nothing_is_written
        tui/test_browse.py::test_readers_see_everything_and_write_keys_say_who_may
        tui/test_finding.py::test_what_a_reader_cannot_do_is_not_in_the_footer_and_grey_in_help_and_palette_which_say_why""",
    "a move: enter does nothing too early, a change in between is told, and exactly the listed files change": """
        tui/test_move_screen.py::test_enter_does_nothing_until_every_line_has_its_tick
        tui/test_move_screen.py::test_somebody_faster_is_named_and_the_move_is_judged_again
        tui/test_move_screen.py::test_a_change_while_one_looks_is_told_and_judged_again
        tui/test_move_screen.py::test_a_move_changes_the_files_that_the_screen_lists_and_no_others""",
    "what others change appears, and neither the cursor nor what is in sight jumps": """
        tui/test_live.py::test_what_others_do_appears_within_two_seconds_and_nothing_jumps
        tui/test_live.py::test_a_deleted_row_stays_struck_until_it_is_left
        tui/test_line_table.py::test_the_cursor_and_its_line_stay_when_rows_appear_above_and_below
        tui/test_tmux.py::test_a_move_and_news_that_do_not_move_the_cursor
        tui/test_edit_screen.py::test_the_form_and_the_conflict_look_as_they_did""",
    "an editor that fails, is missing, edits, or comes second": """
        tui/test_manners.py::test_an_editor_that_fails_and_one_that_is_missing_leave_a_screen_and_a_keyboard
        tui/test_tmux.py::test_metadata_is_edited_in_the_editor_and_the_keyboard_lives_on
        tui/test_tmux.py::test_an_edit_in_the_editor_that_came_second_ends_in_the_conflict_and_can_be_put_on_top""",
    "y fills tmux's buffer, or sends one sequence, and shows the text": """
        tui/test_manners.py::test_y_fills_the_buffer_of_a_tmux_as_it_comes
        tui/test_manners.py::test_a_copy_is_one_sequence_to_the_terminal_and_is_shown
        tui/test_browse.py::test_copying_says_what_was_copied""",
    "a comparison: directions, ties, NaN, what is missing, a base of zero, other units; the same in every form": """
        tui/test_compare_screen.py::test_every_kind_of_difference_is_told_as_it_was
        tui/test_compare_screen.py::test_a_missing_or_undefined_value_never_wins
        tui/test_compare_screen.py::test_the_view_is_written_to_a_file
        core/test_compare.py::test_nan_never_wins_and_never_loses""",
    "two thousand random keys over every screen while another meddles, and hundreds of rows and sizes": """
        tui/test_monkey.py::test_random_keys_while_another_process_meddles_leave_a_sound_registry_and_a_true_screen
        tui/test_monkey.py::test_random_keys_of_a_reader_leave_a_sound_registry_and_a_true_screen
        tui/test_line_table_limits.py::test_random_keys_rows_and_sizes_are_survived
        tui/test_help.py::test_every_action_of_every_screen_can_be_done""",
}
"""What is checked, and by which tests; a test may hold more than one."""


@cache
def _tests_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_there_are_twenty() -> None:
    assert len(CHECKS) == 20


@pytest.mark.parametrize("check", CHECKS)
def test_every_test_that_is_named_for_a_check_is_there(check: str) -> None:
    named = CHECKS[check].split()
    assert named
    for place in named:
        file, _, name = place.partition("::")
        assert name in _tests_of(TESTS / file), place


def test_actions_that_need_a_terminal_or_an_editor_have_their_tests() -> None:
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert name in _tests_of(TESTS / "tui" / file), place
