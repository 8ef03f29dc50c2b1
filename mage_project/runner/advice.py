"""What to do about errors that Python or a library raised in a block, where that can be told."""

from __future__ import annotations

import ast
import shlex
import sys
from pathlib import Path

from mage_project.mage_ai.finder import ROOT
from mage_project.project import Block
from mage_project.runner.clues import clue

#: Distributions whose name is not that of the module, of those that blocks import.
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "googleapiclient": "google-api-python-client",
    "PIL": "pillow",
    "mysql": "mysql-connector-python",
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "snowflake": "snowflake-connector-python",
    "yaml": "PyYAML",
}


def advice(block: Block, error: BaseException, *, is_call: bool = False) -> str | None:
    """The next step; None where only the one who wrote the block knows it. `is_call`: its function was never begun."""
    absent = error.__cause__ if isinstance(error, ImportError) and error.__cause__ else error
    if isinstance(absent, ModuleNotFoundError) and absent.name:
        return to_install(block, absent.name)
    if is_call and isinstance(error, TypeError):
        return _to_take(block)
    return clue(block, error)


def to_install(block: Block, module: str) -> str | None:
    """How to get a module; None for a part of a package that is there, as `mage_ai` always is."""
    from importlib import metadata  # it costs a moment, which a run that fails has

    top = module.split(".")[0]
    if top == ROOT:
        return None
    if block.path and any((folder / top).is_dir() for folder in list(block.path.parents)[1:3]):
        return f"the project has a folder {top}, but no {module.replace('.', '/')}.py in it"
    if block.path and (root := _own(block.path, top)):
        if root.name == top:  # a folder above the project, with several of them
            return f"'{top}' is the folder {root}: export PYTHONPATH={shlex.quote(str(root.parent))}"
        link = shlex.join(["ln", "-s", str(root), str(root.with_name(top))])
        return f"'{top}' is what this project's folder is called elsewhere: {link}"
    named = next((name for name in (module, top) if name in _DISTRIBUTIONS), None)
    if named is None and top in metadata.packages_distributions():
        return None
    distribution = _DISTRIBUTIONS[named] if named else top.replace("_", "-")
    return f"{_python()} -m pip install {distribution}"


def _own(path: Path, top: str) -> Path | None:
    """The project's folder, or one above it, where the file imports a module that lies there as if it was `top`."""
    if path.suffix != ".py":
        return None
    tree = ast.parse(path.read_bytes())
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    below = [name.split(".")[1:] for name in named if name.startswith(f"{top}.")]
    deep = [Path(*parts).with_suffix(".py") for parts in below if len(parts) > 1]  # many a library has its own utils
    return next((root for root in list(path.parents)[1:4] for file in deep if (root / file).is_file()), None)


def _python() -> str:
    """The interpreter that runs the blocks, as short as a shell finds it."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _to_take(block: Block) -> str:
    if not block.upstream:
        return "the block has no upstream_blocks, so its function is given nothing by position: write (*args, **kwargs)"
    given = ", ".join(block.upstream)
    return f"its function is given {len(block.upstream)} by position ({given}), and what else there is to **kwargs"
