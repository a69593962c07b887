"""No place without a bound: a gateway at work is walked, and so is its source."""

import ast
import asyncio
import collections
import contextlib
import os
import queue
import random
import re
import types
from functools import partial
from pathlib import Path

import msgspec
import pytest
import structlog

import gateway
from gateway.app import Service, owed, telling
from gateway.app.strain import LAG_QUIET_S, Strain
from gateway.clock import Clock
from gateway.health import LoopLag
from gateway.health.board import Board
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Chunk, Moment
from gateway.model.plan import (
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    Profile,
    RecordPlan,
    StationPlan,
)
from gateway.mqtt import late
from gateway.settings import profile_named
from gateway.settings.profiles import framing_names
from gateway.verbs.embedded import LOOPBACK, embedded_broker

ROOT = Path(gateway.__file__).parent
QUIET = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[])
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
HALF = b"!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E\r\n"

CONTAINERS = (
    *(dict, list, set, bytearray, collections.deque, asyncio.Queue),
    *(queue.SimpleQueue, queue.Queue, collections.Counter),
)

FIXED = {
    # what is as long as a list of names that the configuration or the source has
    "Pipeline.ears": "one a port",
    "Floods._ports": "one a port",
    "Timekeeping._witnesses": "one a port",
    "Lines._lines": "one a link to another party",
    "Sieve._words": "one a LineWord",
    "_Offered.fields": "lives in one call; one a field of a report",
    "PortNews._told": "one a port",
    "Listening._plans": "one a port",
    "Listening._ports": "one a port",
    "Listening._usual": "one a port",
    "Listening.receivers": "one a port",
    "Watching._receivers": "one a port",
    "Receiver._signs": "one a kind of evidence: seven",
    "Receiver._told_ns": "one a kind of evidence, as above",
    "Usual._days": "one an hour of the day, of DAYS_MAX counts each",
    "Usual._aside": "one an hour of the day, of DAYS_MAX counts each",
    "Watching._together": "one a watch: WATCHES_MAX",
    "Watching._stated": "one a watch: WATCHES_MAX",
    "Watching._accounts": "one a watch: WATCHES_MAX",
    "Watching._schedules": "one a watch: WATCHES_MAX",
    "Looking._troubles": "one a name of an alert",
    "Watch._alerts_written": "one a name of an alert",
    "Board._standing": "one a name of an alert",
    "Board._said": "one a name of an alert",
    "_Status.agreements": "AGREEMENTS_MAX of a gateway, and of anybody else one message",
    "LoopLag.counts": "one a step of the histogram",
    "Web.strands": "Incidents._strands: STRANDS_MAX, and the one that is too many for a moment",
    "Web._by_key": "a strand has NAMES_MAX names, and three more that are made of them",
    "Web._by_cell": "one a strand at the most",
    "Web.joins": "ORDERS_MAX",
    "Web.splits": "ORDERS_MAX, and those of what was taken up at the start",
    "Strand.links": "NEIGHBOURS_MAX around it, and what shares its names: PLACES_MAX a radio",
    "Strand.twice": "what shares its names: PLACES_MAX a radio",
    "Strand.things": "one a kind of thing that a name can be of",
    "Belonging.of": "one a strand",
    "Belonging.standing": "one a strand at the most",
    "Incidents._round": "of what stood when the round began",
    "Incidents._repeated": "one a strand at the most",
    "Leaving._rank": "of what stands",
    "Turns._ports": "one a port, and one for what time has changed",
    "_Port.first": "of what stands",
    "_Port.again": "of what stands",
    "Incidents._stale": "one an incident at the most",
    "Groups._head": "lives in one call; one a strand: TOGETHER_MAX",
    "Groups._members": "lives in one call; one a strand: TOGETHER_MAX",
    "Groups._things": "lives in one call; one a strand: TOGETHER_MAX",
    "Groups._sides": "lives in one call; one a split in force, and one a pair at two places",
    "Ahead._ends": "one a lane",
    "Early._ports": "one a lane and port, and one for what the station itself says",
    "Rounds._told": "one a lane",
    "Rounds.begun": "one a lane",
    "_Round.upto": "one a lane",
    "_Round.passed": "one a lane",
    "Alarms._links": "one a link",
    "Alarms._seen": "one a link, of LOOKED_MAX entries each",
    "Downs._since_ns": "one a lane",
    "Recording._missed": "one a port",
    "Recorder._missed": "one a port",
    "Shelves._rows_max": "one a ring",
    "Tally.shelves": "one a shelf",
    "Logbook._pages": "one a name of AlertName",
    "Tally.rows": "one a lane and ring",
    "Tally.owed": "one a link that is, or ever was, in the configuration and left something",
    "Tally.lane_last": "one a lane",
    "Tally.moved": "one a shelf",
    "Tally.owed_anew": "one a link, as above",
    "Wreck._frames": "one a page of a log set aside, while it is read; 16 000 after a burst",
    "Wreck._ends": "one a transaction of such a log",
    "Pieces._held": "PIECES_MAX, while a file set aside is read",
    "States._due_ns": "what was refused in the last minutes, and what stands: STATES_MAX",
    "Packed._systems": "one a radio system",
    "Register._carried": "one a name in the register, which is a file of at most a megabyte",
    "Register._parties": "one a name in the register, as above",
    "Docket._paces": "one a rule: RULES_MAX",
    "Remembering._written": "one a rule: RULES_MAX",
    "RuleKeeper._began_as": "one a rule: RULES_MAX",
    "RuleKeeper._answers": "HANDED_MAX, and one",
    "Governor._sending": "one a channel of a port",
    "Transmitting._orders": "Governor._wishes, and one a channel that is being transmitted on",
    "Transmitting._followed": "Transmitting._orders and Echoes._awaited",
    "_Awaited.unsent": "the messages of one order: a handful",
    "Stages._told": "the stages of one order: six at the most",
    "Authority._keys": "settings.keys.KEYS_MAX",
    "Unfinished.numbers": "one a key, and one for each that was ever taken out of the file",
    "Taking._plans": "one a port, as configured",
    "Taking._said": "one a port, as configured",
    "Taking._ports": "one a port, as configured",
    "Transmitting._ports": "one a port, as configured",
    "Grid._cells": "one a track that may help: TRACKS_MAX",
    "Troubles._untold": "of what stands: INCIDENTS_MAX",
    "Exports._forms": "of the four formats, as configured",
    "N2k._systems": "two: ais and dsc",
    "Dial._found": "FOUND_MAX, then all are found anew",
    "Engine._listeners": "LISTENERS_MAX, then all are found anew",
    "Engine.rules": "one a rule of the agreement: PARTS_MAX",
    "Bench.engines": "AGREEMENTS_MAX",
    "Bench._standing": "one a rule of each agreement",
    "Standing._found": "one a judgement: seven",
    "Engine._clauses": "one a rule of the agreement: PARTS_MAX",
    "Rolls._named": "one a party and role of the agreement",
    "Ground._zones": "one a zone of the agreement: PARTS_MAX",
    "Silence._silent": "one a channel of the agreement: PARTS_MAX",
    "ProtectedBand._within": "one a channel of the agreement: PARTS_MAX",
    "ProtectedBand._carriers": "one a channel of the agreement: PARTS_MAX",
    "ChannelSequence._taken": "one an initial channel of the agreement: PARTS_MAX",
    "PriorityOrder._ranks": "one a name in the order: 64",
    "AckDeadline._windows": "one a band: five",
    "CommCheck._tried": "one a party of the agreement: PARTS_MAX",
    "FalseAlertCancel._done": "one a deadline that runs: RUNNING_MAX",
    "Watch._seen": "one a party and channel that the clause names: 64 of each at the most",
    "Watch._kept": "one a party and channel, as above",
    "Separation._of": "two a pair that is followed: PAIRS_MAX",
    "ContactPoint._lines": "one a party of the agreement: PARTS_MAX",
    "Picture._cells": "one a craft: CRAFT_MAX",
    "Leave._used": "USED_MAX, and those that ended go with the next",
    "Deadlines._soonest": "twice what runs, and 64: then it is thinned",
    # what is emptied before anything else can happen
    "Shelves._begun": "the rows of one transaction: BACKLOG_FULL",
    "Cutter._out": "the frames of one chunk of 4096 bytes",
    "Newest._begun": "the rows of one transaction: BACKLOG_FULL",
    "Shelves.damaged": "rows of one question to the disk, which has a limit",
    "_Fields.unreadable": "the fields of one sentence",
    "_Row.left": "the symbols of one call",
    "_Sheet.texts": "the fields of one sentence",
    "_Sheet.tail": "the fields of one sentence",
    "_Sheet.codes": "the fields of one sentence",
    "_Sheet.unreadable": "the fields of one sentence",
    "_Sighting.report": "one report on its way into a record",
    "_SaidRow.said": "one a field of what was stated or asked, on a tape that is read",
    "_HeaderRow.ports": "one a port of a tape that is read or begun",
    "Errand._outcome": "one, for as long as its caller waits",
    "Finder._properties": "what one device of the configuration is looked for by",
    "LastWords.filters": "of a logging.Handler, which nobody gives filters",
    # what keeps to a length in one line of its own
    "_Page.waiting": "NOTES_MAX, by its own test; tests/health/test_logbook.py",
    "_Page.noted_ns": "a deque of maxlen NOTES_MAX",
    "Ages._marks": "one a second of the 240 s of the longest limit",
    "Retention._marks": "one a round of an hour over keep_hours",
    "_Witness._samples": "a deque of maxlen SAMPLES_MAX",
    "Naming._takeovers": "a deque of maxlen TAKEOVERS_MAX",
    "Contact.told": "one a squawk and state: 32 of them",
    "Waiting.parts": "the parts of one message: nine by its sentence",
    # what lives as long as one connection, one wire or one request
    "SerialWire._heard": "READ_BYTES_MAX: the loop reads no more until it is fetched",
    "Aside._jobs": "JOBS_MAX openings, and the closing of a wire each",
    "Wire._packed": "one a kind of publication: four",
    "Wire._unsigned": "WINDOW_MAX, by its semaphore",
    "Wire._inbox": "INBOX_MAX, by its queue; what comes beyond it is counted",
    "Account.told": "numbers of one request: RANGE_MAX",
    "Account.routine": "numbers of one request: RANGE_MAX",
    "Account.untold": "numbers of one request: RANGE_MAX",
    # what lives no longer than one verb, and no station on watch has
    "Modem._fed": "of tests",
    "Modem.written": "of tests",
    "Salvage.lost": "LOST_MAX; of `replay`",
    "_Walk._rows": "one a shelf; of `verify`",
    "_Walk._ordinals": "one a shelf; of `verify`",
    "_Walk._edges": "one a shelf; of `verify`",
    "_Walk._trims": "of `verify`",
    "_Walk._structure": "of `verify`",
    "_Walk._damaged": "of `verify`",
    "_Walk._broken": "of `verify`",
    "_Walk._missing": "of `verify`",
}
"""Places that need no line in docs/BOUNDS.md, each with the reason why it can't grow."""

