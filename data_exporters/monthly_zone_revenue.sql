-- Trips, revenue in dollars and averages of each month, pickup zone and service.
SELECT
    pickup_zone AS revenue_zone,
    date_trunc('month', pickup_datetime)::date AS revenue_month,
    service_type,
    round(sum(fare_amount)::numeric, 2) AS revenue_monthly_fare,
    round(sum(extra)::numeric, 2) AS revenue_monthly_extra,
    round(sum(mta_tax)::numeric, 2) AS revenue_monthly_mta_tax,
    round(sum(tip_amount)::numeric, 2) AS revenue_monthly_tip_amount,
    round(sum(tolls_amount)::numeric, 2) AS revenue_monthly_tolls_amount,
    round(sum(ehail_fee)::numeric, 2) AS revenue_monthly_ehail_fee,
    round(sum(improvement_surcharge)::numeric, 2) AS revenue_monthly_improvement_surcharge,
    round(sum(total_amount)::numeric, 2) AS revenue_monthly_total_amount,
    count(*) AS total_monthly_trips,
    avg(passenger_count) AS avg_monthly_passenger_count,
    avg(trip_distance) AS avg_monthly_trip_distance
FROM {{ df_1 }}
GROUP BY 1, 2, 3
