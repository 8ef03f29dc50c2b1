-- Green and yellow trips under one set of names, with the zone of their pickup.
-- Variables of the pipeline: green_table, yellow_table, zones_table, each as schema.table.
-- Trips from or to an unknown zone (borough Unknown) are left out.
-- Postgres has the zone's name as _zone: Mage puts _ before names that are words of SQL.
WITH trips AS (
    SELECT
        'Green' AS service_type,
        lpep_pickup_datetime AS pickup_datetime,
        pu_location_id AS pickup_zone_id,
        do_location_id AS dropoff_zone_id,
        passenger_count, trip_distance,
        fare_amount, extra, mta_tax, tip_amount, tolls_amount, ehail_fee, improvement_surcharge, total_amount
    FROM {{ green_table }}
    UNION ALL
    SELECT
        'Yellow',
        tpep_pickup_datetime,
        pulocationid,
        dolocationid,
        passenger_count, trip_distance,
        fare_amount, extra, mta_tax, tip_amount, tolls_amount, 0, improvement_surcharge, total_amount
    FROM {{ yellow_table }}
)
SELECT trips.*, pickup._zone AS pickup_zone
FROM trips
JOIN {{ zones_table }} AS pickup ON pickup.locationid = trips.pickup_zone_id AND pickup.borough <> 'Unknown'
JOIN {{ zones_table }} AS dropoff ON dropoff.locationid = trips.dropoff_zone_id AND dropoff.borough <> 'Unknown'
