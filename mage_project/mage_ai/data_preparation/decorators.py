"""mage_ai.data_preparation.decorators: they mark functions for the runner, and change nothing in plain Python.

Each works with and without arguments: `@data_loader` and `@data_loader()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.mage_ai import collecting as _collecting


def _marker(name: str) -> Callable[..., Any]:
    def decorate(*args: Any, **kwargs: Any) -> Any:
        collect = _collecting.collector(name)
        if collect is not None:
            return collect(*args, **kwargs)
        if len(args) == 1 and callable(args[0]):
            return args[0]
        return lambda function: function

    decorate.__name__ = decorate.__qualname__ = name
    return decorate


data_loader = _marker("data_loader")
transformer = _marker("transformer")
data_exporter = _marker("data_exporter")
custom = _marker("custom")
sensor = _marker("sensor")
condition = _marker("condition")
test = _marker("test")
callback = _marker("callback")
on_success = _marker("on_success")
on_failure = _marker("on_failure")
extension = _marker("extension")
preprocesser = _marker("preprocesser")
preprocesser_functions = _marker("preprocesser_functions")
streaming_source = _marker("streaming_source")
streaming_sink = _marker("streaming_sink")
data_source = _marker("data_source")
configuration = _marker("configuration")
render = _marker("render")
columns = _marker("columns")
x = _marker("x")
y = _marker("y")
xy = _marker("xy")
data_integration_source = _marker("data_integration_source")
data_integration_destination = _marker("data_integration_destination")
data_integration_catalog = _marker("data_integration_catalog")
data_integration_config = _marker("data_integration_config")
data_integration_query = _marker("data_integration_query")
data_integration_selected_streams = _marker("data_integration_selected_streams")


def collect_decorated_objs(decorated_objs: list[Any]) -> Callable[[Any], Any]:
    """A decorator that puts what it decorates into the list."""

    def collect(obj: Any) -> Any:
        decorated_objs.append(obj)
        return obj

    return collect
