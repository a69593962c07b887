"""The incident as others read it: one module for each format, one function in each.

    say.py      one line for a speaker or a pager
    geojson.py  a map: the casualty, each piece of evidence with its circle, each link
    cot.py      Cursor-on-Target events
    cap.py      a Common Alerting Protocol message
    sitrep.py   a telex in the style of SIT 185
    wording.py  the words that several of them share

An export says no more than the incident does: what is not known is left out or said to be unknown.
Whether it may go out, and to whom, is decided elsewhere. Nothing here keeps anything.
"""
