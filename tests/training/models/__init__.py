import pytest

pytest.register_assert_rewrite("tests.training.models.battery")
