"""How long a test waits at most for what should come at once."""

A_WHILE = 30.0
"""Seconds in which even a machine that is busy with others comes to it.

For bounds whose other side is minutes or for ever; never a measure of speed.
"""
