import re
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel import yaml

from tests.training.world import ROOT, change_params
from training.__main__ import main
from training.errors import ParamsError
from training.models import make_family
from training.models.families import FAMILIES
from training.params.whole import load_params
from training.project import Project


def test_the_project_s_own_params_are_valid() -> None:
    params = load_params(ROOT / "params.yaml")
    for candidate in params.candidates:
        make_family(candidate, params.models[candidate])


def test_a_blend_s_member_has_the_parameters_of_its_own_section_but_for_what_differs(tmp_path: Path) -> None:
    models = change_params(Project(tmp_path), models__blend__members__ease={"regularization": 7.0}).models
    members = models["blend"]["members"]
    assert members["lightfm"] == models["lightfm"]
    assert members["ease"] == {**models["ease"], "regularization": 7.0}
    assert models["ease"]["regularization"] != 7


def test_no_value_is_a_yaml_alias_of_which_a_change_by_dvc_would_be_lost() -> None:
    tokens = yaml.YAML().scan(ROOT / "params.yaml")
    assert not [token for token in tokens if isinstance(token, yaml.AliasToken)]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fetch__sorce": "sample"}, r"fetch\.sorce is not a known key; did you mean source\?"),
        ({"prepare__split__tset": 0.2}, r"prepare\.split\.tset is not a known key; did you mean test\?"),
        ({"register__gate__banana": 1}, r"register\.gate\.banana is not a known key; known are confidence"),
        ({"fetch__source": "ml-2m"}, r"fetch\.source: input should be 'sample'.*, not 'ml-2m'"),
        ({"fetch__csv_folder": ""}, r"fetch\.csv_folder: string should match pattern '\\S', not ''"),
        ({"candidates": "lightfm"}, r"candidates: input should be a valid tuple, not 'lightfm'"),
        ({"seed": "42"}, r"seed: input should be a valid integer, not '42'"),
        ({"prepare__split__test": 1.2}, r"prepare\.split\.test: input should be less than 1, not 1\.2"),
        ({"prepare__split__test": 0.95}, r"validation \+ test must be below 1, not 1\.05"),
        ({"prepare__split__test": 0.9}, r"validation \+ test must be below 1, not 1$"),
        ({"select__metric": "ndgc@10"}, r"'ndgc@10' is not a metric; known are"),
        ({"select__metric": "ndcg@7"}, r"select\.metric 'ndcg@7' needs 7 in evaluate\.at \[5, 10, 20, 50\]"),
        ({"candidates": []}, r"candidates: "),
        ({"events__types": {"like": {"means": "seen"}}}, r"events\.types: 'like' has a meaning that can't be changed"),
        ({"register__trial__success": ["hide"]}, r"success: hide is not a success; choose from rating, like, watch"),
        ({"candidates": ["lightfm", "lightfm"]}, r"candidates: 'lightfm' occurs 2 times"),
        ({"evaluate__at": [10, 5, 10]}, r"evaluate\.at: 10 occurs 2 times"),
        ({"evaluate__segments": [20, 20]}, r"evaluate\.segments: the second must be above the first, not \[20, 20\]"),
        ({"register__gate__confidence": float("nan")}, r"register\.gate\.confidence: input should be a finite number"),
    ],
)
def test_a_wrong_value_is_named_with_the_remedy(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParamsError, match=rf"params\.yaml: .*{sentence}"):
        change_params(Project(tmp_path), **changes)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("seed: 42", ""))
    with pytest.raises(ParamsError, match="seed is missing"):
        load_params(path)


