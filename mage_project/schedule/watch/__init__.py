"""What event triggers watch: files, objects and addresses that appear, or change."""
