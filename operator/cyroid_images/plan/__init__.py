"""Decisions, pure: what was seen goes in, what to do and what to say comes out.

No I/O, no clock, no log in here; `now` is an argument. Each file is one decision:
`delivery` (what one engine lacks, and by which route), `cache` (what the registry
lacks), `backoff` (when to try again), `summary` and `report` (what the status says).
"""
