if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer

SNAKE_CASE = {
    "VendorID": "vendor_id",
    "RatecodeID": "ratecode_id",
    "PULocationID": "pu_location_id",
    "DOLocationID": "do_location_id",
}


@transformer
def transform(data, *args, **kwargs):
    data = data[(data["passenger_count"] > 0) & (data["trip_distance"] > 0)].copy()
    data["tpep_pickup_date"] = data["tpep_pickup_datetime"].dt.date
    return data.rename(columns=SNAKE_CASE)
