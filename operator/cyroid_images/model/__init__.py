"""Values: what the program speaks of, each named and checked once; frozen, without I/O.

    reference, repository, digest, platform   names of images, and of their content
    image, manifest, archive, engine, registry, upstream   what parties hold, and where they are
    image_cache, range_images   the two kinds; fields, limits, selector, duration, metadata
                                what their specs are made of; status what is written back
    resources, pod, lease       both kinds in one import; the parts of other kinds that matter
    conditions, fault, event    what is told; errors.py has the reasons; text makes it fit
    knowledge                   what is known of a wanted image: stored, held by which source
    recorded_digests            the digests that a cache records in its status
    observed                    what a pass saw: the input of decisions and reports
    actions, pushed             the steps of a plan, and what came of a push
    docker_config, clock        credentials out of a Secret; the port to the time of day
    progress, measured, measures, milestones, log_context, request_observer
                                what is counted and logged, and the ports to whoever counts

Not here: decisions (`plan`), and anything that changes.
"""
