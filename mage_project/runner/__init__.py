"""Runs the pipelines of a project."""
