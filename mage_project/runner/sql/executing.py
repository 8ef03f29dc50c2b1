"""Runs one SQL block: stores what its upstream blocks gave, renders its file, executes it, reads the result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from mage_project.errors import ConfigError, MageProjectError
from mage_project.project import Block, Pipeline
from mage_project.runner import values
from mage_project.runner.sql import places, showing, stores, templating
from mage_project.runner.sql.places import Table
from mage_project.runner.sql.settings import Settings
from mage_project.runner.sql.statements import Statement, split
from mage_project.runner.sql.stores import Store
from mage_project.runner.sql.templating import Rendered, Template

#: Rows of a table that Mage hands on where raw SQL makes or fills it.
SAMPLE_ROWS = 1_000


def _unheard(line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a SQL block has left for other SQL blocks of its store: a table as SQL names it, or a query."""

    table: str | None = None
    query: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a SQL block gave. `rows` counts all rows, of which `frame` may have only the first."""

    frame: Any = None
    rows: int | None = None
    rows_written: int | None = None
    source: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a SQL block. `inputs` are the outputs of its upstream blocks, `sources` what SQL blocks have left."""

    pipeline: Pipeline
    block: Block
    upstream: Sequence[Block] = ()
    inputs: Sequence[Any] = ()
    variables: Mapping[str, Any]
    sources: Mapping[str, Source] = field(default_factory=dict)
    #: Outputs that are in a table already: block, provider, profile, table.
    stored: Collection[tuple[str, str, str, str]] = ()
    #: The rows that somebody wants to see, None for all.
    wanted_rows: int | None = None
    said: Callable[[str], None] = _unheard
    warned: Callable[[str], None] = _unheard


def settings_of(block: Block, variables: Mapping[str, Any]) -> Settings:
    """The block's settings, the Jinja in them rendered."""
    assert block.path is not None  # noqa: S101 - the project was checked
    settings = Settings.of(block)
    template = Template(path=block.path, variables=variables)

    def rendered(text: str | None) -> str | None:
        return template.render(text).text if text and "{" in text else text

    return replace(
        settings,
        profile=rendered(settings.profile) or "default",
        database=rendered(settings.database),
        schema=rendered(settings.schema),
        table=rendered(settings.table),
    )


