"""Write the trips to a table in BigQuery, in place of what it held."""

from os import path

from mage_ai.io.bigquery import BigQuery
from mage_ai.io.config import ConfigFileLoader
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def trips_to_bigquery(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        dataset: the dataset, made if it is not there
        bigquery_table: the table, made from the types of the columns

    Account and location are those of the profile `default` of io_config.yaml.
    """
    table = f"{kwargs.get('dataset', 'ny_taxi')}.{kwargs.get('bigquery_table', 'green_taxi')}"
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    BigQuery.with_config(config).export(trips, table, if_exists="replace")
