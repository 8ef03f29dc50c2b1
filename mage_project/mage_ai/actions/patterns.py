"""What numbers, dates, addresses and codes look like as texts, as Mage sees them."""

from __future__ import annotations

import re

_BEFORE = r"(?:[$€¥₹£]|Rs|CAD)?\s*"
_AFTER = r"\s*(?:[元€$]|CAD)?"
_DIGITS = r"(?:\d+(?:,\d+)*)?"


def _amount(decimals: str) -> str:
    """A number that may be negative, with a currency before or behind it."""
    number = f"{_DIGITS}{decimals}"
    return rf"-?\s*(?:{_BEFORE}{number}|{number}{_AFTER})"


INTEGER = re.compile(rf"^{_amount('(?:[.]0*)?')}$", re.ASCII)
NUMBER = re.compile(rf"^{_amount('(?:[.][0-9]*)?')}\s*%?$", re.ASCII)

_TIME = r"[Tt ]\d{1,2}:\d{1,2}:?\d{1,2}\.?\d*"
_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?)"
)
DATETIME = re.compile(
    "|".join(
        [
            r"^\d{2,4}-\d{1,2}-\d{1,2}$",
            rf"^\d{{2,4}}-\d{{1,2}}-\d{{1,2}}{_TIME}",
            r"^\d{1,4}[-/]\d{1,2}[-/]\d{1,2}$",
            r"^\d{1,2}[-/]\d{1,2}[-/]\d{1,4}$",
            rf"^\d{{1,2}}[-/]\d{{1,2}}[-/]\d{{2,4}}{_TIME}",
            rf"{_MONTH}\s+\d{{1,2}}[\s,]+\d{{2,4}}",
        ]
    )
)
EMAIL = re.compile(r"^[\w.+#-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+$", re.ASCII)
LIST = re.compile(r"^[\[(][^\n\r]*[\])]$")
PHONE_NUMBER = re.compile(r"^\s*(?:\+?\d{1,3})?[-. (]*\d{3}[-. )]*\d{3}[-. ]*\d{4}(?: *x\d+)?\s*$")
ZIP_CODE = re.compile(r"^\d{3,5}(?:[-\s]\d{4})?$")
