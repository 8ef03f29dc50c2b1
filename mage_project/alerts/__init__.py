"""Tells people of runs: in Mage's channels (`notification_config`), and wherever a notification library reaches."""