HANDED_IN = {
    *(
        "Alarms._links",
        "Finder._properties",
        "_Page.noted_ns",
        "LastWords.filters",
        "Listening._ports",
        "LoopLag.counts",
        "Taking._ports",
        "Transmitting._ports",
        "Usual._aside",
        "Usual._days",
        "Watching._receivers",
    ),
    "Shelves._rows_max",
}
"""Of those, what the source does not show: it is handed in, or made by a call."""

NOT_AT_WORK = {
    "Hotline._told",
    "Hotline._unsaid",
    "Counting._of",
    "Rolls._known",
    "Picture._craft",
    "Deadlines._running",
    "Separation._pairs",
    "KeepOut._standing",
    "Identification._lost",
    "KeepOut._noticed",
    "PriorityOrder._turns",
    "ChannelSequence._exchanges",
    "Standing._open",
}
"""Of rules: the station here has no agreement, and so no rule."""

FILLED = {
    "Hotline._told": "tests/mqtt/test_hotline.py::"
    "test_what_may_be_signed_for_and_what_waits_for_the_line_is_bounded",
    "Hotline._unsaid": "tests/mqtt/test_hotline.py::"
    "test_what_may_be_signed_for_and_what_waits_for_the_line_is_bounded",
    "Lines._heard": "tests/app/test_lines.py::"
    "test_a_message_is_known_again_so_far_back_and_no_farther",
    "Watching._standing": "tests/rooms/rules/test_watches.py::"
    "test_watches_are_bounded_and_what_is_more_is_left_to_its_rule",
    "Incidents._strands": "tests/stories/test_flood.py::"
    "test_what_is_remembered_of_a_flood_is_bounded_and_what_somebody_has_acted_on_stays",
    "Copies._seen": "tests/rooms/correlate/test_copies.py::"
    "test_memory_is_bounded_and_the_oldest_goes_first",
    "Docket._waiting": "tests/rooms/rules/test_docket.py::"
    "test_what_waits_is_bounded_and_what_finds_no_room_is_told_all_the_same",
    "Counting._of": "tests/rooms/rules/test_counting.py::"
    "test_subjects_are_bounded_and_the_one_longest_ago_is_counted_anew",
    "Rolls._known": "tests/rooms/rules/test_parties.py::"
    "test_stations_remembered_are_bounded_and_found_out_again",
    "Picture._craft": "tests/rooms/rules/test_picture.py::"
    "test_craft_are_bounded_and_the_one_longest_silent_goes",
    "Identification._lost": "tests/rooms/rules/test_identification.py::"
    "test_craft_lost_are_bounded_and_the_one_lost_first_is_forgotten",
    "KeepOut._standing": "tests/rooms/rules/test_keep_out.py::"
    "test_craft_are_bounded_and_the_one_found_first_is_forgotten",
    "KeepOut._noticed": "tests/rooms/rules/test_keep_out.py::"
    "test_craft_are_bounded_and_the_one_found_first_is_forgotten",
    "PriorityOrder._turns": "tests/rooms/rules/test_priority_order.py::"
    "test_turns_are_bounded_and_the_least_that_came_last_is_forgotten",
    "ChannelSequence._exchanges": "tests/rooms/rules/test_channel_sequence.py::"
    "test_pairs_are_bounded_and_the_one_silent_longest_is_forgotten",
    "Separation._pairs": "tests/rooms/rules/test_separation.py::"
    "test_pairs_are_bounded_and_the_one_followed_longest_gives_way",
    "Deadlines._running": "tests/rooms/rules/test_deadlines.py::"
    "test_deadlines_are_bounded_and_the_one_soonest_over_gives_way",
    "Standing._open": "tests/rooms/rules/test_engine.py::"
    "test_subjects_that_stand_are_bounded_and_the_one_said_first_is_forgotten",
    "Floods._callers": "tests/rooms/correlate/test_floods.py::"
    "test_no_more_callers_are_remembered_than_prove_a_flood",
    "Nmea._tail": "tests/rooms/framing/test_nmea.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Lines._tail": "tests/rooms/framing/test_lines.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Symbols._raw": "tests/rooms/framing/test_symbols.py::"
    "test_flood_of_symbols_is_counted_held_within_bounds_and_then_forgotten",
    "Navtex._begun": "tests/rooms/radio/test_navtex.py::"
    "test_waiting_messages_are_bounded_and_the_oldest_is_told",
    "Navtex._lines": "tests/rooms/radio/test_navtex.py::test_printed_lines_are_bounded_and_told",
    "Beast._tail": "tests/rooms/framing/test_beast.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Avr._tail": "tests/rooms/framing/test_avr.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Memory._craft": "tests/rooms/radio/test_mode_s.py::"
    "test_craft_remembered_are_bounded_and_the_one_longest_silent_goes",
    "Meshtastic._tail": "tests/rooms/framing/test_meshtastic.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Actisense._tail": "tests/rooms/framing/test_actisense.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "FastPackets._open": "tests/rooms/radio/test_n2k.py::"
    "test_waiting_messages_are_bounded_and_the_oldest_is_told",
    "Delimited._tail": "tests/rooms/framing/test_cobs_slip.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Kiss._tail": "tests/rooms/framing/test_kiss.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Tnc2._tail": "tests/rooms/framing/test_tnc2.py::"
    "test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten",
    "Dsc._pending": "tests/rooms/radio/test_dsc.py::"
    "test_waiting_calls_are_bounded_and_the_oldest_goes_first",
    "Assembly._open": "tests/rooms/radio/test_ais.py::"
    "test_messages_that_wait_for_a_part_are_bounded",
    "Ais._active": "tests/rooms/radio/test_ais.py::test_the_memory_of_active_identities_is_bounded",
    "Writer._inbox": "tests/journal/test_failing.py::test_a_hanging_disk_stops_nobodys_ears",
    "Memory._held": "tests/mqtt/test_link.py::"
    "test_memory_is_bounded_and_the_least_urgent_goes_first",
    "Following._waiting": "tests/rooms/correlate/test_following.py::"
    "test_places_that_wait_are_bounded_and_the_oldest_is_worked_out",
    "Tracks._craft": "tests/rooms/correlate/test_tracks.py::"
    "test_tracks_and_aliases_are_bounded_and_the_longest_silent_goes",
    "Tracks._aliases": "tests/rooms/correlate/test_tracks.py::"
    "test_tracks_and_aliases_are_bounded_and_the_longest_silent_goes",
    "Positions._waiting": "tests/mqtt/test_link.py::"
    "test_more_craft_than_can_be_followed_push_out_the_longest_waiting",
    "Positions._told_ns": "tests/mqtt/test_link.py::"
    "test_more_craft_than_can_be_followed_push_out_the_longest_waiting",
    "States._standing": "tests/mqtt/test_link.py::test_states_are_bounded",
    "States._untold": "tests/mqtt/test_link.py::test_states_are_bounded",
    "Aside._troubles": "tests/mqtt/test_receipts.py::"
    "test_more_poison_than_can_be_remembered_holds_nothing_back",
    "Striking._numbers": "tests/mqtt/test_link.py::"
    "test_a_lane_waits_when_too_much_is_signed_for_and_not_struck_out",
    "Early._told": "tests/mqtt/test_early.py::test_no_more_goes_out_of_turn_than_can_be_remembered",
    "_Port.entries": "tests/mqtt/test_early.py::"
    "test_of_a_port_no_more_is_at_hand_than_its_share_and_the_rest_goes_by_number",
    "Ahead._entries": "tests/mqtt/test_ahead.py::test_the_oldest_is_left_to_the_disk",
    "Pump._unsigned": "tests/mqtt/test_receipts.py::"
    "test_thousands_unsigned_hold_no_new_distress_back_and_cost_bounded_memory",
    "Exports._waiting": "tests/mqtt/test_exports.py::"
    "test_where_there_is_no_room_the_least_event_goes_and_is_counted",
    "Exports._told": "tests/mqtt/test_exports.py::test_what_has_been_told_is_remembered_in_bounds",
    "Earlier._noted": "tests/rooms/correlate/test_earlier.py::"
    "test_incidents_remembered_are_bounded_and_the_one_noted_longest_ago_goes",
    "Troubles._standing": "tests/mqtt/test_troubles.py::"
    "test_where_there_is_no_room_the_least_goes_and_is_counted",
    "Suspects._losses": "tests/mqtt/test_suspects.py::"
    "test_what_comes_through_is_suspect_no_more_and_memory_is_bounded",
    "Recording._waiting": "tests/transport/test_recording.py::"
    "test_a_card_that_hangs_holds_nobody_up_and_what_is_lost_is_counted_and_marked",
    "Owed._debts": "tests/app/test_owed.py::"
    "test_no_distress_gives_way_to_less_and_what_has_no_place_is_counted",
    "Owed._since_ns": "tests/health/test_bounds.py::"
    "test_what_was_journaled_afterwards_is_forgotten",
    "Late._afterwards": "tests/health/test_bounds.py::"
    "test_what_was_journaled_afterwards_is_forgotten",
    "Governor._wishes": "tests/rooms/rules/test_governor.py::"
    "test_a_full_funnel_gives_its_least_place_to_what_is_graver_and_to_nothing_else",
    "Governor._sent": "tests/rooms/rules/test_governor.py::"
    "test_what_is_remembered_of_what_was_sent_and_heard_is_bounded",
    "Governor._heard_ns": "tests/rooms/rules/test_governor.py::"
    "test_what_is_remembered_of_what_was_sent_and_heard_is_bounded",
    "Echoes._awaited": "tests/app/test_transmitting.py::"
    "test_what_is_listened_for_is_bounded_and_the_oldest_stays_transmitted",
    "Authority._asked": "tests/app/test_authority.py::"
    "test_what_is_remembered_of_letters_and_challenges_is_bounded",
    "Authority._taken": "tests/app/test_authority.py::"
    "test_what_is_remembered_of_letters_and_challenges_is_bounded",
    "Advising._told": "tests/app/test_advising.py::"
    "test_only_the_newest_incidents_are_advised_about",
    "Twins._told": "tests/app/test_twins.py::test_what_is_remembered_of_casualties_is_bounded",
    "Ordering._known": "tests/app/test_ordering.py::"
    "test_the_memory_of_commands_is_bounded_and_what_it_forgot_is_late",
    "_Waiting.queue": "tests/health/test_bounds.py::"
    "test_routine_is_given_up_when_too_much_waits_and_distress_never_is",
}
"""The test that fills each place beyond its limit."""


