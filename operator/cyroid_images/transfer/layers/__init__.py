"""How the bytes of layers pass through the operator.

    packing, compress   a layer as the registry keeps it, made while it passes
    pipe, parallel      reading, compressing and sending at the same time, in bounded memory
    meter               how many bytes passed

Not here: which layers are needed (`transfer/target_layers.py`, `transfer/stream_push.py`).
"""
