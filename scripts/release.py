"""Checks that everything of a release is there, and writes its source archive and images: make release.

It publishes nothing: a person pushes the tag, the archive and the images.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app.contract.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("Added", "Changed", "Fixed", "Deprecated", "Upgrade notes")
PARTS = ("api", "train", "spark")  # in this order: the image of Spark is made from that of training
LABEL = "org.opencontainers.image.version"


def main() -> None:
    """Make everything in `release/`, or exit with what is missing."""
    if problems := [
        *changelog_problems(_text("CHANGELOG.md")),
        *security_problems(_text("SECURITY.md")),
        *git_problems(),
    ]:
        sys.exit("\n".join([f"{VERSION} can't be released:", *(f"* {problem}" for problem in problems)]))
    print(archive(ROOT / "release"))
    for part in PARTS:
        print(build(part))
    print(f"Next: git tag v{VERSION} && git push origin v{VERSION}, and push the images")


def changelog_problems(text: str) -> Iterator[str]:
    """What keeps a changelog from telling of this version."""
    parts = dict(re.findall(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", text))
    if parts.get("Unreleased", "").strip():
        yield f"CHANGELOG.md: move what is below Unreleased to {VERSION}, or first raise app/contract/version.py"
    ours = next((part for head, part in parts.items() if re.fullmatch(rf"{VERSION} – \d{{4}}-\d\d-\d\d", head)), None)
    if ours is None:
        yield f"CHANGELOG.md: there is no heading '## {VERSION} – YYYY-MM-DD'"
        return
    kinds = dict(re.findall(r"(?ms)^### (.+?)\n(.*?)(?=^### |\Z)", ours))
    if unknown := kinds.keys() - set(KINDS):
        yield f"CHANGELOG.md: {', '.join(sorted(unknown))} is not a kind of change; known are {', '.join(KINDS)}"
    if "Upgrade notes" not in kinds:
        yield "CHANGELOG.md: say in Upgrade notes what a person has to do, even if it is nothing"
    for line in re.findall(r"(?m)^\* .*(?:\n  .*)*", kinds.get("Deprecated", "")):
        if not re.search(r"\b\d+\.\d+\.\d+\b", line):
            yield f"CHANGELOG.md: say with which release this ends: {line}"


def security_problems(text: str) -> Iterator[str]:
    """What keeps SECURITY.md from telling of this version."""
    if f"| {VERSION.rpartition('.')[0]} |" not in text:
        yield f"SECURITY.md: its table has no line of {VERSION.rpartition('.')[0]}"


def git_problems() -> Iterator[str]:
    """What keeps the commit from being the release's."""
    if changed := _output("git", "status", "--porcelain"):
        yield f"commit or remove what git lists as changed:\n{changed}"
    tagged = _output("git", "tag", "--list", f"v{VERSION}", "--format", "%(objectname)")
    if tagged and _output("git", "rev-parse", f"v{VERSION}^{{commit}}") != _output("git", "rev-parse", "HEAD"):
        yield f"the tag v{VERSION} is on another commit: raise VERSION in app/contract/version.py"


def archive(folder: Path) -> Path:
    """Write all that the commit holds into an archive below one folder."""
    folder.mkdir(exist_ok=True)
    name = f"movie-recommender-{VERSION}"
    path = folder / f"{name}.tar.gz"
    _output("git", "archive", "--format", "tar.gz", "--prefix", f"{name}/", "--output", str(path), "HEAD")
    return path


def build(part: str) -> str:
    """Build an image, and check that its label says the version."""
    image, training = f"movie-recommender-{part}:{VERSION}", f"movie-recommender-train:{VERSION}"
    values = {
        "api": {"VERSION": VERSION},
        "train": {"VERSION": VERSION, "GIT_COMMIT": _output("git", "rev-parse", "HEAD")},
        "spark": {"TRAIN_IMAGE": training},
    }[part]
    arguments = [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
    _output("docker", "build", "--file", f"Dockerfile.{part}", *arguments, "--tag", image, ".")
    label = _output("docker", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image)
    if label != VERSION:
        sys.exit(f"{image} has the label {LABEL} {label!r}, not {VERSION!r}: see the end of Dockerfile.{part}")
    return image


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    except FileNotFoundError:
        sys.exit(f"{command[0]} is not installed: a release needs it")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(command)} ended with {error.returncode}; its output stands above")


if __name__ == "__main__":
    main()
