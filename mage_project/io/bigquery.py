"""The connector to BigQuery, with Mage's names and signatures."""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from mage_project.errors import StoreError
from mage_project.io import bigquery_client as clients
from mage_project.io import commits, statements
from mage_project.io import config as settings

if TYPE_CHECKING:
    import pandas as pd

    from mage_project.io.bigquery_tables import TableName

#: A table's name where a query may stand: two or three parts, no spaces.
_TABLE = re.compile(r"`?[\w:-]+(?:\.[\w-]+){1,3}`?")


class BigQuery:
    """Tables of BigQuery. Nothing is asked of Google before the first use."""

    def __init__(
        self,
        verbose: bool = True,
        credentials: Any = None,
        credentials_mapping: Mapping[str, Any] | str | None = None,
        path_to_credentials: str | os.PathLike[str] | None = None,
        project: str | None = None,
        location: str | None = None,
        maximum_bytes_billed: int | str | None = None,
        retry_s: float = 60.0,
        **kwargs: Any,
    ) -> None:
        """Who connects: `credentials`, else a key, else a key file, else the environment's or the machine's account.

        Where BIGQUERY_EMULATOR_HOST is set nobody is asked. A query that would read more than `maximum_bytes_billed`
        is refused. What fails in passing is tried again for `retry_s` seconds. Further arguments go to
        google.cloud.bigquery.Client.
        """
        self.verbose = verbose
        self.retry_s = retry_s
        self._limit = maximum_bytes_billed
        self._who = {
            "credentials": credentials,
            "credentials_mapping": credentials_mapping,
            "path_to_credentials": path_to_credentials,
            "project": project,
            "location": location,
        }
        self._options = kwargs

    @classmethod
    def with_config(cls, config: Any, **kwargs: Any) -> Self:
        """The BigQuery of a profile; without credentials in it, the environment's or the machine's."""
        from mage_project.io.bigquery_queries import LIMIT

        limit = settings.setting(config, LIMIT)
        return cls(**{"maximum_bytes_billed": limit, **clients.of_profile(config), **kwargs})

    @classmethod
    def with_credentials_file(cls, path_to_credentials: str, **kwargs: Any) -> Self:
        """The BigQuery of the account whose key is in a file."""
        return cls(path_to_credentials=path_to_credentials, **kwargs)

    @classmethod
    def with_credentials_object(cls, credentials: Mapping[str, str], **kwargs: Any) -> Self:
        """The BigQuery of the account with this key."""
        return cls(credentials_mapping=credentials, **kwargs)

    def __repr__(self) -> str:
        return f"BigQuery(project={self._who['project']!r}, location={self._who['location']!r})"

    # -- the connection

    @cached_property
    def client(self) -> Any:
        """Google's own client. Raises ConfigError if there are no usable credentials, or no project."""
        client = clients.connect(**self._who, **self._options)
        weakref.finalize(self, client.close)  # blocks never close a connector: its sockets go when it goes
        return client

    def open(self) -> None:
        """Make the client. Nothing is sent yet."""
        _ = self.client

    def close(self) -> None:
        """Close the client's sockets. It can be used again."""
        if "client" in self.__dict__:
            self.client.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def commit(self) -> None:
        """Nothing: every statement and export is committed when it is done."""

    def rollback(self) -> None:
        """Nothing: there is nothing open to undo."""

    def default_database(self) -> str:
        """The project."""
        return str(self.client.project)

    # -- reading

    def load(
        self,
        query_string: str,
        limit: int | None = None,
        display_query: str | None = None,
        verbose: bool = True,
        job_config: Any = None,
        maximum_bytes_billed: int | None = None,
        **kwargs: Any,
    ) -> pd.DataFrame:
        """What the query gives, every row of it, or at most `limit`; or the rows of the table of this name, for free.

        What the query will read is said before it runs, and refused above the limit (StoreError).
        """
        from mage_project.io import bigquery_queries as queries

        commits.settle()
        query = statements.stripped(query_string)
        if _TABLE.fullmatch(query):
            name = self._table(query)
            with self._telling(f"loading {name}", name):
                table = self.client.get_table(str(name), retry=self._retry)
                rows = self.client.list_rows(table, max_results=limit, retry=self._retry)
                return queries.frame_of(self.client, rows)
        query = statements.limited(query, limit)
        job = self._run(query, job_config, maximum_bytes_billed, "loading")
        with self._telling("loading", statement=query):
            return queries.frame_of(self.client, job)

    def sample(self, schema: str, table: str, size: int | None = None, **kwargs: Any) -> pd.DataFrame:
        """Some rows of a table, at most `size` of them."""
        return self.load(f"{schema}.{table}", limit=size)

    def execute(
        self, query_string: str, job_config: Any = None, maximum_bytes_billed: int | None = None, **kwargs: Any
    ) -> None:
        """Run statements and wait for their end. What they will read is said first, and refused above the limit."""
        self._run(query_string.strip(" \n\t"), job_config, maximum_bytes_billed, "executing a statement")

    def execute_query_raw(self, query: str, configuration: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """The rows that a statement gives, as Google's RowIterator."""
        return self._run(query, None, None, "executing a statement").result()

    def execute_queries(
        self,
        queries: Sequence[str],
        query_variables: Sequence[Mapping[str, Any]] | None = None,
        fetch_query_at_indexes: Sequence[bool] | None = None,
        **kwargs: Any,
    ) -> list[Any]:
        """Run one statement after the other; the frames that they give."""
        from mage_project.io.bigquery_queries import frame_of

        frames = []
        for place, query in enumerate(queries):
            variables = query_variables[place] if query_variables and place < len(query_variables) else {}
            job = self._run(query.strip(" \n\t"), variables.get("job_config"), None, "executing a statement")
            frames.append(frame_of(self.client, job))
        return frames

    def table_exists(self, schema_name: str, table_name: str) -> bool:
        """Whether there is a table of this name in the dataset."""
        from google.api_core.exceptions import NotFound

        commits.settle()
        name = self._table(f"{schema_name}.{table_name}")
        with self._telling(f"looking for {name}"):
            try:
                self.client.get_table(str(name), retry=self._retry)
            except NotFound:
                return False
        return True

    def get_column_types(self, schema: str, table_name: str) -> dict[str, str]:
        """The types of a table's columns as SQL names them, by their names in lower case; none without a table."""
        from mage_project.io.bigquery_types import type_in_sql

        if not self.table_exists(schema, table_name):
            return {}
        table = self.client.get_table(str(self._table(f"{schema}.{table_name}")))
        return {field.name.lower(): type_in_sql(field) for field in table.schema}

    # -- writing

    def export(
        self,
        df: Any,
        table_id: str | None = None,
        database: str | None = None,
        if_exists: str = "replace",
        overwrite_types: Mapping[str, str] | None = None,
        query_string: str | None = None,
        verbose: bool = True,
        unique_conflict_method: str | None = None,
        unique_constraints: Iterable[str] | None = None,
        write_disposition: str | None = None,
        create_dataset: bool = True,
        **configuration_params: Any,
    ) -> None:
        """Write a frame, or an iterator of frames, to a table, whole or not at all; with `query_string` what it gives.

        `table_id`: 'project.dataset.table' or 'dataset.table'. `if_exists`: 'replace' puts a new table in the place of
        the old one, 'append' adds rows whose values fit the columns without loss, 'fail' wants no table; Google's
        `write_disposition` says the same. `unique_constraints` with `unique_conflict_method` 'UPDATE' or 'IGNORE' and
        'append' merges by these columns. The table is laid out by `partition_by='day'` ('day:MONTH') and
        `cluster_by=['zone']`, or Google's `time_partitioning`, `range_partitioning` and `clustering_fields`; without
        them it keeps its layout. Columns get the types of their Arrow types, or those of `overwrite_types`.

        Rows travel as Parquet in load jobs to a table beside it, and one job puts them into place: there are no
        inserts and no DML. It commits, or hands its commit over where commits are collected. Raises StoreError, with
        the table as it was, and whatever the iterator raises.
        """
        from mage_project.io import bigquery_writing as writing
        from mage_project.io.bigquery_options import options_of
        from mage_project.io.bigquery_swapping import hand_over

        if table_id is None:
            raise StoreError("export needs a table_id", hint="write it as 'project.dataset.table'")
        options = options_of(
            if_exists=if_exists,
            write_disposition=write_disposition,
            overwrite_types=overwrite_types,
            unique_constraints=unique_constraints,
            unique_conflict_method=unique_conflict_method,
            create_dataset=create_dataset,
            **configuration_params,
        )
        name = self._table(table_id, database)
        config = self._config(None, configuration_params.get("maximum_bytes_billed"))
        if query_string:
            query = statements.stripped(query_string)
            stage = partial(writing.stage_query, self.client, name, query, options, config, retry_s=self.retry_s)
        else:
            stage = partial(writing.stage, self.client, name, df, options, config, retry_s=self.retry_s)
        hand_over(stage, str(name), self.close)

    def alter_table(self, df: Any, table_id: str, database: str | None = None, verbose: bool = True) -> None:
        """Add the columns of the frame that the table has not. Raises StoreError if there is no such table."""
        from mage_project.io import bigquery_types as types
        from mage_project.io import frames

        name = self._table(table_id, database)
        with self._telling(f"altering {name}", name):
            table = self.client.get_table(str(name), retry=self._retry)
            there = {field.name.lower() for field in table.schema}
            schema = next(frames.tables(df, rename=types.column_names)).schema
            added = [field for field in types.fields_of(schema, {}) if field.name.lower() not in there]
            if added:
                table.schema = [*table.schema, *added]
                self.client.update_table(table, ["schema"], retry=self._retry)

    def delete_table(self, table_id: str, not_found_ok: bool = False, **kwargs: Any) -> None:
        """Remove a table. Raises StoreError if there is none, unless that is fine."""

        name = self._table(table_id)
        with self._telling(f"deleting {name}", name):
            self.client.delete_table(str(name), not_found_ok=not_found_ok, retry=self._retry)

    # -- within

    @property
    def _retry(self) -> Any:
        from mage_project.io.bigquery_jobs import retry

        return retry(self.retry_s)

    def _telling(
        self, doing: str, table: TableName | None = None, statement: str | None = None
    ) -> AbstractContextManager[None]:
        """Google's errors as ours."""
        from mage_project.io.bigquery_errors import telling

        return telling(doing, self.client, table, statement)

    def _table(self, table_id: str, database: str | None = None) -> TableName:
        from mage_project.io.bigquery_tables import table_name

        return table_name(table_id, database or self.client.project)

    def _config(self, job_config: Any, limit: Any) -> Any:
        from mage_project.io.bigquery_queries import config_of, limit_of

        return config_of(job_config, limit_bytes=limit_of(limit if limit is not None else self._limit))

    def _run(self, query: str, job_config: Any, limit: Any, doing: str) -> Any:
        from mage_project.io import bigquery_queries as queries

        commits.settle()
        return queries.run(self.client, query, self._config(job_config, limit), doing=doing)
