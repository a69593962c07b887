"""What looks right breaks most of the contract: kept, so that nobody takes it for granted.

The bus of naive.py is held to the same clauses as the one in service, on the same broker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.contract.clauses import CLAUSES

ROOT = Path(__file__).parents[2]
LIMIT_S = 90

BROKEN = {
    "a_bad_reason_code_is_a_refusal_and_a_good_one_is_none": (
        "publish returns as if all were well, whatever the broker answered"
    ),
    "what_can_not_be_taken_is_refused_here_and_costs_no_connection": (
        "a payload over the limit is sent; a broker with a limit drops the connection for it"
    ),
    "the_limits_that_a_broker_states_are_kept": (
        "Receive Maximum and Maximum Packet Size are read and not kept"
    ),
    "a_cut_ends_every_publish_at_once": "publishers wait for the time limit of each",
    "a_reset_ends_every_publish_at_once": "as with a cut",
    "a_broker_that_signs_for_nothing_is_left": (
        "each publish fails after its time limit, and the connection stays for ever"
    ),
    "a_line_that_has_fallen_silent_is_found_out": "it takes twice the keepalive: two minutes",
    "a_line_that_carries_nothing_up_is_found_out": "as with a silent line",
    "a_line_that_carries_nothing_down_is_found_out": "as with a silent line",
    "a_line_is_found_out_while_nobody_publishes": "as with a silent line",
    "nothing_under_way_is_sent_again_by_itself": (
        "the library sends again what its caller has been told has failed"
    ),
    "a_publication_that_the_broker_hangs_up_on_ends_like_a_lost_link": (
        "its publisher waits for the time limit"
    ),
    "connack_followed_by_a_close_is_no_connection": (
        "it is connected, without a socket, and nothing ever wakes it again"
    ),
    "a_broker_that_greets_and_says_no_more_is_no_connection": "CONNACK is all it asks for",
    "pauses_between_attempts_grow_and_are_diced": "always the same pause, for everybody",
    "many_connections_leave_nothing_behind": (
        "publishers of a lost link wait on, beside those of the next"
    ),
    "an_offer_never_waits_and_fills_no_memory": "every offer is a task more, without a bound",
    "a_thing_is_signed_for_when_the_next_is_asked_for_and_not_before": (
        "signed for as it comes in: what is in the queue when the program dies is gone"
    ),
    "what_is_told_twice_is_heard_twice_and_signed_for_twice": (
        "signed for before anybody has heard it"
    ),
    "each_connection_owes_nothing_of_the_one_before": (
        "what the first connection told has been signed for, unread"
    ),
    "a_refused_subscription_is_no_connection_and_is_said_so": (
        "the refusal is a value that nobody looks at; nothing is ever told"
    ),
    "who_vanishes_is_told_dead_and_who_leaves_says_so": (
        "who leaves in order says nothing: the last word is that it is there"
    ),
}
"""Each clause that it breaks, and what goes wrong."""

AT_TIMES = {
    "without_a_link_nothing_is_published_and_that_is_said_at_once": (
        "whether it is back in time is a matter of its fixed pause"
    ),
    "a_slow_line_is_no_dead_one": "its time limit is for the whole of a connection",
}
"""Each clause that it breaks or keeps as it happens."""


def test_the_library_used_as_its_documentation_shows_breaks_the_contract(mosquitto):
    run = subprocess.run(
        [sys.executable, "-m", "tests.contract.naive", str(mosquitto().port), "5"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=LIMIT_S,
    )
    found = json.loads(run.stdout)
    broken = {name for name, (fate, _) in found.items() if fate is not None}

    assert found.keys() == CLAUSES.keys()
    assert broken - AT_TIMES.keys() == BROKEN.keys()
    assert any("never retrieved" in fault for _, left in found.values() for fault in left)
