"""What makes no sense in an agreement, beyond one rule: what never binds, and what quarrels."""

from __future__ import annotations

import copy

import pytest
from rooms.rules.cases import HERE, KINDS, cases_of, tables

from gateway.rules.flaws import flaws_of
from gateway.rules.flaws_never import ADVICE
from gateway.settings.agreement import AgreementFile, agreement_named, agreement_names
from gateway.settings.tables import TomlFile

PARTS = {
    "parties": {
        "site": {"name": "Here", "own": True},
        "alpha": {"name": "A", "roles": ["side"], "match": {"tag": ["alpha"]}},
        "bravo": {"name": "B", "roles": ["side"], "match": {"tag": ["bravo"]}},
        "nameless": {"name": "N"},
    },
    "channels": {
        "guard_vhf": {"hz": 121_500_000, "mode": "a3e"},
        "guard_uhf": {"hz": 243_000_000, "mode": "a3e"},
        "working": {"hz": 130_000_000, "mode": "a3e"},
        "vhf70": {"hz": 156_525_000, "mode": "dsc"},
        "mf_dsc": {"hz": 2_187_500, "mode": "dsc"},
        "beacons": {"band_hz": [406_000_000, 406_100_000], "mode": "cospas_sarsat"},
        "hotline": {"endpoint": "hotline"},
    },
    "groups": {"guard": ["guard_vhf", "guard_uhf"], "none": []},
    "zones": {
        "area": {"points": [[32.3, 35.6], [37.3, 35.6], [37.3, 42.4]]},
        "date_line": {"points": [[0, 179.9], [0, -179.9], [1, 180]]},
        "disc": {"centre": [34.0, 43.0], "radius_m": 1000},
        "lane": {"points": [[34.0, 43.0], [35.0, 43.0]], "width_m": 1000},
        "layer": {"centre": [34.0, 43.0], "radius_m": 1000, "floor_m": 9, "ceiling_m": 9},
        "upside_down": {"centre": [34.0, 43.0], "radius_m": 1000, "floor_m": 9, "ceiling_m": 8},
        "nowhere": {},
        "no_centre": {"radius_m": 1000},
        "no_radius": {"centre": [34.0, 43.0]},
        "point": {"centre": [34.0, 43.0], "radius_m": 0},
        "stop": {"points": [[34.0, 43.0], [34.0, 43.0]], "width_m": 1000},
        "thread": {"points": [[34.0, 43.0], [35.0, 43.0]], "width_m": 0},
        "two": {"points": [[34.0, 43.0], [35.0, 43.0], [34.0, 43.0]]},
        "line": {"points": [[34.0, 43.0], [35.0, 44.0], [36.0, 45.0]]},
    },
    "craft": {"combat": ["manned"], "ghosts": []},
}


def agreement_of(**rules):
    """Return an agreement of these rules; a shorthand gives a kind and what it asks."""
    file = TomlFile(HERE / "flaws.toml", "")
    file.root = {
        **copy.deepcopy(PARTS),
        "id": "flawed",
        "version": "1",
        "title": "Flawed",
        "rules": {
            name: {"kind": kind, "source": "a test", "basis": "design", **asked}
            for name, (kind, asked) in rules.items()
        },
    }
    return AgreementFile(file).agreement()


def flaws(**rules):
    return [(flaw.rule, flaw.words) for flaw in flaws_of(agreement_of(**rules), KINDS)]


@pytest.mark.parametrize("name", agreement_names())
def test_the_agreements_that_are_shipped_have_none(name):
    assert list(flaws_of(agreement_named(name), KINDS)) == []


def test_what_a_rule_says_of_itself_comes_first_and_alone():
    broken = ("watch", {"channels": ["none"], "who": ["addressee"], "max_gap_s": 0})
    found = flaws(R1=("keep_out", {"zone": "point", "who": ["alpha"]}), R2=broken)

    assert [rule for rule, _ in found] == ["R2", "R2", "R1"]
    assert "no watch is ever kept" in found[1][1]


# ---- What never binds ----------------------------------------------------------------------------

CALL = {"type": ["guard_call"]}
APART = {"between": ["alpha", "bravo"], "satisfied_by": {"any": [{"horizontal_m": 5556}]}}
SAYS = {"who": ["alpha"], "systems": ["mode_s"]}
TELL = {"to": ["alpha"], "within_s": 60}


