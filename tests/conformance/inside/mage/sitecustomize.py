"""Loaded by every Python of real Mage on found projects: one key stands in for those that only their authors had."""

import os
import runpy

KEY = "GOOGLE_APPLICATION_CREDENTIALS"
_set = type(os.environ).__setitem__


def set_existing(environ, name, value):
    if name == KEY and not os.path.exists(value):  # noqa: PTH110 - pathlib's import takes longer
        value = os.environ["CONFORMANCE_KEY"]
    _set(environ, name, value)


type(os.environ).__setitem__ = set_existing
runpy.run_path(os.path.join(os.path.dirname(os.path.dirname(__file__)), "sitecustomize.py"))  # noqa: PTH118, PTH120
