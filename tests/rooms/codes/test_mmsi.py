"""The numbering plan of ITU-R M.585-9, one number of each kind."""

from __future__ import annotations

import pytest

from gateway.codes.mmsi import mmsi_class


@pytest.mark.parametrize(
    ("mmsi", "expected"),
    [
        ("003160001", "coast"),
        ("023456789", "group"),
        ("111232511", "sar_aircraft"),
        ("112345678", None),
        ("211000000", "ship"),
        ("338040079", "ship"),
        ("427000001", "ship"),
        ("503110520", "ship"),
        ("636000000", "ship"),
        ("775999999", "ship"),
        ("812345678", "handheld"),
        ("900000000", None),
        ("970012345", "ais_sart"),
        ("971000000", None),
        ("972012345", "mob"),
        ("974012345", "epirb_ais"),
        ("979012345", "amrd"),
        ("982320001", "craft"),
        ("992320001", "aid_to_navigation"),
        ("000000000", None),
        ("", None),
        ("23456789", None),
        ("2345678901", None),
        ("23456789X", None),
        ("٢٣٤٥٦٧٨٩٠", None),  # digits, but of no radio
        ("2345 6789", None),
    ],
)
def test_class_of_a_number(mmsi, expected):
    assert mmsi_class(mmsi) == expected
