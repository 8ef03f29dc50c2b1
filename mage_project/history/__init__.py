"""What ran, when, with what result: SQLite in the project's own folder, or a Postgres that many machines share."""
