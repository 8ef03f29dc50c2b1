"""The report of monthly_zone_revenue beside the trips that it was made of: the same number, the same dollars."""

from os import path

from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

SUMS = """
SELECT *
FROM (
    SELECT service_type, count(*) AS trips, sum(total_amount) AS dollars
    FROM {schema}.trips_with_zones GROUP BY 1
) AS made_of
FULL JOIN (
    SELECT service_type, count(*) AS lines, sum(total_monthly_trips) AS reported,
        sum(revenue_monthly_total_amount)::float8 AS reported_dollars
    FROM {schema}.monthly_zone_revenue GROUP BY 1
) AS report USING (service_type)
ORDER BY service_type
"""


@data_loader
def compare_zone_revenue(*args, **kwargs):
    """
    Variables of the pipeline:
        report_schema: the schema of the tables trips_with_zones and monthly_zone_revenue

    Returns one row for each service.
    """
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")
    with Postgres.with_config(config) as loader:
        return loader.load(SUMS.format(schema=kwargs.get("report_schema", "ny_taxi")))


@test
def test_every_trip_is_counted_once(sums, *args):
    assert (sums["trips"] == sums["reported"]).all(), f"trips and what is reported of them differ:\n{sums}"
    counts = sums[["service_type", "trips", "lines"]].itertuples(index=False)
    return "\n".join(f"{service}: {trips:,.0f} trips in {lines:,.0f} lines" for service, trips, lines in counts)


@test
def test_every_dollar_is_counted_once(sums, *args):
    assert ((sums["dollars"] - sums["reported_dollars"]).abs() < 0.005).all(), f"the sums differ:\n{sums}"
    return f"{sums['dollars'].sum():,.2f} dollars"