# ---- The source ---------------------------------------------------------------------------------

MADE = re.compile(
    r"\{\}|\[\]|\{.*\bfor\b.*\}|\[.*\]|"
    r"(set|dict|list|deque|OrderedDict|bytearray|Counter|defaultdict|"
    r"(asyncio\.)?Queue|SimpleQueue|dict\.fromkeys)\b.*"
)
VERBS = ("verbs", "settings")
"""What ends with its verb, and is no station on watch."""


def classes():
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] not in VERBS:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield node


def is_frozen(made: ast.ClassDef) -> bool:
    return any(word.arg == "frozen" for word in made.keywords)


def places_in(made):
    """Yield each attribute of a class that is made as a container."""
    for node in ast.walk(made):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                own = isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
                if own and MADE.fullmatch(ast.unparse(node.value)):
                    yield target.attr
    if not is_frozen(made):
        for node in made.body:
            if isinstance(node, ast.AnnAssign) and re.match(
                r"(dict|list|set)\[", ast.unparse(node.annotation)
            ):
                yield node.target.id


PLACES = {f"{made.name}.{place}" for made in classes() for place in places_in(made)}


def registered():
    """Return each place that the source makes a Bound of."""
    return {
        ast.literal_eval(word.value)
        for path in ROOT.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Bound"
        for word in call.keywords
        if word.arg == "of"
    }


