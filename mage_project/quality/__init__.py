"""Checks on data: rules from YAML, evaluated batch by batch, in a run or on a table."""
