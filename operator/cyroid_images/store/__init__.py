"""What the API server told, and what passes tell one another: plain stores, without I/O."""
