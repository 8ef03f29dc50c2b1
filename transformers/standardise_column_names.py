"""Name the columns in lower case, with _ for blanks: VendorID becomes vendorid, as it does in Postgres."""

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test


@transformer
def standardise_column_names(frame, *args, **kwargs):
    """Takes any frame and returns its rows as they are."""
    return frame.rename(columns=lambda name: name.strip().replace(" ", "_").lower())


@test
def test_names_are_in_lower_case_without_blanks(frame, *args):
    odd = [name for name in frame.columns if name != name.lower() or " " in name]
    assert not odd, f"not standardised: {odd}"


@test
def test_names_are_different(frame, *args):
    assert frame.columns.is_unique, f"some columns have the same name now: {list(frame.columns)}"
