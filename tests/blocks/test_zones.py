"""The zone lookup, and column names as all stores have them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from tests.blocks.conftest import DATA, PROJECT, Block

LOADER = "data_loaders/load_taxi_zones"
STANDARDISE = "transformers/standardise_column_names"


def test_the_sample_has_tlc_s_265_zones(block: Block) -> None:
    loading = block(LOADER)
    zones = loading.load_taxi_zones(source="sample_data")
    assert zones.shape == (265, 4)
    assert zones["LocationID"].dtype == pd.ArrowDtype(pa.int32())
    assert loading.test_there_are_265_zones(zones) == "zones 1 to 265 in 7 boroughs"
    loading.test_the_unknown_zones_are_there(zones)


def test_words_that_look_like_missing_values_stay_words(block: Block) -> None:
    zones = block(LOADER).load_taxi_zones(source="sample_data").set_index("LocationID")
    assert not zones.isna().any().any()
    assert zones.loc[[264, 265], "Zone"].tolist() == ["NV", "NA"]
    assert zones.loc[265, "service_zone"] == "N/A"


def test_the_published_zones_are_those_of_the_sample(block: Block) -> None:
    if not (DATA / "misc" / "taxi_zone_lookup.csv").is_file():
        pytest.skip(f"no published zones in {DATA}")
    load = block(LOADER).load_taxi_zones
    pd.testing.assert_frame_equal(load(source=str(DATA)), load(source="sample_data"))


def test_a_zone_that_is_missing_is_caught(block: Block, tmp_path: Path) -> None:
    (tmp_path / "misc").mkdir()
    shutil.copy(PROJECT / "sample_data" / "misc" / "taxi_zone_lookup.csv", tmp_path / "misc")
    path = tmp_path / "misc" / "taxi_zone_lookup.csv"
    path.write_text(path.read_text().replace('7,"Queens","Astoria","Boro Zone"\n', "", 1))
    loading = block(LOADER)
    with pytest.raises(AssertionError, match="264 zones"):
        loading.test_there_are_265_zones(loading.load_taxi_zones(source=str(tmp_path)))


def test_names_get_lower_case_and_no_blanks(block: Block) -> None:
    frame = pd.DataFrame({"VendorID": [1], "Pickup Borough ": ["Queens"], "tip_amount": [2.5]})
    renamed = block(STANDARDISE).standardise_column_names(frame)
    assert list(renamed.columns) == ["vendorid", "pickup_borough", "tip_amount"]
    assert list(frame.columns) == ["VendorID", "Pickup Borough ", "tip_amount"]
    block(STANDARDISE).test_names_are_in_lower_case_without_blanks(renamed)


def test_columns_that_get_the_same_name_are_caught(block: Block) -> None:
    standardising = block(STANDARDISE)
    renamed = standardising.standardise_column_names(pd.DataFrame({"Zone": [1], "zone": [2]}))
    with pytest.raises(AssertionError, match="the same name"):
        standardising.test_names_are_different(renamed)
