"""Have we met? Tell the first hearing of a transmission from its copies.

The first copy never waits for the second: it passes at once, and later ones name it.
"""
