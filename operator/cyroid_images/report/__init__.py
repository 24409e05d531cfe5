"""What is told to people: statuses, events, readiness gates, and the lines of the audit log.

Written from queues of their own: a pass hands over what is the case now and goes on. Only
the newest word on an object waits, and what is equal is not written.
"""
