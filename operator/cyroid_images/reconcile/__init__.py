"""The controller: a key, one pass over what is known, and what that pass leads to.

    controller      events in, passes by workers, a sweep that heals what watches lose
    parts           all parts, made and joined; ports come from wiring, or from a test
    ranges/         one pass of a RangeImages, and what is remembered of it
    caches/         the same for an ImageCache, and what enters and leaves its registry
    tidy            transfers that drop what interrupted ones left in engines; untidy engines
                    in which that failed
    requeue         when the next pass is due without any event (RequeueAfter)
    states          one state per object that lives
    leadership      the Lease; gauges what a scrape reads; ports what is asked of the API

A pass awaits nothing: what engines, registries and sources hold is read from `observe`,
transfers are handed to `execute`, words to `report`. Decisions themselves are in `plan`.
"""
