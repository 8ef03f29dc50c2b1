"""What a block touches besides its inputs and its output, as far as its file shows: may another one run at its side?

Only what is known here counts as seen: a file that imports or does anything else can touch everything, and is kept in
its place. `configuration: {side_by_side: true}` says that a block needs nothing but its upstream blocks.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mage_project.project import Block

#: What the blocks of a run share: the process, and stores. `paths` is all that is named by one, gs:// included.
PROCESS, HTTP, PATHS, POSTGRES, BIGQUERY, DUCKDB = "process", "http", "paths", "postgres", "bigquery", "duckdb"
EVERYTHING = frozenset((PROCESS, HTTP, PATHS, POSTGRES, BIGQUERY, DUCKDB))
_STORES = EVERYTHING - {PROCESS, HTTP}
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Effects:
    """`reads` and `writes` name what is shared."""

    reads: frozenset[str] = _NOTHING
    writes: frozenset[str] = _NOTHING

    def hinder(self, other: Effects) -> bool:
        """Whether one has to wait for the other."""
        return bool(self.writes & (other.reads | other.writes) or other.writes & self.reads)

    def __or__(self, other: Effects) -> Effects:
        return Effects(reads=self.reads | other.reads, writes=self.writes | other.writes)


UNSEEN = Effects(reads=EVERYTHING, writes=EVERYTHING)
#: What is imported and touches nothing by itself; `os` is looked at by its names.
_HARMLESS = frozenset(
    """
    __future__ base64 calendar collections copy csv dataclasses datetime decimal enum fractions functools gzip
    hashlib io itertools json math numpy operator os pandas pyarrow re requests statistics string textwrap time
    typing unicodedata urllib uuid zipfile zlib zoneinfo
    """.split()
)
#: Mage's modules, by the store that they reach.
_MAGE = {
    "mage_ai.data_cleaner": _NOTHING,
    "mage_ai.data_preparation.decorators": _NOTHING,
    "mage_ai.data_preparation.repo_manager": _NOTHING,
    "mage_ai.data_preparation.shared.secrets": _NOTHING,
    "mage_ai.io.bigquery": frozenset((BIGQUERY,)),
    "mage_ai.io.config": _NOTHING,
    "mage_ai.io.duckdb": frozenset((DUCKDB,)),
    "mage_ai.io.file": frozenset((PATHS,)),
    "mage_ai.io.google_cloud_storage": frozenset((PATHS,)),
    "mage_ai.io.postgres": frozenset((POSTGRES,)),
    "mage_ai.io.s3": frozenset((PATHS,)),
    "mage_ai.settings.repo": _NOTHING,
}
#: Names that can do anything: run other code, change what all share, or leave something for other blocks.
_UNSEEN_NAMES = frozenset(
    """
    __import__ breakpoint compile context delattr eval exec exit getattr get_global_variable import_module input locals
    open quit set_global_variable setattr vars
    """.split()
)
#: What changes the process: options of libraries, the working folder, random numbers that are drawn in turn.
_PROCESS_NAMES = frozenset(
    """
    chdir errstate field_size_limit getcontext localcontext option_context options putenv random
    register_dataframe_accessor register_dialect register_series_accessor reset_option sample seed set_cpu_count
    set_io_thread_count set_memory_pool set_option set_printoptions setcontext seterr tzset umask unregister_dialect
    unsetenv
    """.split()
)
_READS_PATHS = frozenset(
    """
    ExcelFile ORCFile ParquetDataset ParquetFile dataset exists fromfile genfromtxt getmtime getsize input_stream isdir
    isfile loadtxt memory_map open_csv open_json read_csv read_excel read_feather read_fwf read_hdf read_html
    read_json read_metadata read_orc read_pandas read_parquet read_pickle read_sas read_schema read_spss read_stata
    read_table read_xml
    """.split()
)
_WRITES_PATHS = frozenset(
    """
    AzureFileSystem CSVWriter ExcelWriter FileIO FileSystem GcsFileSystem GzipFile HDFStore HadoopFileSystem
    LocalFileSystem ORCWriter OSFile ParquetWriter PyFileSystem S3FileSystem SubTreeFileSystem ZipFile
    copy_files extract extractall from_uri memmap new_file new_stream open_memmap output_stream save savetxt
    savez savez_compressed to_csv to_excel to_feather to_hdf to_html to_json to_latex to_orc to_parquet
    to_pickle to_stata to_xml tofile urlretrieve write_csv write_dataset write_feather write_metadata
    write_table write_to_dataset
    """.split()
)
_WRITES_STORES = frozenset(("read_gbq", "read_sql", "read_sql_query", "read_sql_table", "to_gbq", "to_sql"))
_ASKS = frozenset(("get", "head", "urlopen"))
_TELLS = frozenset(("Request", "Session", "delete", "patch", "post", "put", "request", "session"))
#: What a connector does that is more than to read.
_CHANGES = frozenset(("commit", "conn", "cursor", "execute", "execute_queries", "execute_query_raw", "export"))
#: What gives a store SQL, and not only rows.
_ASKS_STORES = (_CHANGES | {"load"}) - {"commit", "export"}
#: Of `os` what only looks.
_OS = frozenset(("environ", "getcwd", "getenv", "path", "sep"))


def effects_of(block: Block) -> Effects:
    """What the block may touch. One that runs in a process of its own shares none with others."""
    found = _of_block(block)
    if not block.in_process:
        return found
    return Effects(reads=found.reads - {PROCESS}, writes=found.writes - {PROCESS})


def may_write(block: Block) -> bool:
    """Whether the block leaves something that is there after the run, and twice when it runs twice, as far as it shows.

    Where its file does not show it, its type says so: loaders, transformers and sensors are not there to write.
    """
    if block.language == "sql":
        said = block.configuration
        return bool(said.get("use_raw_sql")) or said.get("export_write_policy") != "replace"
    is_seen = block.language == "python" and block.path is not None and block.path.is_file()
    found = _of_source(block.path.read_bytes(), False) if is_seen and block.path else UNSEEN
    if block.type == "data_exporter" or found == UNSEEN:
        return block.type not in ("data_loader", "transformer", "sensor")
    return bool(found.writes - {PROCESS})


def _of_block(block: Block) -> Effects:
    said = block.configuration.get("side_by_side")
    if said is True:
        return Effects()
    is_plain = block.type in ("data_loader", "data_exporter", "transformer") and not block.is_dynamic
    if said is False or not is_plain or block.callbacks or block.conditions or block.streams:
        return UNSEEN
    if block.language == "sql":  # it may read files and buckets as well (external tables), and the environment
        return Effects(reads=_STORES | {PROCESS}, writes=_STORES)
    if block.language != "python" or block.path is None:
        return UNSEEN
    return _of_source(block.path.read_bytes(), block.type == "data_exporter")


@functools.lru_cache(maxsize=256)
def _of_source(source: bytes, is_exporter: bool) -> Effects:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return UNSEEN
    nodes = list(ast.walk(tree))
    stores = _stores(nodes)
    names = set(_names(nodes))
    if stores is None or names & _UNSEEN_NAMES:
        return UNSEEN
    found = Effects(reads=frozenset((PROCESS,)) | stores)
    imported = _bound(nodes)
    if names & _PROCESS_NAMES or _hands_on_environ(nodes) or any(_changes_process(node, imported) for node in nodes):
        found |= Effects(writes=frozenset((PROCESS,)))
    if is_exporter or names & _CHANGES:
        found |= Effects(writes=stores)
    if stores & {BIGQUERY, DUCKDB} and (not is_exporter or names & _ASKS_STORES):  # perhaps for an external table
        found |= Effects(reads=frozenset((PATHS,)))
    if PATHS in stores and not is_exporter:  # FileIO opens addresses, too
        found |= Effects(reads=frozenset((HTTP,)))
    if "load" in names and imported & {"np", "numpy"}:
        names.add("fromfile")
    for listed, more in _BY_NAME:
        if names & listed:
            found |= more
    return found


_BY_NAME = (
    (_READS_PATHS, Effects(reads=frozenset((PATHS, HTTP)))),
    (_WRITES_PATHS, Effects(reads=frozenset((PATHS,)), writes=frozenset((PATHS,)))),
    (_WRITES_STORES, Effects(reads=_STORES, writes=_STORES)),
    (_ASKS, Effects(reads=frozenset((HTTP,)))),
    (_TELLS, Effects(writes=frozenset((HTTP,)))),
)


def _stores(nodes: list[ast.AST]) -> frozenset[str] | None:
    """The stores of Mage's modules that are imported; None where something else is that is not known here."""
    found: frozenset[str] = _NOTHING
    for module, names in _imports(nodes):
        if module.split(".")[0] in _HARMLESS:
            if module == "os" and not names <= _OS:
                return None
            continue
        known = [name for name in _MAGE if module == name or module.startswith(f"{name}.")]
        if not known:
            return None
        found |= _MAGE[known[0]]
    return found


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, frozenset[str]]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, _NOTHING) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." if node.level else node.module or "."), frozenset(alias.name for alias in node.names)


