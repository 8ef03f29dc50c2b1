"""Stores and files under Mage's names: Postgres, GoogleCloudStorage, FileIO and the profiles they connect with."""
