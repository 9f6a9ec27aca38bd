"""Rows of the delivery: what the domain answers, and what becomes of the connection to it."""

from __future__ import annotations

from tests.faults.fault import Fault, cases


def _healed(number: int) -> tuple[str, ...]:
    return cases("faults/test_replies", f"test_only_what_is_not_safe_is_sent_again[{number} *")


def _stays(number: int) -> tuple[str, ...]:
    return cases("faults/test_replies", f"test_what_stays_waits_in_the_retry_queue_as_one_letter[{number} *")


def _denied(number: int) -> tuple[str, ...]:
    return cases(
        "faults/test_replies",
        f"test_who_is_denied_tries_once_more_with_new_credentials[{number} *",
        f"test_who_is_denied_twice_leaves_the_event_to_lambda[{number} *",
    )


def _spoiled(number: int) -> tuple[str, ...]:
    return cases("faults/test_engine", f"test_what_a_network_spoils_is_sent_again_and_there_once[{number} *")


def _waits(number: int) -> tuple[str, ...]:
    return cases("faults/test_node", f"test_what_a_node_does_not_take_now_waits_and_is_there_once[{number} *")


_AGAIN = "sent again within the time; then the retry queue"

DELIVERY: tuple[Fault, ...] = (
    Fault(
        22,
        "429 of an item: its queue is full, or a circuit breaker",
        f"only those items are {_AGAIN}",
        "retried, requeued",
        (
            *_healed(22),
            *_stays(22),
            *cases(
                "faults/test_node",
                "test_only_the_items_that_find_the_queue_full_are_sent_again",
                "test_more_deliveries_than_the_node_can_queue_are_there_once",
            ),
        ),
    ),
    Fault(
        23,
        "429 of the whole request, Retry-After",
        f"{_AGAIN}; the wait that it asks for is kept",
        "retried",
        (
            *_healed(23),
            *cases("faults/test_replies", "test_the_wait_that_the_reply_asks_for_is_kept"),
            *_waits(23),
            *cases("faults/test_node", "test_only_the_request_that_finds_no_room_is_sent_again[23 *"),
        ),
    ),
    Fault(
        24,
        "a disk that is full (429 or 403), a block, no shard left (400), 403 throttled",
        f"{_AGAIN}, never the dead letters; of a batch of which nothing was taken one letter",
        "retried, requeued",
        (*_healed(24), *_stays(24), *_waits(24)),
        gap="index_create_block_exception (FORBIDDEN/10) is played by a server alone: a node of 3.7 that is told"
        " `cluster.blocks.create_index` makes a new index for a bulk request all the same",
    ),
    Fault(
        25,
        "401 and 403: expired credentials, a role that is not mapped",
        "one more try with new credentials and a new connection; then raised, so that Lambda keeps the event",
        "",
        _denied(25),
    ),
    Fault(
        26,
        "413",
        "halved; a document that is too large alone goes to the dead letters",
        "indexed, dead_lettered",
        (
            *_healed(26),
            *cases("faults/test_replies", "test_a_document_that_is_too_large_alone_is_dead_and_its_neighbours_are_not"),
            *cases("faults/test_node", "test_what_is_too_large_for_a_request_goes_in_more_of_them"),
        ),
    ),
    Fault(
        27,
        "404: the index is not there and not made",
        _AGAIN,
        "retried, requeued",
        (*_healed(27), *_stays(27), *_waits(27)),
    ),
    Fault(
        28,
        "409 on create",
        "success: the document is there",
        "duplicate",
        (*_healed(28), *cases("faults/test_engine", "test_what_is_delivered_again_is_there_once")),
    ),
    Fault(
        29,
        "400 of an item for its fields",
        "indexed at once without its fields; if not even that is taken, the dead letters as it was",
        "indexed, rescued, dead_lettered",
        (
            *_healed(29),
            *cases("faults/test_replies", "test_what_fits_not_even_then_is_dead_at_once_as_it_was"),
            *cases("faults/test_engine", "test_what_clashes_with_the_mapping_is_there_and_found_by_its_text[29 *"),
            *cases("faults/test_node", "test_what_does_not_fit_a_real_mapping_is_there_and_found_by_its_text[29 *"),
        ),
    ),
    Fault(
        30,
        "400 of the whole request",
        "halved down to the bad document, which goes to the dead letters; its neighbours are indexed",
        "indexed, dead_lettered",
        (
            *cases("faults/test_replies", "test_a_request_refused_whole_is_narrowed_down_to_its_bad_document"),
            *cases("faults/test_engine", "test_a_document_that_spoils_its_request_is_narrowed_down"),
        ),
    ),
    Fault(
        31,
        "503, of the request or of an item",
        _AGAIN,
        "retried, requeued",
        (*_healed(31), *_stays(31)),
        gap="played by a server alone: a node says so only after it has waited for a minute (the wait itself is in 39)",
    ),
    Fault(
        32, "502 and 504 of a proxy as HTML, an empty body", _AGAIN, "retried, requeued", (*_healed(32), *_stays(32))
    ),
    Fault(
        33,
        "200 and JSON that is cut short",
        "nothing is known: sent again under the same ids",
        "retried, duplicate",
        (*_healed(33), *_stays(33), *_spoiled(33)),
    ),
    Fault(
        34,
        "200 with too few items, too many, or in another order",
        "nothing is known of those: sent again under the same ids",
        "retried, duplicate",
        _healed(34),
    ),
    Fault(35, "`errors: false` beside an item with an error", "the item is right", "retried", _healed(35)),
    Fault(
        36,
        "a redirect",
        "never followed; as 25",
        "",
        (*_denied(36), *cases("faults/test_replies", "test_a_redirect_takes_no_log_elsewhere")),
    ),
    Fault(
        37,
        "nobody there, no such name, a certificate that is expired, of another host, or of nobody we trust",
        f"nothing is sent before the certificate is verified; {_AGAIN}",
        "retried, requeued",
        (
            *cases(
                "faults/test_connections",
                "test_no_log_goes_to_who_cannot_prove_to_be_the_domain",
                "test_what_nobody_takes_waits_in_the_retry_queue",
            ),
        ),
    ),
    Fault(
        38,
        "the connection is reset in the middle of the request, or once it was written",
        "sent again under the same ids; one document",
        "retried, duplicate",
        (*_healed(38), *_stays(38), *_spoiled(38)),
    ),
    Fault(
        39,
        "a domain slower than the time that is left, a reply that drips",
        "ended at the deadline; the retry queue, in time",
        "requeued",
        (
            *cases(
                "faults/test_replies",
                "test_a_domain_slower_than_the_time_that_is_left_leaves_time_for_the_queue",
            ),
            *cases("faults/test_engine", "test_a_reply_that_drips_past_the_end_leaves_time_for_the_queue"),
            *cases("shipper/aws/test_deadline", "test_a_reply_that_drips_ends_at_the_deadline"),
            *cases(
                "faults/test_node",
                "test_what_a_node_may_write_long_after_nobody_waits_any_more_is_there_once[39 *",
            ),
        ),
    ),
    Fault(
        40,
        "a connection that died while the sandbox was frozen",
        "a new one",
        "indexed",
        (
            *cases("faults/test_replies", "test_a_connection_that_died_while_the_sandbox_was_frozen_is_made_anew"),
            *cases("faults/test_engine", "test_a_connection_that_was_cut_while_the_sandbox_was_frozen_is_made_anew"),
        ),
    ),
    Fault(
        56,
        "the index of a letter was deleted or closed",
        "made again, for the same day; while it is closed the letter waits, or goes to another index with `--index`",
        "indexed",
        (
            *cases("faults/test_engine", "test_what_waited_while_its_index_was_deleted_makes_it_again"),
            *_waits(56),
            *cases(
                "faults/test_node",
                "test_what_waits_for_a_closed_index_goes_to_another_one_where_somebody_says_so",
            ),
            *cases(
                "shipper/cli/test_dlq_replay",
                "test_another_index_holds_each_document_once_under_its_id",
                "test_what_may_be_indexed_already_stays_when_another_index_is_named",
            ),
        ),
    ),
)
