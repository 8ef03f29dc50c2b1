"""What the blocks of this project know about New York's taxis: months, columns, files, known answers."""
