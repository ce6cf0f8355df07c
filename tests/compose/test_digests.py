"""Base images by digest, from a real registry."""

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.deployment import docker, output
from tests.processes import free_port, wait_until

pytestmark = pytest.mark.compose

CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of an empty registry."""
    if shutil.which("docker-registry") is None:
        pytest.skip("There is no docker-registry here: apt-get install docker-registry")
    address = f"127.0.0.1:{(port := free_port())}"
    (tmp_path / "config.yml").write_text(CONFIG.format(folder=tmp_path / "registry", port=port), encoding="utf-8")
    with (tmp_path / "registry.log").open("w") as log:
        command = ["docker-registry", "serve", str(tmp_path / "config.yml")]
        serving = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(f"http://{address}/v2/"))
        yield address
    finally:
        serving.terminate()
        serving.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def publish(folder: Path, image: str, content: str) -> str:
    """Give the tag another content; the digest that the registry says."""
    (folder / "Dockerfile").write_text(f"FROM scratch\nLABEL content={content}\nCOPY Dockerfile /\n", encoding="utf-8")
    docker("build", "--quiet", "--tag", image, str(folder))
    docker("push", "--quiet", image)
    docker("rmi", image)
    host, _, path = image.partition("/")
    name, _, tag = path.partition(":")
    types = "application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json"
    accept = {"Accept": f"{types},application/vnd.docker.distribution.manifest.v2+json"}
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{host}/v2/{name}/manifests/{tag}", headers=accept), timeout=30
    ) as response:
        digest: str = response.headers["Docker-Content-Digest"]
    return digest


def pin(folder: Path) -> str:
    return output("sh", "scripts/digests.sh", str(folder))


def test_base_images_are_pinned_by_the_digests_that_their_tags_have_now(tmp_path: Path, registry: str) -> None:
    python, nginx = f"{registry}/python:1", f"{registry}/our-nginx:2"
    (tmp_path / ".env.example").write_text(f"#PYTHON_IMAGE={python}\n#NGINX_IMAGE=nginx:1\n", encoding="utf-8")
    env = tmp_path / ".env"
    env.write_text(f"PASSWORD=secret\nNGINX_IMAGE={nginx}\nPORT=8000\n", encoding="utf-8")
    env.chmod(0o600)
    first = {image: publish(tmp_path, image, "first") for image in (python, nginx)}
    pinned = f"PYTHON_IMAGE={python}@{first[python]}\nNGINX_IMAGE={nginx}@{first[nginx]}"
    assert pin(tmp_path) == pinned
    assert env.read_text(encoding="utf-8") == f"PASSWORD=secret\nPORT=8000\n{pinned}\n"
    assert env.stat().st_mode & 0o777 == 0o600

    second = publish(tmp_path, python, "second")
    assert second != first[python]
    pin(tmp_path)
    renewed = env.read_text(encoding="utf-8")
    pinned = f"PYTHON_IMAGE={python}@{second}\nNGINX_IMAGE={nginx}@{first[nginx]}"
    assert renewed == f"PASSWORD=secret\nPORT=8000\n{pinned}\n"

    env.write_text(renewed.replace("our-nginx:2", "our-nginx:3"), encoding="utf-8")
    before = env.read_bytes()
    with pytest.raises(RuntimeError, match="our-nginx:3: not found"):
        pin(tmp_path)
    assert env.read_bytes() == before
