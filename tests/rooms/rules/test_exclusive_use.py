"""What a table can't show of a channel that is for one thing alone: flaws of a clause."""

import pytest
from rooms.rules.cases import agreement_of, cases_of, tables

from gateway.rules.ground import Ground
from gateway.rules.kinds.exclusive_use import ExclusiveUse, Terms

TABLE = {**tables()["exclusive_use"]}
TABLE["channels"] = {**TABLE["channels"], "line": {"endpoint": "mqtt:line"}, "any": {"hz": 1}}


@pytest.mark.parametrize(
    ("terms", "flaws"),
    [
        ({"modes": ("dsc",)}, []),
        ({"channels": ("any",), "modes": ("dsc",)}, []),
        ({"modes": ("voice",), "channels": ("vhf13",)}, ["`vhf13` has mode g3e"]),
        ({"modes": ("g3e",)}, ["`vhf70` has mode dsc, which is none of `modes`"]),
        ({"channels": ("traffic", "line")}, ["`line` is no channel", "`traffic` is no channel"]),
        ({"who": ("addressee",)}, ["`who` names no party"]),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(terms, flaws):
    ground = Ground(agreement_of("exclusive_use", TABLE, cases_of(TABLE)[0]))
    rule = ExclusiveUse(
        Terms(**{"channels": ("vhf70",), "purposes": ("calling",), **terms}), ground
    )

    found = list(rule.flaws())

    assert len(found) == len(flaws)
    assert all(words in flaw for words, flaw in zip(flaws, found, strict=True))
