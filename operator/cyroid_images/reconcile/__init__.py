"""The loop: what the watches told, who waits, what runs, and one pass per object.

Async, without image bytes: leaves and moves are blocking and run in our own bounded
threads. The outside is asked through the Protocols of `ports.py` only.
"""
