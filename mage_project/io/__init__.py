"""Connectors with the names and signatures of Mage's."""
