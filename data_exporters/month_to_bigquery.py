"""Load each month of the trips into a table in BigQuery exactly once: a partition for each month."""

import sys
from contextlib import closing
from os import path
from pathlib import Path
from tempfile import TemporaryDirectory

from mage_ai.io.config import ConfigFileLoader
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.load_jobs import bigquery_client
from taxi.month_loads import load_months
from taxi.month_partitions import MonthPartitions


@data_exporter
def month_to_bigquery(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        dataset, bigquery_table: the table, made if it is not there; {service} in its name is the trips' service
        reload: true to write a month anew although it is loaded, unchanged

    Account and location are those of the profile `default` of io_config.yaml. taxi/month_partitions.py says what is
    guaranteed.
    """
    name = f"{kwargs.get('dataset', 'taxi')}.{kwargs.get('bigquery_table', '{service}_trips')}"
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with closing(bigquery_client(config)) as client, TemporaryDirectory() as folder:

        def table_of(service):
            return MonthPartitions(client, name.format(service=service), folder=Path(folder))

        for line in load_months(trips, table_of, reload=kwargs.get("reload", False)):
            print(line)
