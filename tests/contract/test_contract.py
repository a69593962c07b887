"""The bus in service keeps every clause of its contract: each broker, each version of MQTT.

The same clauses are held against a bus that uses the library as its documentation shows
(test_naive.py), and it fails them: so they say something.
"""

from __future__ import annotations

import pytest

from tests.contract.clauses import ALONE, CLAUSES, FIVE_ONLY
from tests.contract.ground import in_haste, ours, tried

EXEMPT: dict[tuple[str, str, str], str] = {}
"""Clause, broker and version that can't be put together, and why: a limit of the broker's, not of
the bus. Each is tried all the same, and has to fail: an exemption that has had its day is found.

None is needed. What is known of iotcore 0.4 (rumqttd 0.20 drops a 3.1.1 subscriber at the first
publication that has properties of MQTT 5) can't show here: on one ground all speak one version.
"""


@pytest.fixture(scope="module")
def found():
    """Return what was found on each broker so far."""
    return {}


@pytest.fixture
def kept(any_broker, request, found):
    """Return what became of the clauses on this broker: all that are wanted, tried at once."""
    if any_broker not in found:
        wanted = {
            item.callspec.params["clause"]
            for item in request.session.items
            if item.originalname == "test_the_bus_in_service_keeps_its_contract"
        }
        port, version = any_broker
        clauses = {
            name: clause
            for name, clause in CLAUSES.items()
            if name in wanted and (version == "5" or name not in FIVE_ONLY)
        }
        with pytest.MonkeyPatch.context() as monkeypatch:
            in_haste(monkeypatch)
            found[any_broker] = tried(clauses, ours, broker=port, version=version, alone=ALONE)
    return found[any_broker]


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_bus_in_service_keeps_its_contract(kept, request, clause):
    params = request.node.callspec.params
    if clause not in kept.fates:
        pytest.skip("MQTT 3.1.1 has no words for it")
    fate = kept.fates[clause]

    if (clause, *params["any_broker"]) in EXEMPT:
        assert fate is not None
    elif fate is not None:
        raise fate


def test_no_task_leaves_a_fault_that_nobody_looks_at(kept):
    assert not kept.left
