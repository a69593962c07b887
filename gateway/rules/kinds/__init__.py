"""One file per kind of rule: what its clause may ask, and what it decides from what."""
