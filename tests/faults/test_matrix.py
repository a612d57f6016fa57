"""The table of faults: which test proves what must happen when it breaks.

Rows F1 to F23, F42 and F43 are the ways in which migrations fail in practice. Each names the tests that try it for real; the
tests below see that every row has some, that they exist, and that each asserts something.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
MATRIX: dict[str, tuple[str, tuple[str, ...]]] = {
    "F1": ("kill -9 of the controller at each boundary of each step, there and back, on both databases", (
        "faults/test_kill_points.py::test_a_controller_may_die_at_every_boundary_of_every_step",
        "faults/test_soak.py::test_a_hundred_systems_survive_thirty_kills",
        "faults/test_done_when.py::test_killed_ten_times_and_still_right",
        "faults/test_lab_run.py::test_killed_in_the_middle_of_its_copy_and_carried_on_to_trial",
        "execution/test_attempt.py::test_killed_at_a_boundary",
        "execution/test_leg.py::test_every_step_runs_once_wherever_the_power_fails",
    )),
    "F2": ("cancel says stopped only when the processes are gone", (
        "execution/test_supervise.py::test_cancel_ends_what_runs_on_the_host_and_only_then_says_stopped",
        "execution/test_attempt.py::test_cancel_is_stopped_only_when_it_is_over",
        "faults/test_traps.py::test_3_3_an_order_to_cancel_ends_the_step_under_way",
    )),
    "F3": ("an orphaned ansible-playbook is found and ended before anything is tried again", (
        "execution/test_attempt.py::test_a_killed_supervisor_is_unknown_and_its_children_are_ended",
        "execution/test_marker.py::test_a_newer_attempt_ends_what_an_older_one_left_running",
    )),
    "F4": ("two operators, two workers: exactly one play runs", (
        "execution/test_attempt.py::test_two_controllers_start_one_supervisor",
        "store/test_attempt.py::test_of_many_that_claim_at_once_one_gets_it",
        "workflow/test_run_journal.py::test_of_many_who_claim_at_once_one_gets_it",
        "faults/test_traps.py::test_3_2_a_second_process_does_not_get_the_id_of_the_first",
    )),
    "F5": ("a holder that wakes up late is fenced off", (
        "execution/test_attempt.py::test_a_holder_that_wakes_up_after_it_was_superseded_starts_nothing",
        "execution/test_marker.py::test_a_higher_token_is_kept_and_shuts_the_older_ones_out",
        "store/test_attempt.py::test_who_holds_an_older_token_writes_nothing",
        "workflow/test_run_journal.py::test_who_was_overtaken_writes_nothing",
    )),
    "F6": ("the line is cut in the middle of a replication", (
        "execution/test_replicate.py::test_after_cuts_anywhere_the_copy_is_right_and_little_is_sent_twice",
        "execution/test_replicate.py::test_a_cut_leaves_no_final_name_and_the_next_attempt_sends_only_the_rest",
        "execution/test_replicate.py::test_a_partial_file_that_was_damaged_meanwhile_is_not_trusted",
    )),
    "F7": ("the line goes silent, a command never ends", (
        "execution/test_replicate.py::test_a_silent_line_ends_with_words_after_the_deadline",
        "execution/test_supervise.py::test_what_takes_too_long_or_shows_no_life_is_ended_and_unknown",
        "execution/test_stream.py::test_a_silent_end_is_given_up",
    )),
    "F8": ("disk full on the target, for the records, for the database", (
        "execution/test_replicate.py::test_a_full_disk_fails_clean_and_is_taken_up_when_there_is_room",
        "execution/test_supervise.py::test_a_full_disk_ends_the_step_and_still_leaves_a_result",
        "faults/test_full_disk.py::test_a_full_disk_is_named_and_nothing_is_lost_or_half_done",
    )),
    "F9": ("quota exhausted at any call of provisioning", (
        "execution/test_drivers.py::test_a_quota_that_ends_at_any_call_leaves_a_complete_list_and_a_clean_way_out",
        "execution/test_drivers.py::test_a_crash_between_call_and_id_makes_nothing_twice",
    )),
    "F10": ("clocks that jump or differ", (
        "execution/test_machine.py::test_a_clock_that_was_set_back_keeps_nobody_waiting",
        "execution/test_precheck.py::test_a_source_that_is_not_ready",
        "execution/test_precheck.py::test_a_slow_answer_is_no_wrong_clock",
    )),
    "F11": ("database locked, damaged, killed, put back from an older copy", (
        "store/test_engine.py::test_a_database_that_another_command_holds_is_an_outside_error",
        "store/test_engine.py::test_a_damaged_database_is_an_integrity_error",
        "faults/test_traps.py::test_a_database_that_goes_away_in_the_middle_of_a_step",
        "execution/test_attempt.py::test_a_database_put_back_from_a_copy_does_not_make_it_run_again",
        "execution/test_leg.py::test_an_older_copy_of_the_database_catches_up",
    )),
    "F12": ("records edited, removed, reordered, signed again", (
        "ledger/test_verify.py::test_what_is_done_to_records_is_found_and_the_first_bad_one_named",
        "ledger/test_verify.py::test_any_flipped_byte_is_caught",
    )),
    "F13": ("the whole ledger rebuilt", (
        "ledger/test_verify.py::test_a_rebuilt_ledger_is_caught_by_a_checkpoint_that_the_auditor_kept",
    )),
    "F14": ("steps in the wrong order, a cutover twice, a way back after acceptance", (
        "execution/test_machine.py::test_every_state_knows_what_to_make_of_every_event",
        "execution/test_machine.py::test_nothing_but_the_switch_off_follows_acceptance",
        "execution/test_marker.py::test_states_follow_each_other_and_a_second_cutover_is_refused",
    )),
    "F15": ("the source was written to after it was compared", (
        "execution/test_steps.py::test_the_cutover_proves_again_that_the_source_is_frozen_before_it_touches_anything",
        "execution/databases/test_sqlite.py::test_a_write_behind_our_back_after_the_freeze_is_named",
        "execution/databases/test_redis.py::test_a_frozen_server_refuses_and_a_write_behind_our_back_is_found",
    )),
    "F16": ("a wave that was half done is taken up again", (
        "execution/test_machine.py::test_interrupted_anywhere_a_system_repeats_nothing_that_is_proven_done",
        "execution/test_attempt.py::test_a_batch_is_taken_up_again_in_parts",
        "execution/test_attempt.py::test_of_a_killed_batch_finished_systems_keep_their_results",
    )),
    "F17": ("cleaning up touches nothing that is not ours, and never a source", (
        "execution/test_drivers.py::test_rows_of_other_runs_are_never_deleted",
        "execution/test_replicate.py::test_content_that_no_migration_put_there_is_neither_overwritten_nor_deleted",
        "execution/test_steps.py::test_a_source_is_only_read_frozen_and_thawed",
        "execution/test_steps.py::test_every_change_of_a_target_comes_after_the_marker_was_asked",
        "faults/test_done_when.py::test_a_failed_verification_brings_the_old_site_back",
    )),
    "F18": ("the way back fails half-way", (
        "execution/test_machine.py::test_a_way_back_that_fails_says_what_both_ends_are_like_and_asks",
        "execution/test_machine.py::test_a_way_back_goes_on_where_it_was",
        "faults/test_kill_points.py::test_a_controller_may_die_at_every_boundary_of_every_step",
    )),
    "F19": ("Ansible calls it successful and nothing was done", (
        "execution/test_judge.py::test_what_ansible_calls_successful_without_having_done_it_is_not_green",
        "execution/test_judge.py::test_a_task_that_nobody_asked_for_or_that_ran_twice_is_not_green",
    )),
    "F20": ("one host of a wave is unreachable", (
        "execution/test_judge.py::test_one_system_fails_the_others_are_green",
        "execution/test_machine.py::test_hosts_that_do_not_answer_are_tried_again_later_and_then_a_person_is_asked",
        "execution/test_machine.py::test_too_many_failures_stop_the_others_before_their_freeze_until_a_person_resumes",
    )),
    "F21": ("the runner's event files are lost, cut off, doubled", (
        "execution/test_judge.py::test_a_damaged_report_is_unknown_not_green",
    )),
    "F22": ("a tool says ok although it was not", (
        "execution/test_stream.py::test_a_source_that_fails_after_sending_everything_is_a_failure",
        "execution/test_stream.py::test_a_target_that_takes_everything_and_fails_is_a_failure",
        "execution/databases/test_redis.py::test_a_stream_that_is_cut_off_is_no_copy",
    )),
    "F23": ("a changed byte with the same size and time; digests under another time zone", (
        "execution/test_replicate.py::test_a_flipped_byte_with_the_same_size_and_time_is_found_when_frozen",
        "execution/databases/test_sqlite.py::test_one_changed_value_is_red_and_so_is_a_changed_structure",
    )),
    "F42": ("a broken or too old Python on a host", (
        "execution/test_precheck.py::test_a_host_on_which_ansible_could_not_work",
        "execution/test_precheck.py::test_the_python_that_ansible_would_take_is_the_one_that_is_judged",
        "execution/test_precheck.py::test_hosts_without_a_usable_python_are_all_named_before_ansible_fails_on_the_first",
    )),
    "F43": ("govcloud is upgraded between two steps", (
        "faults/test_upgrade.py::test_its_way_back_works_and_the_old_records_verify",
        "faults/test_upgrade.py::test_nothing_of_it_goes_forward",
        "store/test_migrations.py::test_old_records_are_untouched_and_the_ledger_still_verifies",
        "execution/test_machine.py::test_a_run_that_an_older_version_has_begun_starts_none_of_our_steps",
    )),
}  # fmt: skip


@cache
def functions(file: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_has_its_line() -> None:
    assert set(MATRIX) == {f"F{n}" for n in (*range(1, 24), 42, 43)}
    assert all(promise and tests for promise, tests in MATRIX.values())


@pytest.mark.parametrize("row", MATRIX)
def test_every_named_test_is_there_and_can_fail(row: str) -> None:
    """A test that was renamed, or emptied, would leave the row empty without anybody noticing."""
    for name in MATRIX[row][1]:
        file, _, function = name.partition("::")
        found = functions(TESTS / file).get(function)
        assert found is not None, f"{row}: {name} is not there"
        words = ast.unparse(found)
        assert "assert" in words or "raises" in words, f"{name} asserts nothing itself"
