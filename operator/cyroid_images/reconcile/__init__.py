"""The controller: a key, one pass over what is known, and what that pass leads to.

    controller      events in, passes by workers, a sweep that heals what watches lose
    parts           all parts, made and joined; ports come from wiring, or from a test
    range_images    one pass of a RangeImages: snapshot, decide, act, tell
    range_snapshot  what it decides by, as one value; range_state what is remembered of it
    range_transfers which transfers its steps come to; range_outcomes what became of them
    image_cache     the same for an ImageCache: cache_snapshot, cache_sources, cache_state,
                    cache_outcomes; cache_offers and offer_state: what nobody asked for
    removals        images that leave a registry; removal_state what is remembered of them
    collection      when the disk of a registry is freed
    tidy            transfers that drop what interrupted ones left in engines; untidy engines
                    in which that failed
    requeue         when the next pass is due without any event (RequeueAfter)
    states          one state per object that lives
    leadership      the Lease; gauges what a scrape reads; ports what is asked of the API

A pass awaits nothing: what engines, registries and sources hold is read from `observe`,
transfers are handed to `execute`, words to `report`. Decisions themselves are in `plan`.
"""
