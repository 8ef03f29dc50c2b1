"""The modules of a project that its blocks import."""

from __future__ import annotations

from mage_project.project.modules import modules

FILES = {
    "data_loaders/load.py": "from helping.words import word\nfrom project.more import thing\n",
    "helping/__init__.py": "",
    "helping/words.py": "from . import numbers\nfrom .deep.inner import x\nimport json\n",
    "helping/numbers.py": "",
    "helping/deep/__init__.py": "",
    "helping/deep/inner.py": "from ..signs import plus\nfrom .... import nothing\n",
    "helping/signs.py": "import this is no python",
    "helping/unused.py": "",
    "more.py": "",
}


def test_what_they_import_is_followed_relative_imports_too(tmp_path):
    root = tmp_path / "project"
    for name, source in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    found = {str(path.relative_to(root)) for path in modules(root, root / "data_loaders/load.py")}
    assert found == FILES.keys() - {"data_loaders/load.py", "helping/unused.py"}
