from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import CHROMIUM, OPTIONS
from training.promotion.contest import Contest
from training.report.comparison import Comparison, gather
from training.report.contents import lay_out
from training.report.example_users import Suggestion
from training.report.folder import shows, write_report
from training.report.html import to_html
from training.report.page import Page, Picture, Table, Text
from training.tracking.versions import LiveVersion

HOSTILE = "<script>alert('x')</script> | *A* [link](http://x.test) `code` & &lt; _B_ ~~C~~ \\ $D$ \"'>"


class Reader(HTMLParser):
    """What a page shows, and the tags that it consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def section(page: Page, title: str) -> tuple[str, list[Table], list[str]]:
    """A section's text, its tables and the names of its pictures."""
    parts = next(section.parts for section in page.sections if section.title == title)
    text = " ".join(f"{part.lead} {part.text}" for part in parts if isinstance(part, Text))
    pictures = [part.name for part in parts if isinstance(part, Picture)]
    return text, [part for part in parts if isinstance(part, Table)], pictures


def with_titles(comparison: Comparison, title: str) -> Comparison:
    user = comparison.example_users[0]
    lists = {name: [Suggestion(title, True)] for name in user.lists}
    return replace(comparison, example_users=[replace(user, user_id=title, liked_in_test=[title], lists=lists)])


@pytest.mark.long
def test_the_best_of_each_column_is_marked(contest: Contest) -> None:
    page = lay_out(gather(contest, "abc"))
    _, (accuracy,), pictures = section(page, "Accuracy")
    assert pictures == ["ndcg_by_k"]
    ndcg = accuracy.head.index("ndcg@10")
    svd, popularity = (row[ndcg] for row in accuracy.rows)
    assert float(svd.text) > float(popularity.text)
    assert (svd.mark, popularity.mark) == ("best", "")
    _, (beyond, *_), _ = section(page, "Beyond accuracy")
    gini = [row[beyond.head.index("gini@10")] for row in beyond.rows]
    assert min(gini, key=lambda cell: float(cell.text)).mark == "best"
    short = [row[beyond.head.index("short_lists@10")] for row in beyond.rows]
    assert [cell.mark for cell in short] == ["", ""]  # all alike


@pytest.mark.long
def test_cold_films_have_a_table_with_chance_and_a_plot(contest: Contest) -> None:
    text, (table,), pictures = section(lay_out(gather(contest, "")), "Cold films")
    assert "before the test: 1. Test users who liked one of them: 1." in text
    assert [row[0].text for row in table.rows] == ["test_svd", "popularity", "chance"]
    assert pictures == ["cold_recall"]


@pytest.mark.long
def test_the_weights_of_a_blend_are_listed_and_who_is_left_out(contest: Contest) -> None:
    comparison = gather(contest, "")
    first = comparison.candidates[0]
    blend = replace(first, training={**first.training, "params": {"weights": {"ease": 1.5, "lightfm": 0}}})
    text, _, _ = section(lay_out(replace(comparison, candidates=[blend])), "Learning and cost")
    assert "Weights of test_svd: ease 1.50, lightfm 0.00 (left out)." in text
    assert "Events in" not in text
    events = {"alike": 0.25, "weighed": 0.3, "used": True}
    learned, unable = (replace(first, training={**first.training, "event_weights": each})
                       for each in (events, {**events, "weighed": None}))  # fmt: skip
    text, _, _ = section(lay_out(replace(comparison, candidates=[learned, unable])), "Learning and cost")
    assert "Events in test_svd: ndcg@10 on validation 0.2500 with all positives alike, 0.3000 weighed; so" in text
    assert "Events in test_svd: all positives count alike, as the family can't weigh them." in text


@pytest.mark.long
def test_one_candidate_without_popularity_live_version_and_cold_films(cold_free: Contest, tmp_path: Path) -> None:
    page = lay_out(gather(cold_free, ""))
    text, tables, pictures = section(page, "Cold films")
    assert "before the test: 1. No test user liked one of them." in text
    assert (tables, pictures) == ([], [])
    _, (differences,), _ = section(page, "Differences")
    assert [[cell.text for cell in row[:2]] for row in differences.rows] == [["test_svd", "popularity"]]
    assert differences.rows[0][1].detail == f"with {cold_free.popularity['ndcg@10'].mean():.4f}"
    marks = {cell.mark for part in page.sections[:7] for table in part.parts if isinstance(table, Table)
             for row in table.rows for cell in row}  # fmt: skip
    assert marks == {""}
    assert "Live when this was written: no version." in section(page, "This run")[0]
    write_report(tmp_path / "report", gather(cold_free, ""))
    assert "Recall when only" not in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.long
def test_a_live_version_that_cannot_be_compared_with_is_explained(contest: Contest) -> None:
    page = lay_out(gather(replace(contest, live_version=LiveVersion("3", None)), ""))
    assert "live version 3 has no recipe to compare with" in section(page, "Differences")[0]
    assert "Live when this was written: version 3; live version 3 has no recipe" in section(page, "This run")[0]


@pytest.mark.long
def test_html_shows_a_hostile_title_as_text(contest: Contest) -> None:
    reader = Reader(to_html(lay_out(with_titles(gather(contest, ""), HOSTILE))))
    assert "script" not in reader.tags
    assert "a" in reader.tags  # the page's own table of contents
    assert "".join(reader.texts).count(HOSTILE) == 5  # heading and link to it, what was liked, a hit in each list


def test_the_folder_holds_one_page_that_needs_nothing_else(contest: Contest, tmp_path: Path) -> None:
    folder = tmp_path / "comparison"
    write_report(folder, gather(contest, "5e6f"))
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    page = (folder / "report.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 6
    assert "src=" not in page.replace('src="data:image/png;base64,', "")
    assert shows(folder, "5e6f")
    assert not shows(folder, "f00d")
    assert not shows(tmp_path / "nowhere", "5e6f")


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_browser_shows_it_whole_at_any_width_and_asks_for_nothing(contest: Contest, tmp_path: Path) -> None:
    write_report(tmp_path / "comparison", with_titles(gather(contest, ""), HOSTILE))
    address, asked = (tmp_path / "comparison" / "report.html").as_uri(), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            page = browser.new_page()
            page.on("request", lambda request: asked.append(request.url.split(",")[0]))
            page.on("console", lambda message: asked.append(message.text))
            page.goto(address)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        finally:
            browser.close()
    assert set(asked) <= {address, "data:image/png;base64"}
