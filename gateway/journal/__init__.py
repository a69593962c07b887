"""What we have promised not to forget: every item gets a number and a place on disk.

The thread that writes is in writer.py; all that knows SQLite is in store.py. What proves a row is
in chain.py, what proves a whole file in proving.py.
"""
