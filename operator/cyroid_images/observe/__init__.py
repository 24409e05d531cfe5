"""What was seen of the outside, with its age: engines, archives, upstreams, our registry.

    observer     looks at the places of one purpose: own threads, schedule, fair turns
    places       what is looked at, as values: an equal value is the same place
    observation  the last view or fault of a place, and when that look began and ended
    source_events  has a source engine looked at when it tells that its images changed
    host_gate    leaves an upstream host alone while it limits us
    ports        what looks need of the Kubernetes API

Observers wake whom a change concerns. A pass only reads what they hold: a place that was
not looked at yet is unknown, never empty. Not here: how one looks (`wiring/lookers.py` joins
the leaves to the protocol `Looker`), and what follows from it (`plan`).
"""