def _names(nodes: list[ast.AST]) -> Iterator[str]:
    """Every name and attribute that the file uses, and the keys of keyword arguments that it asks for."""
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            is_of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            yield node.attr if not is_of_os or node.attr in _OS else "exec"
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and node.value == "context":
            yield "context"
        elif isinstance(node, ast.arg):
            yield node.arg


def _changes_process(node: ast.AST, imported: frozenset[str]) -> bool:
    """Whether it sets an attribute of what was imported, or a variable of the environment."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("environ"):
        return node.attr not in ("copy", "get", "items", "keys", "values")
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
        text = ast.unparse(node.value)
        return text.endswith("environ") or (isinstance(node, ast.Attribute) and text.split(".")[0] in imported)
    return False


def _hands_on_environ(nodes: list[ast.AST]) -> bool:
    """Whether the environment has another name, or goes to something else, which may change it unseen."""
    looked_into = {id(node.value) for node in nodes if isinstance(node, (ast.Attribute, ast.Subscript))}
    looked_into |= {id(other) for node in nodes if isinstance(node, ast.Compare) for other in node.comparators}
    renamed = any(alias.name == "environ" and alias.asname for alias in nodes if isinstance(alias, ast.alias))
    named = [node for node in nodes if isinstance(node, (ast.Attribute, ast.Name)) and _last(node) == "environ"]
    return renamed or any(id(node) not in looked_into for node in named)


def _last(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _bound(nodes: list[ast.AST]) -> frozenset[str]:
    """The names under which the file has what it imports."""
    aliases = [alias for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names]
    return frozenset((alias.asname or alias.name).split(".")[0] for alias in aliases)