def test_every_container_that_the_source_makes_has_a_bound_or_a_reason():
    assert PLACES - registered() - FIXED.keys() == set()


def test_no_reason_is_given_for_what_is_not_there_and_none_for_what_has_a_bound():
    assert FIXED.keys() - PLACES == HANDED_IN
    assert not FIXED.keys() & registered()


def test_every_bound_is_filled_beyond_its_limit_by_a_test():
    tests = ROOT.parent / "tests"
    missing = []
    for place, test in FILLED.items():
        file, _, name = test.removeprefix("tests/").partition("::")
        path = tests / file
        if not path.is_file() or f"def {name}" not in path.read_text("utf-8"):
            missing.append(place)

    assert FILLED.keys() == registered()
    assert not missing


# ---- A gateway at work --------------------------------------------------------------------------


def attributes(thing):
    """Return what an object of ours holds in its pockets."""
    if isinstance(thing, msgspec.Struct):
        return {name: getattr(thing, name, None) for name in thing.__struct_fields__}
    slots = [slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())]
    found = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    return found | getattr(thing, "__dict__", {})


def is_ours(thing):
    frozen = isinstance(thing, msgspec.Struct) and thing.__struct_config__.frozen
    module = type(thing).__module__
    return not frozen and (module.startswith("gateway."))


