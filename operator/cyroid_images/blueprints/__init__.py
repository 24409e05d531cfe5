"""Blueprints and bundles: which images a lab asks for, and how a bundle comes onto the volume.

A blueprint lists the VMs of a lab and the image each of them starts from. It becomes objects
of our two kinds here; a bundle brings the images as well.

    blueprint      values: a blueprint's images, and what of it is no image
    architectures  the spellings of `arch`
    machines       the image of one VM
    reading        from the documents of a catalog, a bundle or an old export to a blueprint
    opening        a file, folder or bundle as a blueprint, and the images that a bundle holds
    conversion     a blueprint as RangeImages and ImageCache
    findings       where each image is: in the bundle, in the registry, at a source
    checking       which images of a bundle are taken, and why others are not
    receiving      an upload on its way to the volume: whole and checked, or nothing of it
    uploaded_file  the file that it becomes: hidden and locked, then under its name
    refusal        why nothing of an upload was taken
"""
