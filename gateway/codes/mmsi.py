"""The numbering plan of maritime mobile service identities (ITU-R M.585-9).

MIDXXXXXX  ship            00MIDXXXX  coast station     0MIDXXXXX  group of ships
111MIDXXX  SAR aircraft    99MIDXXXX  aid to navigation 98MIDXXXX  craft of a parent ship
8XXXXXXXX  handheld        970XXXXXX  AIS-SART          972XXXXXX  man overboard device
974XXXXXX  EPIRB-AIS       979XXXXXX  autonomous device (group B)
"""

MMSI_DIGITS = 9

_CLASS_BY_PREFIX = (
    ("00", "coast"),
    ("0", "group"),
    ("111", "sar_aircraft"),
    ("970", "ais_sart"),
    ("972", "mob"),
    ("974", "epirb_ais"),
    ("979", "amrd"),
    ("98", "craft"),
    ("99", "aid_to_navigation"),
    ("8", "handheld"),
    ("2", "ship"),
    ("3", "ship"),
    ("4", "ship"),
    ("5", "ship"),
    ("6", "ship"),
    ("7", "ship"),
)
"""First match holds, so longer prefixes of one digit stand before shorter ones."""

_CLASS_BY_HEAD = {
    head: next((name for prefix, name in _CLASS_BY_PREFIX if head.startswith(prefix)), None)
    for head in (f"{number:03}" for number in range(1000))
}
"""The same by the first three digits, which settle it: asked for every message of every ship."""


def mmsi_class(mmsi: str) -> str | None:
    """Return what the nine digits say this station is, or None when no plan has them."""
    digits = len(mmsi) == MMSI_DIGITS and mmsi.isascii() and mmsi.isdigit()
    if not digits or mmsi == "000000000":
        return None
    return _CLASS_BY_HEAD[mmsi[:3]]
