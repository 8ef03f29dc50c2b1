"""The report of monthly_zone_revenue beside the trips that it was made of, and these beside all that were loaded."""

from os import path

from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.postgres import Postgres
from mage_ai.settings.repo import get_repo_path

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

TABLES = {
    "green_table": "mage.green_taxi",
    "yellow_table": "ny_taxi.yellow_cab_data",
    "zones_table": "ny_taxi.taxi_zones",
}
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
FULL JOIN (
    SELECT service_type, count(*) AS loaded, sum(total_amount) AS loaded_dollars,
        count(*) FILTER (WHERE NOT known) AS left_out,
        coalesce(sum(total_amount) FILTER (WHERE NOT known), 0) AS dollars_left_out
    FROM (
        SELECT service_type, total_amount,
            coalesce(pickup.borough <> 'Unknown' AND dropoff.borough <> 'Unknown', false) AS known
        FROM (
            SELECT 'Green' AS service_type, pu_location_id AS pickup_id, do_location_id AS dropoff_id, total_amount
            FROM {green_table}
            UNION ALL
            SELECT 'Yellow', pulocationid, dolocationid, total_amount FROM {yellow_table}
        ) AS trips
        LEFT JOIN {zones_table} AS pickup ON pickup.locationid = pickup_id
        LEFT JOIN {zones_table} AS dropoff ON dropoff.locationid = dropoff_id
    ) AS zoned
    GROUP BY 1
) AS loads USING (service_type)
ORDER BY service_type
"""


@data_loader
def compare_zone_revenue(*args, **kwargs):
    """
    Variables of the pipeline:
        report_schema: the schema of the tables trips_with_zones and monthly_zone_revenue
        green_table, yellow_table, zones_table: what trips_with_zones was made of

    Returns one row for each service.
    """
    tables = {name: kwargs.get(name, table) for name, table in TABLES.items()}
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")
    with Postgres.with_config(config) as loader:
        return loader.load(SUMS.format(schema=kwargs.get("report_schema", "ny_taxi"), **tables))


@test
def test_every_trip_is_counted_once(sums, *args):
    assert (sums["trips"] == sums["reported"]).all(), f"trips and what is reported of them differ:\n{sums}"
    counts = sums[["service_type", "trips", "lines"]].itertuples(index=False)
    return "\n".join(f"{service}: {trips:,.0f} trips in {lines:,.0f} lines" for service, trips, lines in counts)


@test
def test_every_dollar_is_counted_once(sums, *args):
    assert ((sums["dollars"] - sums["reported_dollars"]).abs() < 0.005).all(), f"the sums differ:\n{sums}"
    return f"{sums['dollars'].sum():,.2f} dollars"


@test
def test_only_trips_of_unknown_zones_are_left_out(sums, *args):
    assert (sums["trips"] + sums["left_out"] == sums["loaded"]).all(), f"other trips are missing too:\n{sums}"
    lost = sums["loaded_dollars"] - sums["dollars"] - sums["dollars_left_out"]
    assert (lost.abs() < 0.005).all(), f"other dollars are missing too:\n{sums}"
    figures = sums[["service_type", "left_out", "dollars_left_out"]].itertuples(index=False)
    return "\n".join(f"{service}: {trips:,.0f} trips, {dollars:,.2f} dollars" for service, trips, dollars in figures)
