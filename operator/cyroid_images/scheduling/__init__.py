"""Who may run when, and how it is stopped; of images and Kubernetes it knows nothing.

work_queue    keys: each waits once, may be due later, is worked on by one worker
rate_limiter  so many a second, and some at once after a rest (token bucket)
fair_turns    limits that parties share: none holds more than its share
threads       threads of one purpose for blocking calls, in fair turns
computing     few threads compute at once, so that the event loop gets its turn
cancel_scope  the one way to stop blocking work: parent, deadline, cause
supervisor    tasks that must run for ever; the end of one ends the process
heartbeat     does the event loop turn?
garbage       when Python looks for unreachable objects, which stops everything
"""