def test_a_number_in_exponent_notation_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("3.0e-4", "3e-4"))
    assert load_params(path).models["lightfm"]["item_alpha"] == 0.0003


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: [", "is not valid YAML"),
        ("a: 1\na: 2", "is not valid YAML"),
        ("a: 2001-99-99", "is not valid YAML"),
        (b"a: \xff", "is not valid YAML"),
        (f"a: {'9' * 5000}", "valid"),
        ("", "valid"),
        ("- 1", "valid"),
        ("[" * 500, "too many brackets or levels inside one another"),
        ("seed: " + "{a: " * 3000, "too many brackets or levels inside one another"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ParamsError, match=sentence):
        load_params(path)


@pytest.mark.parametrize(
    "content",
    [
        "".join(f"key{number}: 1\n" for number in range(1000)),
        f"seed: {'x' * 10_000}",
        f"seed: [{', '.join('1' * 1000)}]",
        "a: &a [x, x, x, x]\n"
        + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmn"))
        + "seed: *n",
    ],
    ids=["many keys", "a long text", "a long list", "a list of lists of lists"],
)
def test_an_error_stays_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(ParamsError, match=r"and [0-9]+ more errors$") as error:
        load_params(path)
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize(("keys", "end"), [(5, "; key4"), (6, "and 1 more errors")])
def test_up_to_five_errors_are_told(tmp_path: Path, keys: int, end: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text() + "".join(f"key{number}: 1\n" for number in range(keys)))
    with pytest.raises(ParamsError) as error:
        load_params(path)
    assert ("more errors" in str(error.value)) == (keys > 5)
    assert end in str(error.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"models__ease__regularization": "much"}, r"models\.ease: regularization: .* not 'much'"),
        ({"models__blend__members__ease__max_items": 0}, r"models\.blend\.members\.ease: max_items: .* not 0"),
        ({"models__blend__members__esae": {}}, r"'esae' is not a model family; known are .*lightfm"),
        ({"models__esae": {}}, r"'esae' is not a model family; known are .*lightfm"),
        ({"candidates": ["lightfn"]}, r"'lightfn' is not a model family; known are .*lightfm"),
    ],
)
def test_a_wrong_parameter_of_a_family_is_found_before_anything_is_trained(
    tmp_path: Path, changes: dict[str, object], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_params(Project(tmp_path), **changes)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=rf"^check: params\.yaml: {sentence}"):
        main(["check"])


def test_a_candidate_without_parameters_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, removed = re.subn(r"  popularity:\n    half_life.*\n", "", (ROOT / "params.yaml").read_text())
    assert removed
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for command in ("check", "code"):
        with pytest.raises(SystemExit, match=rf"^{command}: params\.yaml: candidates: 'popularity' has no parameters"):
            main([command])


def test_the_project_s_own_params_pass_in_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    main(["check"])
    assert capsys.readouterr() == ("", "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml can't be read .*; run from the project's folder"):
        load_params(tmp_path / "params.yaml")


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    known = ", ".join(FAMILIES)
    with pytest.raises(ParamsError, match=f"'lightfn' is not a model family; known are {known}"):
        make_family("lightfn", {})


def test_an_unknown_parameter_of_a_family_is_refused() -> None:
    params = load_params(ROOT / "params.yaml").models["lightfm"]
    with pytest.raises(ParamsError, match=r"models\.lightfm: epoch is not a known key; did you mean epochs\?"):
        make_family("lightfm", {**params, "epoch": 3})


def test_every_family_has_parameters_in_params_yaml() -> None:
    assert set(FAMILIES) == set(load_params(ROOT / "params.yaml").models)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_every_seed_that_numpy_takes_is_accepted(tmp_path: Path, seed: int) -> None:
    assert change_params(Project(tmp_path), seed=seed).seed == seed


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_no_other_seed_is_accepted(tmp_path: Path, seed: int) -> None:
    with pytest.raises(ParamsError, match=rf"params\.yaml: .*seed: input should be .*, not {seed}"):
        change_params(Project(tmp_path), seed=seed)


def test_a_number_is_what_dvc_takes_for_one(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("confidence: 0.95", "confidence: 95e-2"))
    assert load_params(path).registration.gate.confidence == 0.95
