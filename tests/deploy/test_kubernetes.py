"""deploy/kubernetes: valid for the API, hardened, the same deployment as docker-compose.yml. No cluster is needed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.settings import Settings
from tests.marks import long
from tests.processes import PROJECT

FOLDER = PROJECT / "deploy" / "kubernetes"
OVERLAYS = ("one-node", "production")
VERSIONS = ("1.31", "1.34")
# What Kubernetes has another thing for: an Ingress, a bucket, a Prometheus, a CronJob's schedule, an operator of Spark.
NOT_HERE = {"gateway", "s3", "buckets", "prometheus", "grafana", "train", "spark-master", "spark-worker", "spark-train"}
# A CronJob runs once and ends, where the container goes on and waits.
OTHER_COMMAND = {"retrain", "trial", "events-keeper"}
ONLY_COMPOSE = {"RETRAIN_CRON", "POSTGRES_PASSWORD_FILE", "PGDATA"}
GIB = {"M": 1 << 20, "G": 1 << 30, "Mi": 1 << 20, "Gi": 1 << 30}

Document = dict[str, Any]
COMPOSE: dict[str, Document] = YAML(typ="safe").load(PROJECT / "docker-compose.yml")["services"]
OURS = sorted(COMPOSE.keys() - NOT_HERE)


def documents() -> Iterator[Document]:
    for name in YAML(typ="safe").load(FOLDER / "base" / "kustomization.yaml")["resources"]:
        yield from YAML(typ="safe").load_all(FOLDER / "base" / name)


def pod(document: Document) -> Document | None:
    """The template of what runs."""
    if document["kind"] == "CronJob":
        document = document["spec"]["jobTemplate"]
    found: Document | None = document.get("spec", {}).get("template")
    return found


DOCUMENTS = list(documents())
PODS = {each["metadata"]["name"]: found for each in DOCUMENTS if (found := pod(each)) is not None}
SETTINGS = dict(
    setting.split("=", 1)
    for setting in YAML(typ="safe").load(FOLDER / "base" / "kustomization.yaml")["configMapGenerator"][0]["literals"]
)


def container(name: str) -> Document:
    [only] = PODS[name]["spec"]["containers"]
    return dict(only)


def environment(name: str) -> dict[str, str]:
    """The variables of a container; a password is its name in secrets/, in angle brackets."""
    found: dict[str, str] = {}
    for each in container(name)["env"]:
        if "value" in each:
            value = each["value"]
        elif "configMapKeyRef" in each["valueFrom"]:
            value = SETTINGS[each["valueFrom"]["configMapKeyRef"]["key"]]
        else:
            secret = each["valueFrom"]["secretKeyRef"]
            assert secret["name"] == "passwords"
            value = f"<{secret['key']}>"
        found[each["name"]] = value
    return found


def in_compose(text: object) -> str:
    """A value as .env.example leaves it."""
    while (inner := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", str(text))) != text:
        text = inner
    return str(text)


def secrets_in_compose(name: str) -> dict[str, str]:
    """The variables that come from files; a password is its name in angle brackets."""
    pairs = [
        (each["target"], each["source"]) if isinstance(each, dict) else (each, each)
        for each in COMPOSE[name]["secrets"]
    ]
    return {target: f"<{source}>" for target, source in pairs}


def n_bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w+)", in_compose(text)).groups()  # type: ignore[union-attr]
    return int(number) * GIB[unit]


@pytest.mark.parametrize("name", OURS)
def test_everything_in_compose_is_here_with_the_same_settings(name: str) -> None:
    variables = {key: in_compose(value) for key, value in COMPOSE[name]["environment"].items()}
    expected = {key: value for key, value in variables.items() if key not in ONLY_COMPOSE} | secrets_in_compose(name)
    ours = environment(name)
    assert {key: ours.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", OURS)
def test_everything_here_runs_the_same_command_of_the_same_image(name: str) -> None:
    ours, theirs = container(name), COMPOSE[name]
    image = in_compose(theirs["image"])
    assert ours["image"] == (image if name == "postgres" else image.partition(":")[0])
    if name not in OTHER_COMMAND:
        substituted = [part.replace("$(ARTIFACTS_DESTINATION)", "/artifacts") for part in ours.get("command", [])]
        assert substituted == [in_compose(part) for part in theirs.get("command", [])]


@pytest.mark.parametrize("name", OURS)
def test_everything_here_has_the_same_memory_and_networks(name: str) -> None:
    ours, theirs = container(name), COMPOSE[name]
    limit = theirs["deploy"]["resources"]["limits"]["memory"]
    assert n_bytes(ours["resources"]["limits"]["memory"]) == n_bytes(limit)
    labels = {key.removeprefix("network-") for key in PODS[name]["metadata"]["labels"] if key.startswith("network-")}
    assert set(theirs["networks"]) - {"web", "spark"} <= labels  # nobody here is on Spark's
    assert ("web" in labels) == (name == "api")


def test_each_network_has_a_policy_and_all_else_is_closed() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in DOCUMENTS if each["kind"] == "NetworkPolicy"}
    closed = policies.pop("nothing-but-names")
    assert (closed["podSelector"], closed["policyTypes"]) == ({}, ["Ingress", "Egress"])
    # No address: NodeLocal DNS answers from one that no selector names.
    assert closed["egress"] == [{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}]
    labels = {key for each in PODS.values() for key in each["metadata"]["labels"] if key.startswith("network-")}
    assert {f"network-{name}" for name in policies} == labels
    for name, spec in policies.items():
        assert spec["podSelector"] == {"matchLabels": {f"network-{name}": "yes"}}


def test_users_and_ports_are_those_of_the_images() -> None:
    users = {name: int(re.search(r"^USER (\d+)", text, re.MULTILINE)[1]) for name, text in dockerfiles()}  # type: ignore[index]
    for name, each in PODS.items():
        image = container(name)["image"].removeprefix("movie-recommender-")
        assert each["spec"]["securityContext"]["runAsUser"] == users.get(image, 70), name
    exposed = re.search(r"^EXPOSE (\d+)", dict(dockerfiles())["api"], re.MULTILINE)
    assert exposed
    assert [port["containerPort"] for port in container("api")["ports"]] == [int(exposed[1])]
    grace = PODS["api"]["spec"]["terminationGracePeriodSeconds"]
    assert f"{grace}s" == COMPOSE["api"]["stop_grace_period"]


def dockerfiles() -> list[tuple[str, str]]:
    return [(name, (PROJECT / f"Dockerfile.{name}").read_text(encoding="utf-8")) for name in ("api", "train")]


@pytest.mark.parametrize("name", PODS)
def test_each_pod_is_hardened_as_compose_is(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for each in [*spec.get("initContainers", ()), *spec["containers"]]:
        context = each["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
    read_only = container(name)["securityContext"].get("readOnlyRootFilesystem", False)
    assert read_only or not COMPOSE.get(name, {}).get("read_only", False)


JOBS = [each for each in DOCUMENTS if each["kind"] == "Job"]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["metadata"]["name"])
def test_argo_and_flux_make_a_job_anew_and_nothing_deletes_it_behind_their_back(job: Document) -> None:
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        "kustomize.toolkit.fluxcd.io/force": "enabled",
    }
    assert "ttlSecondsAfterFinished" not in job["spec"]


def test_the_page_s_upgrade_deletes_exactly_the_jobs() -> None:
    page = (PROJECT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    deleted = re.search(r"delete job ([a-z -]+?) --ignore-not-found", page)
    assert deleted
    assert set(deleted[1].split()) == {job["metadata"]["name"] for job in JOBS}


@pytest.mark.parametrize("name", PODS)
def test_each_container_says_what_it_needs(name: str) -> None:
    for each in [*PODS[name]["spec"].get("initContainers", ()), *PODS[name]["spec"]["containers"]]:
        assert each["resources"]["requests"].keys() == {"cpu", "memory"}
        assert each["resources"]["limits"].keys() == {"memory"}


def test_one_slow_answer_takes_no_replica_out() -> None:
    probe = container("api")["readinessProbe"]
    assert (probe["timeoutSeconds"] >= 5, probe["failureThreshold"] >= 3) == (True, True)


def test_mlflow_may_start_as_slowly_as_in_compose() -> None:
    check, probe = COMPOSE["mlflow"]["healthcheck"], container("mlflow")["startupProbe"]
    assert f"{probe['periodSeconds'] * probe['failureThreshold'] // 60}m" == check["start_period"]
    assert {f"{container('mlflow')[f'{kind}Probe']['timeoutSeconds']}s" for kind in ("startup", "liveness")} == {
        check["timeout"]
    }


def test_no_password_lies_where_images_are_built_from() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")]
    assert not any("secretGenerator" in text for text in texts)
    page = (PROJECT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert "create secret generic passwords --from-file=secrets" in page


def test_the_service_is_probed_scaled_spread_and_kept_from_vanishing_at_once() -> None:
    probes = {kind: container("api")[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")}
    assert probes == {"liveness": "/health/live", "readiness": "/health/ready"}
    kinds = {each["kind"]: each["spec"] for each in DOCUMENTS if each["metadata"]["name"] == "api"}
    assert kinds["HorizontalPodAutoscaler"]["scaleTargetRef"]["name"] == "api"
    assert kinds["PodDisruptionBudget"]["selector"] == kinds["Deployment"]["selector"]
    assert "replicas" not in kinds["Deployment"]
    [spread] = PODS["api"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == kinds["Deployment"]["selector"]


def test_the_service_gets_only_settings_that_it_knows() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"PGPASSWORD"}
    assert environment("api").keys() <= known


def test_every_volume_is_there_and_every_selector_finds_a_pod() -> None:
    claims = {each["metadata"]["name"] for each in DOCUMENTS if each["kind"] == "PersistentVolumeClaim"}
    for name, each in PODS.items():
        volumes = {volume["name"]: volume for volume in each["spec"].get("volumes", ())}
        mounted = {mount["name"] for mount in container(name).get("volumeMounts", ())}
        assert mounted == volumes.keys() or name == "postgres"
        used = {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in volumes.values()
            if "persistentVolumeClaim" in volume
        }
        assert used <= claims
    for each in DOCUMENTS:
        if each["kind"] == "Service":
            name, [port] = each["metadata"]["name"], each["spec"]["ports"]
            assert each["spec"]["selector"] == {"app": PODS[name]["metadata"]["labels"]["app"]}
            assert port["targetPort"] in {each["name"] for each in container(name)["ports"]}


@pytest.mark.parametrize("version", [pytest.param(VERSIONS[0], marks=pytest.mark.long), VERSIONS[1]])
def test_the_base_is_valid_for_the_api(version: str) -> None:
    for each in DOCUMENTS:
        validate(each, version)


@pytest.mark.long
@pytest.mark.parametrize("overlay", [OVERLAYS[0], *long(OVERLAYS[1:])])
def test_each_overlay_renders_to_what_is_valid(overlay: str, tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("There is no kubectl here, which renders overlays.")
    copy = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    command = ["kubectl", "kustomize", str(copy / "overlays" / overlay)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = list(YAML(typ="safe").load_all(rendered))
    assert len(found) > len(DOCUMENTS)
    for each in found:
        validate(each, VERSIONS[-1])
    images = {
        container["image"] for each in found if (template := pod(each)) for container in template["spec"]["containers"]
    }
    assert all(":" in image and not image.endswith(":latest") for image in images)


def validate(document: Document, version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    kubernetes_validate.validate(document, version, strict=True)
