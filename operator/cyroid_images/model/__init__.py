"""Values: what the program speaks of, each named and checked once; frozen, without I/O.

    images/      names of images, and of their content: reference, digest, image, manifest
    kinds/       ImageCache and RangeImages: their specs, and what is written back
    telemetry/   what is counted and logged, and the ports to whoever counts

    archive, engine, registry, upstream   the parties that hold images, and where they are;
                                docker_config: credentials out of a Secret
    pod, lease                  the parts of other kinds that matter
    fault, event, text          what is told; errors.py has the reasons; text makes it fit
    knowledge                   what is known of a wanted image: stored, held by which source
    offer                       what source engines hold, whether anybody wants it or not
    observed                    what a pass saw: the input of decisions and reports
    clock                       the port to the time of day
    removal                     what keeps images in a registry, what leaves it, what came of it
    actions, pushed, collected  the steps of a plan, and what came of a push or collection

Not here: decisions (`plan`), and anything that changes.
"""
