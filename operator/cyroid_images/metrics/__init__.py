"""What the operator tells Prometheus: one `Metrics` per process, made and passed on by wiring.

    metrics   names, types and labels of everything that is counted up
    shown     what is read at the moment of a scrape, so that what is deleted disappears
    naming    what a request is called in a label, bounded whatever it asked for

No label holds a digest, an address, a message or anything else that grows without bound.
"""

from cyroid_images.metrics.metrics import Metrics

__all__ = ["Metrics"]
