"""One RangeImages: a pass, what it knows, and what it remembers.

range_images     one pass: snapshot, decide, act, tell
range_snapshot   what it decides by, as one value
range_state      what is remembered of it
range_transfers  which transfers its steps come to
range_outcomes   what became of them
"""
