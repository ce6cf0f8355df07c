from dataclasses import replace

import numpy as np
import pytest

from app.contract.columns import Column
from app.model.item_fields import ItemFields
from tests.artifacts import Film, pack_films


@pytest.mark.parametrize("learn", [True, False])
def test_what_two_films_share_is_a_reason_only_if_models_learn_from_it(learn: bool) -> None:
    catalogue = pack_films([Film("Close", 2022, ["Drama"]), Film("Titane", 2021, ["Drama", "Horror"])])
    language = Column("language", "tag", learn=learn).filled(["fr", "fr"])
    fields = ItemFields(np.array([7, 8]), replace(catalogue, columns=(*catalogue.columns, language)))
    shared = {"genres": ["Drama"], "language": ["fr"]} if learn else {"genres": ["Drama"]}
    assert fields.reason(0, 1) == {"id": 7, "title": "Close", "shared": shared}
