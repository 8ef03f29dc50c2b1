"""Real Mage and the runner beside each other."""

import pytest

pytest.register_assert_rewrite("tests.conformance.comparing")
