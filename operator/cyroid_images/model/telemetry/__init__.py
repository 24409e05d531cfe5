"""What is counted and logged, and the ports to whoever counts.

    milestones, log_context     the step of a log line, and what the line is about
    measures, measured          the port of the metrics; what a pass is measured by
    progress, request_observer  the bytes of a transfer; each request of a leaf

Not here: Prometheus (`metrics`), and how a log line looks (`logs`).
"""
