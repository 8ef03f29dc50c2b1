-- Ten rows of the table that the exporter has just written. Variables of the pipeline: schema, table.
SELECT *
FROM {{ schema }}.{{ table }}
ORDER BY tpep_pickup_datetime
LIMIT 10;
