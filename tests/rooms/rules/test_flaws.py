"""What makes no sense in an agreement, beyond one rule: what never binds, and what quarrels."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from rooms.rules.cases import HERE, KINDS, cases_of, tables

from gateway import cli
from gateway.model.agreement import Basis, Clause
from gateway.rules.flaws import flaws_of, gaps_of
from gateway.rules.flaws_never import ADVICE
from gateway.rules.flaws_overlap import may_be_one
from gateway.rules.parties import Rolls
from gateway.rules.when import When
from gateway.settings.agreement import AgreementFile, agreement_named, agreement_names
from gateway.settings.tables import TomlFile

PARTS = {
    "parties": {
        "site": {"name": "Here"},
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
        "ring": {"points": [[80.0, 0.0], [82.0, 90.0], [80.0, 180.0], [82.0, -90.0]]},
        "half": {"points": [[0.0, 0.0], [0.0, 180.0], [10.0, -90.0]]},
        "half_lane": {"points": [[0.0, 0.0], [0.0, 180.0]], "width_m": 1000},
        "line": {"points": [[34.0, 43.0], [35.0, 44.0], [36.0, 45.0]]},
    },
    "craft": {"combat": ["manned"], "ghosts": []},
}


@cache
def parts():
    """Return an agreement without rules: it is read once, for reading it takes the longest."""
    file = TomlFile(HERE / "flaws.toml", "")
    file.root = {**PARTS, "id": "flawed", "version": "1", "title": "Flawed", "rules": {}}
    return msgspec.structs.replace(AgreementFile(file).agreement(), own="site")


def agreement_of(**rules):
    """Return an agreement of these rules: of each its kind, and what it asks."""
    clauses = tuple(
        Clause(
            id=name,
            kind=kind,
            terms=msgspec.convert(asked, KINDS[kind].terms),
            source="a test",
            basis=Basis.DESIGN,
        )
        for name, (kind, asked) in rules.items()
    )
    return msgspec.structs.replace(parts(), rules=clauses)


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
        (("separation", {**APART, "zone": "ring"}), "go round a pole"),
        (("separation", {**APART, "zone": "half"}), "half round the world"),
        (("separation", {**APART, "zone": "half_lane"}), "half round the world"),
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


# ---- What two rules make of each other -----------------------------------------------------------

MAYDAY = {"type": ["distress_alert"], "system": ["dsc"]}
COVERT = ("covert", {"to": ["bravo"], "when": {"type": ["beacon"]}})


def ack(seconds=60, floor=0, **asked):
    window = {"min_s": floor, "max_s": seconds}
    return ("ack_deadline", {"when": MAYDAY, "who": ["alpha"], "window": window, **asked})


def authority(**asked):
    return ("ack_authority", {"who": ["bravo"], **asked})


def passing_on(to, **asked):
    to = {"to_many": to, "if_no_ack_s": 300}
    return ("relay", {"when": MAYDAY, "who": ["alpha"], **to, **asked})


def never(*ways, **asked):
    return {"hf": [{"to": way, **asked} for way in ways]}


def on(kind, channels=("guard",), **asked):
    return (kind, {"channels": list(channels), **asked})


def hush(begin, end, **asked):
    return on("silence", impose_by=[begin], lift_by=[end], **asked)


def use(*purposes, **asked):
    return on("exclusive_use", **{"purposes": list(purposes), **asked})


DAILY = {"every_s": 86_400, "who": ["alpha"]}
BAND = {"band_hz": [406_000_000, 406_100_000]}
OVERRIDE = ("distress_override", {})
FINE, PAIR = None, "R1 R2"

QUARRELS = {
    "who may not acknowledge": (ack(), authority(), "by R1 alpha acknowledges by dsc_ack, by R2 b"),
    "who may, with a consent": (ack(), authority(otherwise="rcc_consent"), FINE),
    "who may, by another way": (ack(via="voice"), authority(), FINE),
    "one of two may": (ack(who=["alpha", "bravo"]), authority(), FINE),
    "acknowledged by who never does": (ack(not_by=["bravo"]), ack(who=["bravo"]), "never does"),
    "too late for the other": (ack(60), ack(165, 60), "before 60 s, by R2 not before 60 s"),
    "in time for both": (ack(61), ack(165, 60), FINE),
    "on a band of the other": (ack(60, per_band={"vhf": {"max_s": 61}}), ack(165, 60), "on lf"),
    "never heard on that band": (
        ack(60, when={**MAYDAY, "band": ["vhf"]}, per_band={"mf": {"max_s": 1}}),
        ack(165, when={**MAYDAY, "band": ["mf"]}, per_band={"mf": {"min_s": 60, "max_s": 90}}),
        FINE,
    ),
    "others acknowledge": (ack(60), ack(165, 60, who=["bravo"]), FINE),
    "other calls": (ack(60), ack(165, 60, when={"type": ["urgency_call"]}), FINE),
    "on other channels": (ack(60, channels=["vhf70"]), ack(165, 60, channels=["mf_dsc"]), FINE),
    "on a channel of both": (ack(60, channels=["vhf70"]), ack(165, 60, channels=["vhf70"]), PAIR),
    "no window for a band": (
        ("ack_deadline", {"when": MAYDAY, "who": ["alpha"], "per_band": {"vhf": {"max_s": 60}}}),
        ("ack_deadline", {"when": MAYDAY, "who": ["alpha"], "per_band": {"mf": {"max_s": 60}}}),
        FINE,
    ),
    "an answer to what is covert": (ack(when={"type": ["distress_alert"]}), COVERT, "answered or"),
    "no answer to it": (ack(), COVERT, FINE),
    "a covert call may be answered": (
        ack(when={"type": ["beacon"]}),
        ("covert", {"to": ["bravo"], "no_reply": False, "when": {"type": ["beacon"]}}),
        FINE,
    ),
    "a relay of what is covert": (
        passing_on(["all_ships"], when={"type": ["elt"]}),
        COVERT,
        "passed on",
    ),
    "an answer by voice to it": (
        ("call_response", {"within_s": 60, "when": {"type": ["beacon"]}}),
        COVERT,
        "R1 has a call answered",
    ),
    "others told of it": (
        COVERT,
        notify(type=["beacon"]),
        "R2 has alpha told of a call, R1 nobody",
    ),
    "those told who may know": (COVERT, ("notify", {**TELL, "to": ["bravo"], "when": CALL}), FINE),
    "others told of other calls": (COVERT, notify(type=["squawk_7700"]), FINE),
    "a report of it": (("report", {**TELL, "when": {"type": ["elt"]}}), COVERT, "R1 has alpha"),
    "sent on to others": (("forward", {**TELL, "when": {"type": ["beacon"]}}), COVERT, "alpha"),
    "what never crosses": (
        ("notify", {**TELL, "when": CALL, "fields": ["time", "mission"]}),
        ("share_policy", {"to": ["alpha"], "redact": ["mission"]}),
        "told mission, and by R2 that never crosses",
    ),
    "what crosses to others": (
        ("notify", {**TELL, "when": CALL, "fields": ["mission"]}),
        ("share_policy", {"to": ["bravo"], "redact": ["mission"]}),
        FINE,
    ),
    "what crosses": (
        ("report", {**TELL, "when": CALL, "fields": ["time"]}),
        ("share_policy", {"to": ["side"], "redact": ["mission"]}),
        FINE,
    ),
    "passed on to others": (passing_on(["all_ships"]), passing_on(["group"]), "to group alone"),
    "passed on by others": (passing_on(["group"]), passing_on(["area_ships"], who=["bravo"]), FINE),
    "passed on another way": (passing_on(["group"]), passing_on(["area_ships"], via="voice"), FINE),
    "other calls passed on": (
        passing_on(["group"]),
        passing_on(["area_ships"], when={"type": ["distress_alert"], "system": ["ais"]}),
        FINE,
    ),
    "passed on to nobody": (
        passing_on(["group", "all_ships"], forbid_to=never("all_ships")),
        passing_on(["group", "all_ships"], forbid_to=never("group")),
        "on hf alpha may pass a call on to nobody",
    ),
    "passed on with a consent": (
        passing_on(["group", "all_ships"], forbid_to=never("all_ships")),
        passing_on(["group", "all_ships"], forbid_to=never("group", unless="rcc_consent")),
        FINE,
    ),
    "passed on to some": (
        passing_on(["group", "all_ships"], forbid_to=never("all_ships")),
        passing_on(["group", "all_ships"]),
        FINE,
    ),
    "words that begin and end": (hush("FEENEE", "GO"), hush("SEELONCE", "FEENEE"), "by R2 it ends"),
    "words that end and begin": (
        hush("SEELONCE", "PRUDONCE"),
        hush("MAYDAY", "GO", restrict_by=["PRUDONCE"]),
        "by R2 `PRUDONCE` begins silence on guard_uhf, guard_vhf, by R1 it ends it",
    ),
    "words on other channels": (
        hush("FEENEE", "GO", channels=["working"]),
        hush("SEELONCE", "FEENEE"),
        FINE,
    ),
    "no language": (
        on("language", languages=["en"]),
        on("language", languages=["fr"]),
        "en spoken",
    ),
    "a language": (on("language", languages=["en"]), on("language", languages=["fr", "en"]), FINE),
    "a language elsewhere": (
        on("language", languages=["en"]),
        on("language", ["working"], languages=["fr"]),
        FINE,
    ),
    "no assigned sign": (
        on("callsign_form", assigned=["Hallasan"]),
        on("callsign_form", assigned=["Baekdusan"]),
        "no call sign is as both R1 and R2 ask",
    ),
    "an assigned sign": (
        on("callsign_form", assigned=["Hallasan"]),
        on("callsign_form", assigned=["HALLASAN", "Baekdusan"]),
        FINE,
    ),
    "no sign that begins so": (
        on("callsign_form", begins=["RCH"]),
        on("callsign_form", assigned=["Hallasan"]),
        PAIR,
    ),
    "a sign that begins so": (
        on("callsign_form", begins=["HALLA"]),
        on("callsign_form", assigned=["Hallasan"]),
        FINE,
    ),
    "no beginning": (on("callsign_form", begins=["RCH"]), on("callsign_form", begins=["K"]), PAIR),
    "a beginning": (on("callsign_form", begins=["RCH"]), on("callsign_form", begins=["R"]), FINE),
    "signs elsewhere": (
        on("callsign_form", begins=["RCH"]),
        on("callsign_form", ["working"], begins=["K"]),
        FINE,
    ),
    "no order": (
        ("priority_order", {"order": ["distress", "urgency", "safety", "routine"]}),
        ("priority_order", {"order": ["distress", "safety", "urgency", "routine"]}),
        "R1 sends urgency before safety, R2 safety before urgency",
    ),
    "an order": (
        ("priority_order", {"order": ["distress", "urgency", "safety", "routine"]}),
        ("priority_order", {"order": ["distress", "urgency", "contact", "safety", "routine"]}),
        FINE,
    ),
    "no minute for tests": (
        on("test_window", minutes=[0, 5]),
        on("test_window", minutes=[65, 70], every="day"),
        "R1 has minutes 0 to 5 of the hour, R2 minutes 65 to 70 of the day",
    ),
    "a minute for tests": (
        on("test_window", minutes=[0, 6]),
        on("test_window", minutes=[65, 70], every="day"),
        FINE,
    ),
    "tests and no tests": (
        on("test_window", minutes=[0, 5]),
        on("test_window"),
        "none at any time",
    ),
    "no tests at all": (on("test_window"), on("test_window"), FINE),
    "tests elsewhere": (on("test_window", minutes=[0, 5]), on("test_window", ["working"]), FINE),
    "nobody may": (
        use("contact", who=["alpha"]),
        on("allowed_use", ["guard_vhf"], who=["bravo"]),
        "nobody may use guard_vhf: R1 lets alpha alone, R2 lets bravo alone",
    ),
    "somebody may": (use("contact", who=["side"]), on("allowed_use", who=["bravo"]), FINE),
    "elsewhere they may": (
        use("contact", who=["alpha"]),
        on("allowed_use", ["working"], who=["bravo"]),
        FINE,
    ),
    "for nothing": (use("msi"), use("contact"), "for nothing: by R1 for msi alone, by R2 for con"),
    "for something narrower": (use("distress"), use("distress_ack"), FINE),
    "for what a request serves too": (use("safety_announce"), use("safety"), FINE),
    "but for what is exempt": (
        on("allowed_use", purposes=["msi"], exempt=["contact"]),
        use("contact"),
        FINE,
    ),
    "no mode": (
        on("allowed_use", modes=["dsc"]),
        use("contact", modes=["a3e"]),
        "has no mode: by R1 dsc alone, by R2 a3e alone",
    ),
    "a mode": (on("allowed_use", modes=["dsc", "a3e"]), use("contact", modes=["a3e"]), FINE),
    "authorised in a protected band": (
        on("transmit_authority", ["working"], who=["site"]),
        ("protected_band", {"band_hz": [129_000_000, 131_000_000]}),
        "R1 lets site alone, R2 lets this station send nothing",
    ),
    "across the edge of one": (
        on("transmit_authority", ["working"], who=["site"]),
        ("protected_band", {"band_hz": [129_000_000, 129_999_999]}),
        FINE,
    ),
    "at the edge of one": (
        on("transmit_authority", ["working"], who=["site"]),
        ("protected_band", {"band_hz": [129_000_000, 129_999_999], "margin_hz": 1}),
        PAIR,
    ),
    "above the edge of one": (
        on("transmit_authority", ["working"], who=["site"]),
        ("protected_band", {"band_hz": [130_000_001, 131_000_000]}),
        FINE,
    ),
    "in one that only flags": (
        on("transmit_authority", ["working"], who=["site"]),
        ("protected_band", {"band_hz": [129_000_000, 131_000_000], "action": "flag"}),
        FINE,
    ),
    "others in a protected band": (
        on("transmit_authority", ["beacons"], who=["alpha"]),
        ("protected_band", BAND),
        FINE,
    ),
    "who may not try": (
        on("comm_check", **DAILY),
        on("allowed_use", who=["bravo"]),
        "R1 has alpha try a call on guard_uhf, guard_vhf, R2 lets bravo alone",
    ),
    "who may try on one of them": (
        on("comm_check", **DAILY),
        on("allowed_use", ["guard_vhf"], who=["bravo"]),
        FINE,
    ),
    "a trial that it is not for": (
        on("comm_check", **DAILY),
        use("distress"),
        "R1 has somebody try a call on guard_uhf, guard_vhf, and by R2 it is for distress alone",
    ),
    "a trial that it is for": (on("comm_check", **DAILY), use("distress", "contact"), FINE),
    "a trial below what it is for": (
        on("comm_check", **DAILY),
        on("allowed_use", min_category="safety"),
        "routine traffic goes elsewhere",
    ),
    "a trial that is routine": (
        on("comm_check", **DAILY),
        on("allowed_use", min_category="routine"),
        FINE,
    ),
    "a trial that is exempt": (
        on("comm_check", **DAILY),
        on("allowed_use", who=["bravo"], exempt=["contact"]),
        FINE,
    ),
    "who may not answer": (
        on("call_response", within_s=60, when={**CALL, "to": ["alpha"]}),
        on("transmit_authority", who=["site"]),
        "R1 has alpha answer on guard_uhf, guard_vhf, R2 lets site alone",
    ),
    "who may not answer another": (
        on("call_response", within_s=60, when={**CALL, "between": ["alpha", "bravo"]}),
        on("transmit_authority", who=["bravo"]),
        "R1 has alpha answer",
    ),
    "who may answer": (
        on("call_response", within_s=60, who=["alpha"], when=CALL),
        on("transmit_authority", who=["alpha"]),
        FINE,
    ),
    "an answer on any channel": (
        ("call_response", {"within_s": 60, "who": ["alpha"], "when": CALL}),
        on("transmit_authority", who=["site"]),
        FINE,
    ),
    "a call that it is not for": (
        ("channel_sequence", {"initial": ["guard"], "working": ["working"]}),
        use("distress"),
        "R1 has somebody call on guard_uhf, guard_vhf",
    ),
    "a call that it is for": (
        ("channel_sequence", {"initial": ["guard"], "working": ["working"]}),
        use("calling"),
        FINE,
    ),
    "an acknowledgement that it is not for": (
        ack(channels=["vhf70"]),
        use("calling", channels=["vhf70"]),
        "R1 has somebody acknowledge on vhf70",
    ),
    "who may not acknowledge there": (
        ack(channels=["vhf70"]),
        on("allowed_use", ["vhf70"], who=["bravo"]),
        "R1 has alpha acknowledge on vhf70, R2 lets bravo alone",
    ),
    "one of them may acknowledge there": (
        ack(channels=["vhf70"], who=["alpha", "bravo"]),
        on("allowed_use", ["vhf70"], who=["bravo"]),
        FINE,
    ),
    "an acknowledgement on any channel": (ack(), use("calling", channels=["vhf70"]), FINE),
}


@pytest.mark.parametrize(("one", "other", "says"), QUARRELS.values(), ids=QUARRELS)
def test_two_rules_that_cannot_both_be_kept_are_found_and_named(one, other, says):
    found = flaws(R1=one, R2=other)

    if says is FINE:
        assert found == []
        return
    assert found, "nothing was found"
    for rule, words in found:
        assert rule in {"R1", "R2"}
        assert "R1" in words
        assert "R2" in words
    assert says is PAIR or any(says in words for _, words in found), found


def test_they_are_found_in_whatever_order_they_stand():
    for one, other, says in QUARRELS.values():
        assert len(flaws(R1=one, R2=other)) == len(flaws(R1=other, R2=one)), says


def test_what_distress_override_frees_is_no_quarrel():
    rules = {"R1": ack(channels=["vhf70"]), "R2": use("calling", channels=["vhf70"])}

    assert len(flaws(**rules)) == 1
    assert flaws(**rules, R3=OVERRIDE) == []
    assert len(flaws(**rules, R3=("distress_override", {"categories": ["urgency"]}))) == 1


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ({"type": ["beacon"]}, {"type": ["distress_alert"]}, True),
        ({"type": ["squawk_7500"]}, {"type": ["distress_alert"]}, True),
        ({"type": ["squawk_7500"]}, {"type": ["beacon"]}, False),
        ({"type": ["violation"]}, {"type": ["separation_violation"]}, True),
        ({"type": ["beacon"]}, {"type": ["distress_alert"], "system": ["dsc"]}, False),
        ({"type": ["beacon"]}, {"type": ["beacon"], "test": True}, False),
        ({"type": ["call"], "band": ["mf"]}, {"type": ["call"], "band": ["hf"]}, False),
        ({"type": ["call"], "band": ["mf"]}, {"type": ["call"], "band": ["hf", "mf"]}, True),
        ({"type": ["beacon"], "protocol": ["a"]}, {"type": ["elt"], "protocol": ["b"]}, False),
        ({"type": ["beacon"], "generation": 1}, {"type": ["beacon"], "generation": 2}, False),
        ({"type": ["beacon"], "generation": 1}, {"type": ["beacon"]}, True),
        ({"type": ["notice"], "zone": "area"}, {"type": ["notice"], "zone": "disc"}, False),
        ({"type": ["notice"], "zone": "area"}, {"type": ["notice"], "zone": "area"}, True),
        ({"type": ["call"], "to": ["alpha"]}, {"type": ["call"], "to": ["bravo"]}, False),
        ({"type": ["call"], "to": ["alpha"]}, {"type": ["call"], "to": ["side"]}, True),
        ({"type": ["call"], "of": ["alpha"]}, {"type": ["call"], "of": ["bravo"]}, False),
        ({"type": ["violation"], "rules": ["R1"]}, {"type": ["violation"], "rules": ["R2"]}, False),
    ],
)
def test_one_event_may_be_what_two_rules_wait_for(one, other, may):
    rolls = Rolls(agreement_of(R1=OVERRIDE).parties)
    first, second = msgspec.convert(one, When), msgspec.convert(other, When)

    assert may_be_one(first, second, rolls) is may
    assert may_be_one(second, first, rolls) is may


# ---- Who listens ---------------------------------------------------------------------------------


def listen(*hours, channels=("guard_vhf",), **asked):
    return on("watch", channels, **{"who": ["site"], "hours": list(hours), **asked})


SEQUENCE = ("channel_sequence", {"initial": ["working"], "working": ["guard_vhf"]})
NO_DUTY = (
    "channel_sequence",
    {"initial": ["guard_vhf"], "fallback": ["guard_uhf"], "no_watch_duty": ["guard_uhf"]},
)
GUARD_UHF = "nobody has to listen on guard_uhf at any hour"


def gaps(**rules):
    return [(gap.rule, gap.words) for gap in gaps_of(agreement_of(**rules))]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([listen(channels=["guard"])], []),
        ([listen(channels=["guard"], mode="any")], []),
        ([listen()], [("R1", GUARD_UHF)]),
        ([listen(channels=["working"])], []),
        ([listen(channels=["guard"], who=["addressee"])], []),
        ([on("allowed_use", who=["alpha"])], []),
        (
            [listen("06:00-22:00", channels=["guard"])],
            [
                ("R1", f"nobody has to listen on {channel} from 22:00 to 06:00 UTC: R1 says who do")
                for channel in ("guard_uhf", "guard_vhf")
            ],
        ),
        (
            [
                listen("06:00-14:00", "14:30-21:59", channels=["working"]),
                listen("22:00-05:00", channels=["working"], who=["alpha"]),
            ],
            [
                (
                    "R1",
                    "from 05:00 to 06:00 UTC, from 14:00 to 14:30 UTC, from 21:59 to 22:00 UTC",
                )
            ],
        ),
        (
            [
                listen("06:00-18:00", channels=["working"]),
                listen("18:00-06:00", channels=["working"]),
            ],
            [],
        ),
        ([listen("12:00-12:00", channels=["working"])], []),
        ([listen("00:00-23:59", channels=["working"])], [("R1", "from 23:59 to 00:00 UTC")]),
        ([listen(), NO_DUTY], []),
        ([SEQUENCE], [("R1", "on working at any hour; counted on by R1")]),
        (
            [listen("06:00-22:00", channels=["working"]), SEQUENCE],
            [("R1", "22:00 to 06:00 UTC: R1 says who does at other hours; counted on by R2")],
        ),
        ([ack(channels=["vhf70"])], [("R1", "on vhf70 at any hour; counted on by R1")]),
        ([ack()], []),
        (
            [
                on("call_response", ["vhf70"], within_s=60, when=CALL),
                ack(channels=["vhf70"]),
                listen(channels=["working"]),
            ],
            [("R1", "on vhf70 at any hour; counted on by R1, R2")],
        ),
    ],
)
def test_hours_at_which_nobody_has_to_listen_are_told_with_who_counts_on_it(rules, found):
    said = gaps(**{f"R{number}": rule for number, rule in enumerate(rules, start=1)})

    assert [rule for rule, _ in said] == [rule for rule, _ in found]
    assert all(words in told for (_, told), (_, words) in zip(said, found, strict=True)), said


def test_a_check_tells_of_gaps_and_finds_fault_with_what_cannot_be_kept(tmp_path, capsys):
    rule = 'source = "a test"\nbasis = "design"'
    text = f"""
        id = "small"
        version = "1"
        title = "Small"
        [parties]
        site = {{ name = "Here" }}
        [channels]
        guard = {{ hz = 121_500_000, mode = "a3e" }}
        [rules.R1]
        kind = "watch"
        channels = ["guard"]
        who = ["site"]
        hours = ["06:00-22:00"]
        {rule}
        """
    quarrel = "".join(
        f'[rules.{name}]\nkind = "language"\nchannels = ["guard"]\n'
        f'languages = ["{tongue}"]\n{rule}\n'
        for name, tongue in (("R2", "en"), ("R3", "fr"))
    )
    path = tmp_path / "small.toml"

    path.write_text(text, "utf-8")
    assert cli.main(["agreement", "check", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "small 1: 1 rule, good, 1 gap in who listens"
    assert said[1].startswith("    R1: nobody has to listen on guard from 22:00 to 06:00 UTC")

    path.write_text(text + quarrel, "utf-8")
    assert cli.main(["agreement", "check", str(path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "small 1: 3 rules, 1 flaw, 1 gap in who listens"
    assert said[1].startswith("    R2: on guard R2 has en spoken, R3 fr")
