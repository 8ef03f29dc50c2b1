"""A small, fast runner for Mage projects."""
