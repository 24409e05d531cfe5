"""One ImageCache: a pass, what it knows, and what it remembers.

image_cache     one pass: snapshot, decide, act, tell
cache_snapshot  what it decides by, as one value; cache_sources what sources were seen to hold
cache_state     what is remembered of it
cache_outcomes  what became of its transfers
cache_offers    what engine sources hold and nobody asked for; offer_state what is remembered
removals        images that leave the registry; removal_state what is remembered of them
collection      when the disk of the registry is freed
"""
