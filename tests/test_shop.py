"""A shop without films, years or ratings comes from parquet to the page, and nothing but params.yaml is told of it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from app.settings import Settings
from tests.browser import CHROMIUM, browser_page
from tests.processes import free_port, wait_until
from tests.service import service
from tests.training.world import ROOT, change_params, run_stages
from training.fetch import CATALOGUE, fetch
from training.params.whole import load_params
from training.prepare import prepare
from training.project import Project
from training.propose import column_of, propose

KINDS = {"lamp": "glass light bulb shade", "chair": "oak seat back legs", "rug": "wool woven floor soft", "pan": "iron"}
CITIES = ["Rome", "Oslo", "Lima", "Cairo"]  # of those who buy lamps, chairs, rugs and pans
PRODUCTS, BUYERS, BOUGHT = 120, 240, 9
UNSOLD = "sku-120"  # a pan
PROPOSED = {
    "price": "number", "brand": "tag", "colours": "tags", "in_stock": "flag", "since": "time", "description": "text",
    "look": "vector", "photo": "link", "ean": "text",
}  # fmt: skip


def write_shop(folder: Path) -> None:
    """Products of four kinds; everybody buys those of one kind, which brand, colour and words tell in part."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    kinds = [list(KINDS)[number % len(KINDS)] for number in range(PRODUCTS)]
    words = [rng.permutation([kind, *KINDS[kind].split(), "for", "your", "home"]) for kind in kinds]
    colours = np.array(["red", "blue", "green", "grey"])
    pd.DataFrame(
        {
            "item_id": [f"sku-{number + 1}" for number in range(PRODUCTS)],
            "title": [f"{kind.title()} {number + 1}" for number, kind in enumerate(kinds)],
            "price": np.where(rng.random(PRODUCTS) < 0.1, np.nan, rng.integers(100, 9900, PRODUCTS) / 100),
            "brand": [f"{kind.title()}s & Co" if rng.random() < 0.7 else "Other" for kind in kinds],
            "colours": [rng.choice(colours, 2, replace=False).tolist() for _ in kinds],
            "in_stock": rng.random(PRODUCTS) < 0.8,
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, PRODUCTS), "D"),
            "description": [" ".join(each) for each in words],
            "look": rng.normal(size=(PRODUCTS, 4)).round(3).tolist(),
            "photo": "/web/icon.svg",
            "ean": [f"E{number:05}" for number in range(PRODUCTS)],
        }
    ).to_parquet(folder / "items.parquet", index=False)
    sold = [np.arange(kind, PRODUCTS - 1, len(KINDS)) for kind in range(len(KINDS))]
    bought = [(buyer, item) for buyer in range(BUYERS) for item in rng.choice(sold[buyer % len(KINDS)], BOUGHT, False)]
    purchases = pd.DataFrame(bought, columns=["user_id", "item_id"])
    purchases["timestamp"] = pd.Timestamp("2026-11-01") + pd.to_timedelta(rng.permutation(len(bought)), "min")
    purchases["user_id"] = "buyer-" + purchases["user_id"].astype(str)
    purchases["item_id"] = "sku-" + (purchases["item_id"] + 1).astype(str)
    purchases.to_parquet(folder / "ratings.parquet", index=False)
    people = {"user_id": [f"buyer-{number}" for number in range(BUYERS + 1)]}  # the last has bought nothing
    people["city"] = [CITIES[number % len(KINDS)] if rng.random() < 0.8 else "Paris" for number in range(BUYERS + 1)]
    people["name"] = [f"Person {number}" for number in range(BUYERS + 1)]
    pd.DataFrame(people).to_parquet(folder / "users.parquet", index=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shop's model, with the columns that were proposed."""
    project = Project(tmp_path_factory.mktemp("shop"))
    write_shop(project.root / "own")
    changes: dict[str, Any] = {"fetch__csv_folder": str(project.root / "own"), "models__ease__embedding_size": 16}
    changes |= {"fetch__source": "parquet", "prepare__min_rating": None, "candidates": ["ease"]}
    params = change_params(project, **changes)
    assert "written into params.yaml" in propose(project, params, apply=True)
    params = load_params(project.params)
    fetch(params.fetch, params.seed, project.raw, params.catalogue)
    prepare(params, project.raw, project.prepared, project.stats)
    run_stages(project, params)
    return project


def test_a_column_of_the_sample_seems_to_be_what_params_yaml_says() -> None:
    films = pd.read_csv(CATALOGUE, keep_default_na=False, dtype=str)
    types = {name: column.type for name, column in load_params(ROOT / "params.yaml").catalogue.items.items()}
    assert {name: column_of(name, [text for text in films[name] if text])["type"] for name in types} == types


@pytest.mark.long
def test_the_proposal_knows_types_and_what_tells_something(project: Project) -> None:
    catalogue = load_params(project.params).catalogue
    assert {name: column.type for name, column in catalogue.users.items()} == {"city": "tag"}
    columns = catalogue.items
    assert {name: column.type for name, column in columns.items()} == PROPOSED
    learned = {name for name, column in columns.items() if column.learn}
    assert {"brand", "description"} <= learned
    assert columns["description"].scale != 1  # at which it tells less, of products that it was not learned from
    assert not learned & {"look", "photo", "ean", "in_stock"}


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_products_are_recommended_filtered_and_shown(project: Project, tmp_path: Path) -> None:
    settings = Settings(
        model_dir=project.served, mlflow_tracking_uri=f"http://127.0.0.1:{free_port()}",
        model_cache_dir=tmp_path / "cache", log_level="WARNING", events_url=f"sqlite:///{tmp_path}/events.db",
        catalogue_keys="ann:secret",
    )  # fmt: skip
    with service(settings, tmp_path / "log") as (client, _), browser_page() as page:
        wait_until(lambda: client.version() is not None)
        mine = client.get(f"/users/buyer-1/recommendations?filter={quote_plus('price < 60 AND colours:red')}").json[
            "items"
        ]
        assert {item["title"].split()[0] for item in mine[:3]} == {"Chair"}
        assert all(item["price"] < 60 and "red" in item["colours"] for item in mine)
        newcomer = client.post("/recommendations", {"attributes": {"city": "Lima"}, "k": 5}).json["items"]
        assert {item["title"].split()[0] for item in newcomer} == {"Rug"}
        # Nobody has bought it: what it is like follows from its columns.
        alike = client.get(f"/items/{UNSOLD}/similar?k=5").json["items"]
        assert [item["title"].split()[0] for item in alike].count("Pan") >= 4
        # A change brings it, and only words say what it is like.
        new = {"title": "Soft", "description": "wool woven under a table"}
        headers = {"X-API-Key": "secret", "Content-Type": "application/json"}
        assert client.get("/items/sku-new", "PUT", headers, json.dumps(new).encode()).status == 200
        alike = client.get("/items/sku-new/similar?k=5").json["items"]
        assert [item["title"].split()[0] for item in alike].count("Rug") >= 4
        page.goto(f"http://127.0.0.1:{client.port}/#user?id=buyer-2")
        first = page.get_by_role("list", name="Recommendations", exact=True).locator("li").first
        expect(first.locator(".title")).to_contain_text("Rug", timeout=30_000)
        expect(first.locator(".facts")).to_contain_text(" · 2026-")
        expect(first.locator("img.poster")).to_be_visible()
        page.goto(f"http://127.0.0.1:{client.port}/#new?of.city=Oslo")
        city = page.get_by_role("group", name="About you").get_by_label("city")
        expect(city).to_have_value("Oslo")
        expect(first.locator(".title")).to_contain_text("Chair")
        city.select_option("Lima")
        expect(first.locator(".title")).to_contain_text("Rug")
        assert page.url.endswith("#new?of.city=Lima")
