"""Load each month of the trips into a table in Postgres exactly once: a partition for each month."""

import sys
from os import path

from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.month_loads import load_months
from taxi.month_tables import MonthTable


@data_exporter
def month_to_postgres(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        schema, table: the table, made if it is not there; {service} in its name is the trips' service
            (quote a name that begins with it: --var 'table="{service}_2"')
        reload: true to write a month anew although it is loaded, unchanged

    The connection is the profile `default` of io_config.yaml. taxi/month_tables.py says what is guaranteed.
    """
    schema, name = kwargs.get("schema", "taxi"), kwargs.get("table", "{service}_trips")
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with Postgres.with_config(config) as loader:

        def table_of(service):
            return MonthTable(loader, schema, name.format(service=service))

        for line in load_months(trips, table_of, reload=kwargs.get("reload", False)):
            print(line)
