"""`make demo`: the product from an empty machine to images in ranges, told step by step.

`story.py` is the order of what is shown; every other module is a tool that it uses and
that end-to-end tests may use as well: `cluster`, `builder`, `ranges`, `registry`, `checks`.
"""