def within(thing):
    """Yield what a thing that is not ours leads on to."""
    if isinstance(thing, dict):
        yield from [*thing.values()]
    elif isinstance(thing, list | tuple | set | collections.deque):
        yield from [*thing]
    elif isinstance(thing, types.MethodType):
        yield thing.__self__
    elif isinstance(thing, partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, types.FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or ())


def walked(start):
    """Return each container that hangs on an object of ours: its place, and the container."""
    seen, found, todo = set(), [], [start]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, type | types.ModuleType):
            continue
        seen.add(id(thing))
        if is_ours(thing):
            for name, value in attributes(thing).items():
                if isinstance(value, CONTAINERS):
                    found.append((f"{_owner(thing, name)}.{name}", value, thing))
                todo.append(value)
        else:
            todo.extend(within(thing))
    return found


def _owner(thing, name):
    """Return the class of ours that made this attribute; for a library's own, ours is asked."""
    for kind in type(thing).__mro__:
        if f"{kind.__name__}.{name}" in PLACES | FIXED.keys():
            return kind.__name__
    return type(thing).__name__


LIBRARY = {
    "Wire": "aiomqtt.Client, of which Wire is a child: one connection's, bounded by our window and "
    "inbox, and held by tests/live and tests/mqtt/test_hostile.py"
}


