"""The `placements` command: placements as a YAML file, which a team can keep in git and review."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver

from training.errors import DataError
from training.files import replacing
from training.service import Service

TIMESTAMP = "tag:yaml.org,2002:timestamp"
Documents = dict[str, Any]


class _NoTimes(VersionedResolver):
    """Leaves times as they are written: the service reads texts."""

    @property
    def versioned_resolver(self) -> dict[str, list[tuple[str, Any]]]:
        return {
            first: [each for each in found if each[0] != TIMESTAMP]
            for first, found in super().versioned_resolver.items()
        }


def apply_placements(file: Path, url: str, key: str) -> str:
    """Make the service's placements what a YAML file says by name; those that it does not name stay.

    Returns what was done, with the service's warnings; raises DataError that names the placement which the service
    refuses: those before are made.
    """
    service, wanted = Service(url, key), read_placements(file)
    current = _current(service)
    changed = {name: document for name, document in wanted.items() if document != current.get(name)}
    sentences = [f"{len(changed)} of {len(wanted)} placements of {file} are new or changed at {url}"]
    # The service refuses a trial against a placement that is still to come.
    for name, document in sorted(changed.items(), key=lambda each: "trial" in each[1]):
        answer = service.ask("PUT", f"/placements/{quote(name, safe='')}", document, f"{file}, {name}")
        sentences += [f"{name}, {each['field']}: {each['message']}" for each in answer["warnings"]]
    if others := sorted(current.keys() - wanted.keys()):
        sentences.append(f"not in the file, so left as they are: {', '.join(others)}")
    return "\n".join(sentences)


def export_placements(file: Path, url: str, key: str) -> str:
    """Write the service's placements as the YAML file that `apply_placements` reads; returns what was done."""
    current = _current(Service(url, key))
    with replacing(file) as partial:
        _yaml().dump(current, partial)
    return f"{len(current)} placements in {file}"


def read_placements(file: Path) -> Documents:
    """The placements of a YAML file by name; raises DataError where it can't be read, or holds something else."""
    try:
        content = _yaml().load(file)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise DataError(f"{file} can't be read: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(each, dict) for each in content.values()):
        raise DataError(f"{file} holds no placements; expected a name before each, as --export writes it")
    return {str(name): document for name, document in content.items()}


def _current(service: Service) -> Documents:
    return {each["name"]: each["placement"] for each in service.ask("GET", "/placements")["placements"]}


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _NoTimes
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return yaml
