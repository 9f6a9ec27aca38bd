"""Rows of the transform: payloads, events, letters, and what comes before them."""

from __future__ import annotations

from tests.faults.fault import Fault, cases

_BAD = "test_what_is_no_payload_is_dead_lettered_as_it_came"


def _bad(number: int) -> tuple[str, ...]:
    return cases("faults/test_payloads", f"{_BAD}[{number:02d} *")


def _odd(number: int) -> tuple[str, ...]:
    return (
        *cases("faults/test_odd_events", f"test_what_was_done_is_marked_and_nothing_is_lost[{number:02d} *"),
        *cases("faults/test_engine", f"test_each_odd_event_is_taken_as_it_is_sent[{number:02d} *"),
        *(_on_a_node(number) if 8 <= number <= 18 else ()),
    )


def _on_a_node(number: int) -> tuple[str, ...]:
    return cases("faults/test_node", f"test_each_odd_event_is_taken_by_a_real_node[{number:02d} *")


def _misfit(number: int) -> tuple[str, ...]:
    return cases("faults/test_node", f"test_what_does_not_fit_a_real_mapping_is_there_and_found_by_its_text[{number} *")


INPUT: tuple[Fault, ...] = (
    Fault(1, "data that is not base64", "the event goes to the dead letters as it came", "dead_lettered", _bad(1)),
    Fault(
        2,
        "gzip cut short, with a wrong checksum, with junk behind it",
        "the event goes to the dead letters as it came",
        "dead_lettered",
        _bad(2),
    ),
    Fault(
        3,
        "a gzip bomb",
        "inflated no further than the bound; the event goes to the dead letters",
        "dead_lettered",
        (*_bad(3), *cases("shipper/test_inflate", "test_a_bomb_is_never_held_in_memory")),
    ),
    Fault(
        4,
        "JSON of another shape, keys missing",
        "the event goes to the dead letters as it came",
        "dead_lettered",
        (*_bad(4), *cases("shipper/test_decode", "test_every_fault_of_the_shape_is_named")),
    ),
    Fault(
        5,
        "a control message, a payload without events",
        "success; nothing is sent",
        "",
        cases("faults/test_payloads", "test_what_holds_no_events_is_a_success"),
    ),
    Fault(6, "an unknown messageType", "the event goes to the dead letters as it came", "dead_lettered", _bad(6)),
    Fault(7, "a message that is empty, null, a number", "indexed as text", "indexed", _odd(7)),
    Fault(
        8,
        "NUL and control characters",
        "indexed as they are; ASCII in a letter, escaped on a terminal",
        "indexed",
        (
            *_odd(8),
            *cases("shipper/aws/test_queue", "test_hostile_content_goes_through_a_queue_unharmed"),
            *cases("shipper/cli/test_dlq", "test_control_sequences_never_reach_a_terminal"),
        ),
    ),
    Fault(9, "a lone surrogate", "indexed with U+FFFD in its place", "indexed", _odd(9)),
    Fault(
        10,
        "a line of one megabyte",
        "indexed whole; keywords above the engine's bound are not indexed, but kept",
        "indexed",
        (*_odd(10), *cases("e2e/test_engine_takes", "test_each_odd_line_is_taken")),
    ),
    Fault(
        11,
        "objects too deep for the engine, or for the reader",
        "indexed; what is too deep as JSON text, marked `deep`; what cannot be read as text",
        "indexed",
        _odd(11),
    ),
    Fault(
        12,
        "a number beyond 64 bits or of thousands of digits",
        "indexed; the number as text with all its digits, marked `number`; what cannot be read as text",
        "indexed",
        _odd(12),
    ),
    Fault(13, "NaN, 1e400", "no JSON: indexed as text", "indexed", _odd(13)),
    Fault(14, "a key twice", "indexed; the last one wins, the text has both", "indexed", _odd(14)),
    Fault(
        15,
        "a key that is empty, a dot, has a dot in front or two in a row",
        "indexed under another name, marked `key`",
        "indexed",
        (
            *_odd(15),
            *cases("faults/test_odd_events", "test_an_empty_key_of_a_line_without_a_text_of_its_own_is_kept"),
        ),
    ),
    Fault(
        16,
        "a key with a name of the engine's own (`_id`, `_source`)",
        "indexed; the field moves to `@fields`, marked `metadata`",
        "indexed",
        _odd(16),
    ),
    Fault(
        17,
        "1,001 and 10,000 keys",
        "indexed; those beyond the bound in one text, `@unmapped`, marked `fields`",
        "indexed",
        (*_odd(17), *_misfit(17)),
    ),
    Fault(
        18,
        "a field that is a value here and an object there, or was guessed to be a date",
        "mended within a document; between two indexed without its fields, its reason beside it",
        "indexed, rescued",
        (
            *_odd(18),
            *cases("faults/test_engine", "test_what_clashes_with_the_mapping_is_there_and_found_by_its_text[18 *"),
            *cases("faults/test_replies", "test_what_does_not_fit_its_mapping_is_found_by_its_text"),
            *_misfit(18),
        ),
    ),
    Fault(
        19,
        "a time that is negative, in the future, a text, a fraction",
        "indexed; an unusable one gives way to that of an event beside it, or of the delivery; kept, marked `clock`",
        "indexed",
        _odd(19),
    ),
    Fault(
        20,
        "an id that is missing, or the same for different lines",
        "indexed under an id made of the event: the same at each delivery, different for each line",
        "indexed",
        (*_odd(20), *cases("faults/test_odd_events", "test_each_event_keeps_an_id_of_its_own[20 *")),
    ),
    Fault(
        21,
        "a batch across midnight",
        "two indices",
        "indexed",
        (*_odd(21), *cases("faults/test_odd_events", "test_a_batch_across_midnight_goes_to_two_indices")),
    ),
    Fault(
        46,
        "what a warm sandbox remembers",
        "the same documents whatever came before",
        "",
        (
            *cases("faults/test_odd_events", "test_what_a_warm_sandbox_did_before_makes_no_difference"),
            *cases("shipper/test_metadata", "test_what_came_before_makes_no_difference"),
        ),
    ),
    Fault(
        57,
        "a letter of an older release, another configuration",
        "sent as it was written; a version to come is refused and kept as it came",
        "indexed",
        cases(
            "faults/test_payloads",
            "test_a_letter_of_the_first_release_is_sent_as_it_was_whatever_is_configured_today",
            "test_a_letter_of_a_release_to_come_is_said_to_be_one",
            "test_a_payload_that_waited_is_transformed_when_it_comes_back",
        )
        + cases("shipper/handlers/test_replay", "test_what_cannot_be_read_is_kept_as_it_came"),
    ),
    Fault(
        58,
        "a forged letter",
        "refused before anything is sent; no index but `cwl-*`, no operation but `create`",
        "dead_lettered",
        (
            *cases("faults/test_payloads", "test_a_forged_letter_sends_nothing"),
            *cases("shipper/test_deadletter_forged", "test_a_forged_envelope_is_refused"),
        ),
    ),
    Fault(
        59,
        "a pod that starts again, a file that is rotated in the middle of a record",
        "nothing is joined across streams; a piece without its head is marked `headless`",
        "indexed",
        (
            *cases("faults/test_payloads", "test_no_record_is_joined_across_streams"),
            *cases("shipper/test_multiline", "test_a_piece_whose_head_is_elsewhere_is_marked"),
        ),
    ),
    Fault(
        60,
        "pieces of a line that the runtime split, in two invocations",
        "each invocation's pieces are a record, the first of them marked as part 1; of a last piece nobody can tell",
        "indexed, joined",
        (
            *cases("faults/test_payloads", "test_pieces_of_a_line_in_two_invocations_are_all_there"),
            *cases("shipper/test_multiline", "test_a_line_that_goes_on_in_another_payload_is_marked_as_a_first_part"),
        ),
    ),
    Fault(
        61,
        "CloudWatch throttles the agent, which sends its events again under new ids",
        "both are there: nobody can tell them from a line that was logged twice",
        "indexed",
        cases("faults/test_payloads", "test_a_line_that_was_sent_twice_by_the_agent_is_there_twice"),
    ),
    Fault(
        62,
        "the function's own log group is subscribed to",
        "nothing is shipped and nothing is logged",
        "filtered",
        (
            *cases("faults/test_payloads", "test_the_functions_own_log_group_is_not_shipped"),
            *cases("shipper/handlers/test_subscriber", "test_the_functions_own_log_group_is_refused_without_a_word"),
            *cases("stacks/test_subscriptions", "test_the_functions_own_logs_are_not_subscribed_to"),
        ),
    ),
    Fault(
        63,
        "a filter that CloudWatch has disabled: no events come",
        "an alarm, as no line of the canary is found",
        "canary_age_ms",
        cases("stacks/test_alarms", "test_silence_is_missing_data"),
    ),
    Fault(
        64,
        "a pattern that runs away on a long line",
        "no pattern can: they are matched in linear time, by RE2",
        "indexed",
        (
            *cases("faults/test_payloads", "test_no_pattern_runs_away_on_a_line_of_a_megabyte"),
            *cases("shipper/test_patterns", "test_no_text_makes_a_pattern_run_away"),
            *cases("shipper/test_multiline", "test_time_grows_with_the_events_only"),
        ),
    ),
)
