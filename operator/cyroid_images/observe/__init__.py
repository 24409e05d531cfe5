"""What was seen of the outside, with its age: engines, archives, upstreams, our registry.

Observers look on a schedule of their own, outside of the passes, and wake whom a change
concerns. A pass only reads what they hold: a place that was not looked at yet is unknown,
never empty. How to look is told by the ports of `lookers.py`; wiring fills them in.
"""
