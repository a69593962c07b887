"""Arithmetic shared by the rooms: checksums, alphabets, numbering plans. Nothing here remembers."""
