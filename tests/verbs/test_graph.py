"""An incident in words: everything that it holds is said, and nothing that would not print."""

from __future__ import annotations

from hypothesis import given, settings
from incidents_made import NOW_UTC, evidence, incident, incidents

from gateway.model.incident import Action, IncidentAlarm, Link, LinkKind, Related, Split
from gateway.verbs.graph import explained, shown

ONE, OTHER, THIRD = "11111111" * 4, "22222222" * 4, "33333333" * 4


def link(**over):
    said = {
        "kind": LinkKind.NEARNESS,
        "weight": 0.62,
        "one": ONE,
        "other": OTHER,
        "distance_m": 1852.0,
        "age_s": 40.0,
        "words": "1.0 NM apart, 40 s later",
    }
    return Link(**(said | over))


def told():
    undone = link(
        kind=LinkKind.SAME_IDENTITY, words="the same MMSI", undone_by="B", undone_utc=NOW_UTC
    )
    return incident(
        evidence=(evidence(ONE, text="MAYDAY"), evidence(OTHER, lost=True)),
        evidence_more=3,
        links=(link(), undone),
        splits=(Split(one=(ONE,), other=(THIRD,), by="Officer C", utc=NOW_UTC),),
        possibly=(
            Related(incident_id="aaaaaaaaaaaaaaaa", link=link(other=THIRD)),
            Related(incident_id="bbbbbbbbbbbbbbbb", link=link(one="44" * 16, other="55" * 16)),
        ),
        actions=(Action(verb="ack", author="D", mono_ns=1, utc=NOW_UTC, words="on 16"),),
        alarm=IncidentAlarm(phase="acknowledged", by="D", raised=2, why="also heard on ais"),
    )


def test_the_graph_says_what_links_what_was_undone_and_why_the_rest_is_apart():
    page = "\n".join(explained(told()))

    for words in (
        ONE,
        OTHER,
        "and 3 more",
        'says "MAYDAY"',
        "fallen silent before its time",
        "11111111 - 22222222: 1.0 NM apart, 40 s later",
        "nearness, weight 0.62, 1.00 NM apart, 40 s apart",
        "same identity, weight 0.62, 1.00 NM apart, 40 s apart, UNDONE by B at 2026-11-22 23:06",
        "11111111 from 33333333, by Officer C",
        "not merged: Officer C has taken them apart",
        "not merged: a weight of 0.62 is too little to be sure",
        "raised 2 times",
        "ack by D: on 16",
        "also heard on ais",
    ):
        assert words in page


def test_what_is_not_there_is_said_to_be_none():
    assert "\n".join(explained(incident(evidence=()))).count("\n  none") == 4
    assert "\n  none" not in "\n".join(shown(incident()))


@settings(max_examples=60, deadline=None)
@given(incidents())
def test_whatever_a_radio_sent_both_pages_print(made):
    for page in (shown(made), explained(made)):
        for line in page:
            assert line == "" or line.isprintable()
