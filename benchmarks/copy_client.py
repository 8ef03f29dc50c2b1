"""Does psql's part where there is no psql: each `-c` is a statement, or a `\\copy ... from|to 'FILE' ...`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import psycopg2

COPY = re.compile(r"\\copy (?P<what>.+?) (?P<way>from|to) '(?P<file>[^']+)' (?P<how>.*)", re.IGNORECASE)


def main() -> None:
    connection = psycopg2.connect("")  # the PG* variables say where
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in sys.argv[2::2]:
            copy = COPY.fullmatch(statement)
            if copy is None:
                cursor.execute(statement)
                if cursor.description is not None:
                    sys.stdout.writelines("|".join(map(str, row)) + "\n" for row in cursor)
                continue
            reads = copy["way"].lower() == "from"
            sql = f"COPY {copy['what']} {'FROM STDIN' if reads else 'TO STDOUT'} {copy['how']}"
            with Path(copy["file"]).open("rb" if reads else "wb") as file:
                cursor.copy_expert(sql, file, size=1 << 18)


if __name__ == "__main__":
    main()
