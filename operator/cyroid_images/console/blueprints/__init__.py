"""Blueprints and bundles at a terminal.

converting   the command `blueprint`
importing    the command `import`
"""
