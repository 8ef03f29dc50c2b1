"""What answers HTTP in the scheduler's process. Its libraries are the extra `web`, imported only where it is used."""
