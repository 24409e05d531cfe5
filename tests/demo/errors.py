"""What the demo says when something is not as it should be."""


class DemoError(Exception):
    """The demo cannot go on; one sentence for a person."""
