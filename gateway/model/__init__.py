"""The words of the house: frozen values that walk the hallway. No behaviour."""
