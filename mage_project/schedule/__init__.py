"""Backfills: one pipeline over many intervals."""
