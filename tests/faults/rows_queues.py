"""Rows of what comes after: crashes, queues, the bucket, and the replay."""

from __future__ import annotations

from tests.faults.fault import Fault, cases

_KILLED = "test_what_a_killed_process_had_not_done_is_done_by_the_next"

QUEUES: tuple[Fault, ...] = (
    Fault(
        41,
        "Lambda ends the function at any step",
        "the next try completes; one document for each event",
        "duplicate",
        cases("faults/test_crashes", "test_killed_at_any_step_the_next_try_completes"),
    ),
    Fault(
        42,
        "the process, or the node that it writes to, is killed in the middle of a batch",
        "as 41",
        "duplicate, requeued",
        (
            *cases("faults/test_engine", _KILLED),
            *cases(
                "faults/test_node",
                "test_a_node_killed_in_the_middle_of_a_stream_has_each_line_once_when_it_is_back",
            ),
        ),
    ),
    Fault(
        43,
        "a crash between the index and the queue",
        "the next try makes the same ids; a letter that was written twice is a duplicate at its replay",
        "duplicate",
        (
            *cases("faults/test_crashes", "test_what_was_queued_twice_is_there_once_after_its_replay"),
            *cases("faults/test_queues", "test_a_crash_between_index_and_queue_leaves_each_event_somewhere"),
        ),
    ),
    Fault(
        44,
        "an event that is delivered twice, or at the same time",
        "one document",
        "duplicate",
        (
            *cases("faults/test_crashes", "test_an_event_delivered_again_changes_nothing"),
            *cases("faults/test_engine", "test_what_is_delivered_at_the_same_time_is_there_once"),
            *cases("e2e/test_chain", "test_the_same_event_delivered_twice_is_one_document"),
        ),
    ),
    Fault(
        45,
        "Lambda gives up: throttled, too old, no tries left",
        "the whole event in the bucket, announced to the dead letters, and replayed from there",
        "",
        (
            *cases("stacks/test_functions", "test_what_lambda_gives_up_on_goes_to_the_bucket"),
            *cases("e2e/test_failures", "test_what_lambda_gives_up_on_is_announced_shown_and_replayed"),
        ),
        gap="the local AWS gives up after errors only; throttling and age are Lambda's own and not tested here",
    ),
    Fault(
        47,
        "a queue that is down, gone, denied, or whose key is denied",
        "raised, so that Lambda keeps the event",
        "",
        cases("faults/test_queues", "test_a_queue_that_does_not_take_it_is_raised_and_the_next_try_completes"),
    ),
    Fault(
        48,
        "a queue that takes a batch in part",
        "what failed is sent again; then raised",
        "dead_lettered",
        cases(
            "faults/test_queues",
            "test_only_the_entries_that_failed_are_sent_again",
            "test_entries_that_fail_for_good_are_raised",
        ),
    ),
    Fault(
        49,
        "a letter, or a batch of them, of more than 1 MiB",
        "compressed, in more batches; what no message holds lies in the bucket, and a pointer in the queue",
        "dead_lettered",
        (
            *cases(
                "faults/test_queues",
                "test_what_no_message_holds_goes_to_the_bucket",
                "test_a_bucket_that_does_not_take_it_is_raised",
            ),
            *cases("shipper/aws/test_queue", "test_a_batch_stays_under_a_mebibyte"),
        ),
    ),
    Fault(
        50,
        "a pointer to a body that is gone",
        "the letter stays, and is said to be unreadable",
        "",
        (
            *cases("shipper/handlers/test_replay", "test_a_letter_whose_body_is_out_of_reach_stays"),
            *cases(
                "shipper/cli/test_letters",
                "test_a_message_that_cannot_be_read_is_an_entry_that_says_why[a dangling pointer]",
            ),
        ),
    ),
    Fault(
        51,
        "letters that nobody looks at until the queue forgets them",
        "the queue keeps them for 14 days; an alarm after 7; export and import",
        "",
        (
            *cases("stacks/test_queues", "test_the_stage_decides[retention]"),
            *cases(
                "shipper/cli/test_dlq_export",
                "test_killed_at_any_step_no_letter_is_lost_and_none_is_in_the_files_twice",
            ),
            *cases("shipper/cli/test_dlq_import", "test_killed_at_any_step_each_letter_is_sent_once"),
            *cases("stacks/test_alarms", "test_limits_follow_the_stage[half of the retention]"),
        ),
    ),
    Fault(
        52,
        "a replay that is killed at any step",
        "a letter is deleted only when all of it is safe; the next replay completes",
        "duplicate",
        (
            *cases("faults/test_crashes", "test_a_replay_killed_at_a_request_leaves_its_letter_and_the_next_completes"),
            *cases("shipper/test_replay", "test_a_letter_killed_and_replayed_to_its_end_loses_and_doubles_nothing"),
            *cases(
                "shipper/cli/test_dlq",
                "test_killed_at_any_request_it_loses_nothing_and_can_be_run_again",
                "test_killed_before_a_letter_is_deleted_it_is_only_sent_twice",
            ),
            *cases("e2e/test_dead_letters", "test_a_replay_killed_at_many_points_leaves_each_document_once"),
        ),
    ),
    Fault(
        53,
        "a letter that is replayed twice, or by two operators",
        "one document",
        "duplicate",
        (
            *cases("faults/test_queues", "test_two_operators_replay_one_letter_and_one_document_is_there"),
            *cases("shipper/test_replay", "test_a_letter_replayed_twice_is_indexed_once"),
        ),
    ),
    Fault(
        54,
        "a letter that can never be replayed",
        "the others go on; what is refused, or was tried too often, is buried with its tries and its history",
        "dead_lettered",
        (
            *cases(
                "shipper/handlers/test_replay",
                "test_only_letters_with_something_to_send_stay[poison does not hold up the others]",
                "test_what_is_refused_again_keeps_its_history",
                "test_what_came_too_often_is_parked_with_its_tries_and_its_history",
            ),
            *cases("shipper/test_deadletter", "test_a_history_keeps_the_latest_ten_and_the_number_of_all"),
            *cases("stacks/test_queues", "test_the_retry_queue_gives_up_into_the_dead_letter_queue"),
        ),
    ),
    Fault(
        55,
        "a letter that is visible again before its replay is done, a stale receipt",
        "one document; a late delete does no harm; the queue hides a letter for longer than the function can run",
        "duplicate",
        (
            *cases("faults/test_queues", "test_two_operators_replay_one_letter_and_one_document_is_there"),
            *cases("stacks/test_functions", "test_a_message_stays_hidden_six_timeouts_long"),
        ),
    ),
)
