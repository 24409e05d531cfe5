"""Decisions, pure: what was seen goes in, what to do and what to say comes out.

No I/O, no clock, no log in here; `now` is an argument. Each file is one decision:
`delivery` (what one engine lacks, and by which route), `cache` and `sources` (what the
registry lacks, and where it comes from), `backoff` (when to try again), `limits` (how long a
range may wait), `range_report` and `cache_report` (what the status says: `coverage` which
images are where, `availability` who answers, `ready` the summary, `keep_ready` what stays).
"""
