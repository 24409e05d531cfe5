"""`make soak`: months in minutes. Images and pods come and go in many rounds; nothing may grow.

The loop, the reading of what engines answer, and small fakes of everybody else: what is kept
of images, pods and objects that are gone would show within some rounds.
"""
