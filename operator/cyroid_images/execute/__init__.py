"""The transfers that run: started, kept or cancelled so that they equal what decisions want.

Blocking work in threads, in fair turns, each cut by its cancel scope; what came of one is
handed to whoever wanted it. The moves themselves are behind the port `Movers`.
"""
