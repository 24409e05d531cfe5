"""Transfers: each is one function that composes leaves and ends in a proof.

    push, stream_push          source engine to registry, by its own push or by our stream
    copy_upstream, copy_archive   another registry, or an archive, to our registry
    pull, load                 into a range engine: by the registry, or as a tar
    remove_tag                 out of our registry, but for what others need
    tar_sources, target_layers what a tar is built from, and what it may leave out
    lookup, lookup_upstream    is an image there, and what is it? No layer bytes
    proof, entry               what is asked after, of an engine; before and after, of the registry
    collect                    the disk of our registry is freed: asked for, and followed
    transport_names            what an image is called in an engine while it is on its way
    layers/                    how the bytes of layers pass
    known_contents, known_layers   what an image ID means, as our registries told it; what
                               is known of layers that were sent before
    supervision                silence, progress and cancelling, handed to every transfer

Blocking, cancellable, safe to repeat: a transfer looks before it works, leaves no transport
name behind, and a name that a person uses appears only when the image is complete. Not
here: whose turn it is (`execute`), and whether it is wanted (`plan`).
"""
