"""mage_ai.io.base: what connectors have in common, for those that a project brings itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Self

from mage_project.errors import StoreError
from mage_project.io.formats import ExportWritePolicy, FileFormat, format_of
from mage_project.io.names import column_name
from mage_project.mage_ai.shared.logger import VerbosePrintHandler

__all__ = [
    "QUERY_ROW_LIMIT",
    "BaseFile",
    "BaseIO",
    "BaseSQLConnection",
    "BaseSQLDatabase",
    "DataSource",
    "ExportWritePolicy",
    "FileFormat",
]

#: Where Mage cuts off what it loads. The connectors here load all rows unless `limit` says otherwise.
QUERY_ROW_LIMIT = 10_000_000


class DataSource(StrEnum):
    """Mage's names for stores."""

    AIRTABLE = "airtable"
    ALGOLIA = "algolia"
    API = "api"
    BIGQUERY = "bigquery"
    CHROMA = "chroma"
    CLICKHOUSE = "clickhouse"
    DRUID = "druid"
    DUCKDB = "duckdb"
    FILE = "file"
    GOOGLE_CLOUD_STORAGE = "google_cloud_storage"
    GOOGLE_SHEETS = "google_sheets"
    KAFKA = "kafka"
    MSSQL = "sqlserver"
    MYSQL = "mysql"
    OPENSEARCH = "opensearch"
    PINOT = "pinot"
    POSTGRES = "postgres"
    QDRANT = "qdrant"
    REDSHIFT = "redshift"
    S3 = "s3"
    SNOWFLAKE = "snowflake"
    SPARK = "spark"
    TRINO = "trino"
    WEAVIATE = "weaviate"


class BaseIO(ABC):
    """A connector: it loads frames and exports them."""

    def __init__(self, verbose: bool = False) -> None:
        self.verbose = verbose
        self.printer = VerbosePrintHandler(f"{type(self).__name__} initialized", verbose=verbose)

    @abstractmethod
    def load(self, *args: Any, **kwargs: Any) -> Any:
        """The frame from the store."""

    @abstractmethod
    def export(self, df: Any, *args: Any, **kwargs: Any) -> None:
        """Write the frame to the store."""

    def _enforce_limit(self, query: str, limit: int = QUERY_ROW_LIMIT) -> str:
        """The query with at most `limit` rows."""
        return f"WITH subquery AS (\n{query.strip(';')}\n)\nSELECT * FROM subquery LIMIT {limit}"


class BaseFile(BaseIO):
    """A connector to files."""

    @abstractmethod
    def exists(self, *args: Any, **kwargs: Any) -> bool:
        """Whether there is such a file."""

    def _get_file_format(self, filepath: Any) -> FileFormat:
        """The format that the ending tells. Raises StoreError for one that is unknown."""
        return format_of(PurePath(filepath).name)


class BaseSQLDatabase(BaseIO):
    """A connector to a database."""

    @abstractmethod
    def execute(self, query_string: str, **kwargs: Any) -> None:
        """Run the statement."""

    def sample(self, schema: str, table: str, size: int = QUERY_ROW_LIMIT, **kwargs: Any) -> Any:
        """Some rows of the table."""
        return self.load(f"SELECT * FROM {schema}.{table} LIMIT {size};", **kwargs)  # noqa: S608 - names, not values

    def _clean_query(self, query_string: str) -> str:
        return query_string.strip(" \n\t")

    def _clean_column_name(
        self,
        column_name_: str,
        allow_reserved_words: bool = False,
        auto_clean_name: bool = True,
        case_sensitive: bool = False,
    ) -> str:
        if not auto_clean_name:
            return column_name_
        return column_name(column_name_, allow_reserved_words=allow_reserved_words, case_sensitive=case_sensitive)


class BaseSQLConnection(BaseSQLDatabase):
    """A connector that holds a connection: `open` puts it into `_ctx`."""

    _ctx: Any = None

    def __init__(self, verbose: bool = False, **kwargs: Any) -> None:
        super().__init__(verbose=verbose)
        self.settings = kwargs

    @abstractmethod
    def open(self) -> None:
        """Connect."""

    @property
    def conn(self) -> Any:
        """The connection. Raises StoreError before `open`."""
        if self._ctx is None:
            raise StoreError("there is no open connection", hint="use the connector in a with statement, or open() it")
        return self._ctx

    def close(self) -> None:
        """Hang up."""
        if self._ctx is not None:
            self._ctx.close()
            self._ctx = None

    def commit(self) -> None:
        """Keep what was changed since the last commit."""
        self.conn.commit()

    def rollback(self) -> None:
        """Undo what was changed since the last commit."""
        self.conn.rollback()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
