"""The collector: frees the disk of the chart's registry of what no tag needs any more.

It runs beside the two listeners, over the same files, and reads no content of layers.

    tree        the files of a registry (distribution 2.8 and 3): repositories, links, blobs
    manifests   what a manifest refers to
    marking     what is to be kept, by repository
    sweeping    what is to go, and how it goes
    gate        keeps the push listener down meanwhile
    collection  one collection from its beginning to its end
    server      POST and GET /collect
    passwords   who may ask
    command     the arguments of `cyroid-images collect`

Whatever is not understood is kept, with all that it may need. Not here: when it is done
(`plan/collection.py`), and whose it is to ask for it (`transfer/collect.py`).
"""
