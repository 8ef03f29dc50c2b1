"""Mage's transformer actions: cleaning, filling, aggregating and sorting of frames, told by a mapping."""
