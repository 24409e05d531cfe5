"""`make load`: how the operator carries 500 RangeImages, 1,000 pods and 300 images.

API server, operator, registry, source and six range engines are real. The other engines are
stand-ins (tests/parts/stand_in), which pull from the same registry. Nothing asks the operator
how it is: figures come from the API server's audit log, the registry's log, the stand-ins'
own count, the objects, and the kernel.
"""
