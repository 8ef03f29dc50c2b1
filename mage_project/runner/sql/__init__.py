"""SQL blocks: their settings, their Jinja, their statements, and the stores that run them.

`executing.execute` runs one, `checking.check` finds what is wrong with one before anything runs.
"""