def execute(call: Call) -> Result:
    """Run the block. Raises MageProjectError, with nothing changed in the store.

    Commits are handed over where they are collected (`io.commits`).
    """
    settings = settings_of(call.block, call.variables)
    with stores.opened(settings, call.pipeline) as store:
        result = _Work(call=call, settings=settings, store=store).run()
        store.finish()
    return result


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One execution of a block, in an open store."""

    call: Call
    settings: Settings
    store: Store

    def run(self) -> Result:
        rendered = self._rendered()
        statements = self._split(rendered)
        if self.settings.is_one_statement or any(each.is_script for each in statements):
            return self._unprepared(rendered)
        statements = [each for each in statements if not each.is_bracket]
        if not statements:
            raise ConfigError(f"the file of block '{self.call.block.uuid}' has no statement", where=str(rendered.path))
        return self._raw(rendered, statements) if self.settings.is_raw else self._templated(rendered, statements)

    # -- what it reads

    def _rendered(self) -> Rendered:
        path = self.call.block.path
        assert path is not None  # noqa: S101 - the project was checked
        source = templating.read(path)
        used = templating.names_used(source, path)
        tables = {
            f"df_{place + 1}": self._upstream(upstream, place)
            for place, upstream in enumerate(self.call.upstream)
            if f"df_{place + 1}" in used
        }
        return Template(path=path, variables=self.call.variables, tables=tables, output=self._output).render(source)

    def _upstream(self, upstream: Block, place: int) -> str:
        """What stands for `{{ df_n }}`: the upstream SQL block's own table or query, else its output in a table."""
        left = self._left(upstream)
        if left and left.query:
            name = places.automatic(self.call.pipeline, upstream, self.call.variables)
            return templating.in_place_of_a_table(left.query, self.store.written(Table(name=name)))
        if left and left.table:
            return left.table
        table = self.store.placed(places.of_upstream(self.call.pipeline, upstream, self.settings, self.call.variables))
        places.check_apart(self.call.pipeline, upstream, self.store.longest_name, self.call.variables)
        name = self.store.written(table)
        if (upstream.uuid, self.settings.provider, self.settings.profile, name) in self.call.stored:
            return name
        value = values.for_reader(self.call.inputs[place])
        if value is None or (isinstance(value, list) and not value):
            what = f"'{upstream.uuid}' gave nothing, so there is no table for {{{{ df_{place + 1} }}}}"
            raise ConfigError(what, hint=f"return a DataFrame in '{upstream.uuid}'; one without rows will do")
        rows = self.store.store(value, table)
        self.call.said(f"{rows:,} rows of '{upstream.uuid}' are in {name}")
        return name

    def _left(self, upstream: Block) -> Source | None:
        """What an upstream SQL block has left in this store."""
        if upstream.language != "sql":
            return None
        settings = settings_of(upstream, self.call.variables)
        if not stores.is_same(settings, self.settings, self.call.pipeline):
            return None
        if upstream.uuid in self.call.sources:
            return self.call.sources[upstream.uuid]
        return None if settings.is_raw else Source(table=self._own_table(upstream, settings))

    def _own_table(self, block: Block, settings: Settings) -> str:
        table = places.own(self.call.pipeline, block, settings, self.call.variables)
        return self.store.written(self.store.placed(table))

    def _output(self, uuid: str | None) -> Any:
        """An upstream block's output; without a name the list of all, frames as lists of rows, as in Mage."""
        by_uuid = {upstream.uuid: value for upstream, value in zip(self.call.upstream, self.call.inputs, strict=True)}
        if uuid is None:
            return [value.to_dict(orient="records") if values.is_frame(value) else value for value in by_uuid.values()]
        if uuid not in by_uuid:
            raise LookupError(f"block_output: '{uuid}' is no upstream block (they are: {', '.join(by_uuid) or 'none'})")
        return values.for_reader(by_uuid[uuid])

    def _split(self, rendered: Rendered) -> list[Statement]:
        try:
            return split(rendered.text, self.store.dialect)
        except ConfigError as error:
            error.where = error.where or str(rendered.path)
            raise

    # -- what it does

    def _templated(self, rendered: Rendered, statements: Sequence[Statement]) -> Result:
        """The result of the first statement goes to the block's table; the others are executed as they are."""
        first, *others = statements
        block, pipeline = self.call.block, self.call.pipeline
        check_query(block, first, rendered.text)
        if not self.settings.table:
            places.check_apart(pipeline, block, self.store.longest_name, self.call.variables)
        table = self.store.placed(places.own(pipeline, block, self.settings, self.call.variables))
        name = self.store.written(table)
        with self._telling(rendered, first, len(statements)):
            rows = self.store.write(first.text, table, self.settings.policy)
        self._execute(rendered, others, len(statements))
        if rows is not None:
            self.call.said(f"{rows:,} rows are written to {name}")
        result = self._read(name, self.settings.row_limit)
        return replace(result, rows_written=rows, source=Source(table=name))

    def _raw(self, rendered: Rendered, statements: Sequence[Statement]) -> Result:
        target = _filled(statements)
        last = statements[-1]
        if target:
            written = self._execute(rendered, statements, len(statements))
            result = replace(self._read(target, SAMPLE_ROWS, is_sample=True), rows_written=written)
            own = self._own_table(self.call.block, self.settings) if self.settings.table else target
            return replace(result, source=Source(table=own))
        written = self._execute(rendered, statements[:-1], len(statements))
        if not last.gives_rows:
            more = self._execute(rendered, [last], len(statements))
            return Result(rows_written=_sum(written, more))
        with self._telling(rendered, last, len(statements)):
            frame = self.store.fetch(last.text)
        source = Source(query=last.text) if len(statements) == 1 else None
        return Result(frame=frame, rows=len(frame), rows_written=written, source=source)

    def _unprepared(self, rendered: Rendered) -> Result:
        """All of the text at once, nothing handed on: `disable_query_preprocessing`, and BigQuery's scripts."""
        whole = Statement(text=rendered.text, start=0, number=1, words=())
        return Result(rows_written=self._execute(rendered, [whole], 1))

    def _execute(self, rendered: Rendered, statements: Sequence[Statement], of: int) -> int | None:
        written: int | None = None
        for statement in statements:
            with self._telling(rendered, statement, of):
                written = _sum(written, self.store.execute(statement.text))
        return written

    def _read(self, name: str, limit: int | None, *, is_sample: bool = False) -> Result:
        """The rows of a table that are handed on; whoever gets a part is told so."""
        wanted = self.call.wanted_rows
        most = min((number for number in (limit, wanted) if number is not None), default=None)
        frame = self.store.rows_of(name, most)
        is_part = most is not None and len(frame) == most
        rows = self.store.count(name) if is_part else len(frame)
        if is_part and rows > len(frame) and wanted is None:
            why = "raw SQL that fills a table hands on no more, as in Mage" if is_sample else "limit_in_pipeline_run"
            self.call.warned(f"{len(frame):,} of the {rows:,} rows of {name} are handed on ({why})")
            rows = len(frame)
        return Result(frame=frame, rows=rows)

    @contextmanager
    def _telling(self, rendered: Rendered, statement: Statement, of: int) -> Iterator[None]:
        try:
            yield
        except MageProjectError as error:
            place = self.store.place_of(error, statement.text)
            raise showing.told(error, rendered, statement, place, of) from error


def check_query(block: Block, statement: Statement, text: str) -> None:
    """Raise ConfigError if the statement, of a block that is not raw, gives no rows for the block's table."""
    if not statement.gives_rows:
        line = text[: statement.start].count("\n") + 1
        raise ConfigError(
            f"block '{block.uuid}' is to write what its query gives to its table, but begins with"
            f" {statement.verb.upper()}, which gives no rows",
            where=f"{block.path}:{line}",
            hint="set `use_raw_sql: true` in its configuration: its statements are then executed as they are",
        )


def _filled(statements: Sequence[Statement]) -> str | None:
    """The table whose rows Mage hands on: the first that is made, else the last that is filled or changed."""
    made = [each.target for each in statements if each.makes_table]
    inserted = [each.target for each in statements if each.verb == "insert" and each.target]
    updated = [each.target for each in statements if each.verb == "update" and each.target]
    return made[0] if made else next(reversed(inserted or updated), None)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
