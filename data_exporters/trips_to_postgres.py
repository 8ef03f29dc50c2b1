"""Write the trips to a table in Postgres, in place of what it held."""

from os import path

from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def trips_to_postgres(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        schema: the schema, made if it is not there
        table: the table, made from the types of the columns

    The connection is the profile `default` of io_config.yaml.
    """
    schema = kwargs.get("schema", "mage")
    table = kwargs.get("table", "green_taxi")
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with Postgres.with_config(config) as loader:
        loader.export(trips, schema, table, index=False, if_exists="replace")
