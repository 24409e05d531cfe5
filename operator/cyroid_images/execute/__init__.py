"""The transfers that run: started, kept or cancelled so that they equal what decisions want.

    transfer   one transfer as it is wanted (`Transfer`), under way (`Job`) and over (`Ended`)
    executor   `sync` makes the running ones equal to the wanted ones, in fair turns
    in_flight  those that wait or run, by key and by owner
    ports      `Movers`: what carries a transfer out

Blocking work in threads, each ended by its cancel scope. Not here: what is wanted and why
(`plan`), how bytes move (`transfer`, behind the port), what came of it (`reconcile`, `report`).
"""
