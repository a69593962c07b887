"""Whatever comes over a wire, no framing and no radio system fails, tarries, grows or invents.

The short form of `make noise`; tests/fuzz/ground.py says what is thrown.
"""

from __future__ import annotations

import pytest
from fuzz.ground import campaign, corpus, input_of, targets

from gateway.framing import framer_named
from gateway.model.inbound import Chunk, Moment
from gateway.radio import radio_names

INPUTS = {"mutants": 4_000, "noise": 2_000}
"""To each target; more is for campaigns: with a radio system behind it each costs some 0.1 ms."""
GROWN_BLOCKS_MAX = 4_000
"""Between two halves: what is remembered in them differs, and each report has some blocks."""

each = pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)


@each
@pytest.mark.parametrize("kind", INPUTS)
def test_nothing_fails_tarries_grows_or_is_believed_by_chance(target, kind):
    """No exception, no byte uncounted, nothing slower than 5 ms, memory flat, no noise verified."""
    found = campaign(target, kind, INPUTS[kind])

    assert found.inputs == INPUTS[kind]
    assert not found.wrong, "\n".join(found.wrong)
    assert found.grown_blocks < GROWN_BLOCKS_MAX


@each
def test_what_is_thrown_comes_far_into_the_house(target):
    """Vectors as they are make reports; a good part of what is spoilt is still a whole frame."""
    wires = [input_of(target, "mutants", 1, number) for number in range(300)]
    whole = sum(
        any(
            frame.fault is None
            for frame in framer_named(target.framing)().split(Chunk("a", Moment(0), wire))
        )
        for wire in wires
    )

    assert corpus(target)
    assert len(set(wires)) > 250
    assert whole > 50


def test_every_radio_and_every_framing_is_a_target():
    found = targets()

    assert {target.radio for target in found} == {None, *radio_names()}
    assert {target.framing for target in found if target.radio} <= {
        target.framing for target in found if target.radio is None
    }