def notify(**when):
    return ("notify", {**TELL, "when": when})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (("notify", {**TELL, "to": ["other_party"], "when": CALL}), "`to` names no party"),
        (("notify", {**TELL, "when": {**CALL, "to": ["addressee"]}}), "`when.to` names no party"),
        (("call_attempts", {"channels": ["none"], "max": 1, "interval_s": 1}), "group none"),
        (("identification", {**SAYS, "zone": "upside_down"}), "9 m is above its ceiling of 8 m"),
        (("keep_out", {"zone": "nowhere", "who": ["alpha"]}), "needs 3 corners"),
        (("keep_out", {"zone": "no_centre", "who": ["alpha"]}), "needs `centre` and `radius_m`"),
        (("keep_out", {"zone": "no_radius", "who": ["alpha"]}), "needs `centre` and `radius_m`"),
        (("keep_out", {"zone": "point", "who": ["alpha"]}), "zone point: its radius is 0"),
        (("keep_out", {"zone": "stop", "who": ["alpha"]}), "a width and two places"),
        (("keep_out", {"zone": "thread", "who": ["alpha"]}), "a width and two places"),
        (("keep_out", {"zone": "two", "who": ["alpha"]}), "needs 3 corners"),
        (("separation", {**APART, "zone": "line"}), "corners are on one line"),
        (notify(type=["hazardous_activity"], zone="point"), "zone point: its radius is 0"),
        (("keep_out", {"zone": "area", "who": ["side"], "craft": "ghosts"}), "class ghosts covers"),
        (("keep_out", {"zone": "area", "who": ["alpha", "nameless"]}), "`parties.nameless.match`"),
        (("separation", {**APART, "between": ["alpha", "site"]}), "`parties.site.match`"),
        (notify(type=["guard_call"], test=True), "guard_call never is a test"),
        (notify(type=["guard_call"], system=["dsc"]), "guard_call is heard by no radio"),
        (notify(type=["guard_call"], band=["vhf"]), "guard_call is heard by no radio"),
        (notify(type=["notice"], protocol=["std_test"]), "notice is heard by no radio"),
        (notify(type=["notice"], generation=1), "notice is heard by no radio"),
        (notify(type=["squawk_7700", "elt"], system=["dsc"]), "squawk_7700, elt is never heard"),
        (notify(type=["squawk_7700"], generation=2), "squawk_7700 is never heard"),
        (notify(type=["guard_call"], between=["alpha"]), "fewer than two parties"),
        (notify(type=["separation_violation"]), "no rule here is about separation"),
        (notify(type=["guard_call"], rules=["R1"]), "guard_call is no verdict of a rule"),
    ],
)
def test_a_rule_that_never_binds_is_found(rule, says):
    ((name, words),) = flaws(R1=rule)

    assert name == "R1"
    assert says in words


@pytest.mark.parametrize(
    "rule",
    [
        ("call_response", {"within_s": 60, "who": ["addressee"], "when": CALL}),
        ("watch_on_event", {"channels": ["vhf70"], "who": ["site"], "within_s": 9, "when": CALL}),
        ("allowed_use", {"channels": ["guard"], "who": ["nameless"]}),
        *(
            ("keep_out", {"zone": zone, "who": ["alpha"]})
            for zone in ("area", "date_line", "disc", "lane")
        ),
        ("identification", {**SAYS, "zone": "layer"}),
        ("keep_out", {"zone": "area", "who": ["side"], "craft": "combat"}),
        notify(type=["separation_violation", "violation"]),
        notify(type=["guard_call", "squawk_7700"], test=True),
        notify(type=["guard_call", "distress_alert"], system=["dsc"]),
        notify(type=["beacon", "squawk_7700"], generation=1),
        notify(type=["guard_call"], between=["side"]),
    ],
)
def test_a_rule_that_may_bind_is_left_alone(rule):
    assert flaws(R1=rule) == []


def test_who_waits_for_a_rule_that_only_advises_waits_for_ever():
    advice = ("approach", {"between": ["alpha", "bravo"], "max_closing_mps": 9})
    told = {"R2": advice, "R3": ("separation", APART)}

    ((name, words),) = flaws(R1=notify(type=["violation"], rules=["R2"]), **told)
    assert (name, words.split()[0]) == ("R1", "R2")
    assert flaws(R1=notify(type=["violation"], rules=["R2", "R3"]), **told) == []
    assert flaws(R1=notify(type=["separation_violation"]), **told) == []


def test_the_kinds_that_only_advise_are_those_that_no_case_says_were_violated():
    violated = {
        kind
        for kind, table in tables().items()
        for case in cases_of(table)
        for said in case.said
        if said["judgement"] == "violation" and said.get("rule", "case") == "case"
    }

    assert KINDS.keys() - violated == ADVICE
