"""Modems for the desk: programs that act as one on a pseudo-terminal. No part of the gateway."""
