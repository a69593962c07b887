"""What does the agreement say? Until an agreement is loaded, nothing: every sighting passes.

Rules label what was heard; they never drop, delay or change it.
"""

from __future__ import annotations

from gateway.model.inbound import Ruling, Sighting


def judge(sighting: Sighting) -> Ruling:
    """Return the sighting with every verdict on it; with no agreement in force there is none."""
    return Ruling(sighting)
