"""Makes DuckDB trust one more authority: of all libraries it alone has no variable for that."""

import importlib.abc
import importlib.util
import sys


class Finder(importlib.abc.MetaPathFinder):
    """Finds DuckDB where it is, and changes how it connects once it is loaded."""

    def __init__(self, authority):
        self.authority = authority

    def find_spec(self, name, path=None, target=None):
        if name != "duckdb":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (load(module), trust(module, self.authority))
        return spec


def trust(duckdb, authority):
    connect = duckdb.connect

    def trusting(*args, **kwargs):
        connection = connect(*args, **kwargs)
        try:
            connection.execute("INSTALL httpfs; LOAD httpfs")
            connection.execute(f"SET GLOBAL ca_cert_file = '{authority}'")
        except duckdb.Error:  # no such extension for this version: then it reads no addresses either
            pass
        return connection

    duckdb.connect = trusting


def install(authority):
    sys.meta_path.insert(0, Finder(authority))