@contextlib.asynccontextmanager
async def at_work(folder, broker):
    """Run a station on a pty that has heard something of everything, and one for each framing."""
    modem_end, gateway_end = os.openpty()
    others = [name for name in framing_names() if name != "nmea"]
    ptys = [os.openpty() for _ in others]
    plan = StationPlan(
        station="bounds",
        ports=(
            PortPlan(
                name="all",
                device=os.ttyname(gateway_end),
                modem="generic-nmea",
                profile=profile_named("generic-nmea"),
            ),
            *(
                PortPlan(
                    name=name,
                    device=os.ttyname(end),
                    modem="test",
                    profile=Profile(title="test", radio=("dsc",), framing=name, proven="test"),
                )
                for name, (_, end) in zip(others, ptys, strict=True)
            ),
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker.port_v5,
                client_id="gw-bounds",
                receipts="rcc",
            ),
        ),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=RecordPlan(directory=str(folder / "tapes")),
        log=LogPlan(),
    )
    service = Service(plan, clock=Clock(), log=QUIET, dice=random.Random(1))
    running = asyncio.create_task(service.run())
    await service.on_watch.wait()
    os.write(modem_end, MAYDAY + HALF + b"$CDDSC,12")
    async with asyncio.timeout(10):
        while not service.status().links["local"].unsigned:
            await asyncio.sleep(0.01)
    try:
        yield service
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        for end in (modem_end, gateway_end, *(end for pair in ptys for end in pair)):
            os.close(end)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Return what a walk through a gateway at work finds, its bounds, and its status."""

    async def story():
        with embedded_broker() as broker:
            async with at_work(tmp_path_factory.mktemp("bounds"), broker) as service:
                service.extra = []
                bounds = list(service._watch.bounds())
                lengths = [(place, _length(thing)) for place, thing, _ in walked(service)]
                return lengths, bounds, service.status()

    return asyncio.run(story())


def _length(thing):
    return thing.qsize() if hasattr(thing, "qsize") else len(thing)


def test_every_container_of_a_gateway_at_work_has_a_bound_or_a_reason(seen):
    lengths, _, _ = seen
    places = {place for place, _ in lengths if place.split(".")[0] not in LIBRARY}

    assert len(places) > 20
    assert places - {"Service.extra"} - registered() - FIXED.keys() == set()


def test_a_container_that_nobody_registered_would_be_found(seen):
    assert "Service.extra" in {place for place, _ in seen[0]}


def test_every_bound_tells_what_really_is_held(seen):
    lengths, bounds, _ = seen
    held = fullest((bound.of, bound.held) for bound in bounds)

    assert held["Dsc._pending"] == held["Assembly._open"] == held["Copies._seen"] == 1
    assert held["Nmea._tail"] == len("$CDDSC,12")
    for place, length in fullest(lengths).items():
        if place in {"Copies._seen", "States._standing", "Dsc._pending", "Assembly._open"}:
            assert held[place] == length, place


def fullest(places):
    """Return how much the fullest of each name holds: each port has one of its own."""
    found = {}
    for place, held in places:
        found[place] = max(held, found.get(place, 0))
    return found


def test_every_registered_bound_is_in_the_status_with_its_limit(seen):
    _, bounds, status = seen

    assert {bound.of for bound in bounds} == registered() - NOT_AT_WORK
    assert status.bounds.keys() == {bound.what for bound in bounds}
    assert all(0 <= fill.held <= fill.limit for fill in status.bounds.values())


# ---- What full places cost ----------------------------------------------------------------------


class Silent:
    """A journal that answers nothing."""

    epoch = "e"

    def append(self, _items):
        return asyncio.get_running_loop().create_future()


def test_routine_is_given_up_when_too_much_waits_and_distress_never_is(monkeypatch):
    monkeypatch.setattr(telling, "HANDED_MAX", 3)
    unread = Chunk("all", Moment(0), b"$CDXYZ,1*41\r\n")
    mayday = Chunk("all", Moment(0), MAYDAY)
    port = PortPlan(
        name="all", device="tape:x", modem="generic-nmea", profile=profile_named("generic-nmea")
    )

    async def story():
        board = Board([], clock=Clock(), log=QUIET)
        teller = telling.Teller(Silent(), [], board=board, clock=Clock(), log=QUIET)
        rooms = gateway.pipeline.hallway("test", [port])
        for _ in range(5):
            teller.keep(rooms.inbound(unread))
            teller.keep(rooms.inbound(mayday))
        return {bound.what: bound for bound in teller.bounds()}

    bounds = asyncio.run(story())
    urgent, routine = bounds["handed_urgent"], bounds["handed_routine"]

    assert (routine.held, routine.evicted) == (3, 2)
    assert (urgent.held, urgent.evicted) == (6, 0)  # five calls, and the note of what they open


def test_what_was_journaled_afterwards_is_forgotten(monkeypatch):
    monkeypatch.setattr(owed, "OWED_MAX", 3)
    monkeypatch.setattr(late, "AFTERWARDS_MAX", 3)
    debts, lateness = owed.Owed(), late.Late(None)
    for number in range(1, 6):
        entry = Entry(number, "e", Lane.DISTRESS, None, b"", None)
        debt = owed.Debt(None, entry, number, asked=True)
        debts.put(debt)
        debts.paid(debt, entry)
        lateness.afterwards(entry)

    held = {bound.of: bound.held for place in (debts, lateness) for bound in place.bounds()}

    assert held == {"Owed._debts": 0, "Owed._since_ns": 3, "Late._afterwards": 3}


# ---- Strain is told -----------------------------------------------------------------------------


def place(held, *, urgent=True):
    return Bound(of="X._y", what="queue", held=held, limit=100, rule="", urgent=urgent)


@pytest.fixture
def board():
    return Board([], clock=Clock(), log=QUIET)


def test_a_place_more_than_half_full_is_an_alarm_until_it_is_less_than_a_quarter(board):
    strain = Strain(LoopLag(Clock()), board)
    stands = []
    for held in (10, 50, 51, 90, 40, 26, 25, 40, 51):
        strain.look([place(held), place(99, urgent=False)], 0)
        stands.append("backlog" in board.standing)

    assert stands == [False, False, True, True, True, True, False, False, True]
    assert "queue 51 of 100" in board.standing["backlog"].text


def test_a_loop_held_up_is_an_alarm_until_it_was_quiet_for_a_minute(board):
    lag = LoopLag(Clock())
    strain = Strain(lag, board)
    stands = []
    for second, lag_ms in enumerate([20, 999, 1500, *[5] * 70]):
        lag.note(lag_ms)
        strain.look([], second * 10**9)
        stands.append("lag" in board.standing)

    assert stands == [False] * 2 + [True] * (int(LAG_QUIET_S) + 1) + [False] * 10
    assert not board.standing
