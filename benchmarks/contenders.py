"""Who is measured: what starts each server, what is asked of it, how the films of its answer are read."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from app.contract.alias import PRODUCTION
from app.contract.artifact_directory import content_hash
from app.model.registered_version import RegisteredVersion
from app.registry.cache import ModelCache
from app.settings import Settings
from benchmarks.environments import CACHE, environment
from benchmarks.load import Request
from training.tracking.aliases import promote
from training.tracking.connection import connect
from training.tracking.versions import Evidence, register_version

MODEL = "movie-recommender"
PLAIN, FILTERED, NOTHING = "plain", "filtered", "nothing"
SERVICE = ("{bin}/python", "-m", "app", "--host", "127.0.0.1", "--port", "{port}")
LIKED = 20  # films of a fold-in
BATCH = 100
CLOSED_PORT = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Route:
    """One way to ask a server; `expected` says with what its answer is compared.

    An answer holds `lists` lists, and its processor time is that of one. `everywhere` is whether the route is measured
    with each number of connections, or with one number only.
    """

    name: str
    request: Request
    ids: Callable[[bytes], list[int]]
    expected: str = PLAIN
    lists: int = 1
    everywhere: bool = True


@dataclass(frozen=True)
class Contender:
    """A server and its routes; the first of them is asked while it starts."""

    name: str
    command: Sequence[str]
    routes: tuple[Route, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def service(artifact: Path) -> Contender:
    """Ours, as deployed: it starts from the last good version in its cache, its registry being a closed port."""
    cache = CACHE / "models"
    shutil.rmtree(cache, ignore_errors=True)
    settings = Settings(model_cache_dir=cache, model_name=MODEL, model_alias=PRODUCTION)
    copy = cache / "copy"
    shutil.copytree(artifact, copy, copy_function=os.link)
    store = ModelCache(settings)
    with store.download_directory():  # makes the directory of the model
        store.add(RegisteredVersion("1", created=0, run_id=""), copy, content_hash(copy))
    plain = Request("/users/%d/recommendations")
    filtered = Request("/users/%d/recommendations?genre=Drama&year_from=1990")
    return Contender(
        "service",
        in_environment("service", SERVICE),
        (
            Route("ours, plain", plain, _ids_of_items),
            Route("ours, filtered", filtered, _ids_of_items, FILTERED),
            *_other_routes(artifact),
        ),
        {"MLFLOW_TRACKING_URI": CLOSED_PORT, "MODEL_NAME": MODEL, "MODEL_CACHE_DIR": str(cache)},
    )


def _other_routes(artifact: Path) -> Iterator[Route]:
    """Ours, each with its processor time; what they answer is for tests to compare."""
    ids = np.load(artifact / "item_ids.npy", mmap_mode="r")
    liked = json.dumps({"liked": ids[:: len(ids) // LIKED][:LIKED].tolist()})
    batch = f'{{"user_ids": [{", ".join(["%d"] * BATCH)}]}}'
    requests = {
        "rare filter": Request("/users/%d/recommendations?genre=Film-Noir"),
        "diversity": Request("/users/%d/recommendations?diversity=0.3"),
        "explain": Request("/users/%d/recommendations?explain=true"),
        "fold-in": Request("/recommendations", liked),
        "similar": Request(f"/items/{ids[0]}/similar"),
        "search": Request("/items?query=river"),
        "search for three words": Request("/items?query=the+river+mira"),
        "search for two misspelt words": Request("/items?query=rivre+mirandla"),
    }
    for name, request in requests.items():
        yield Route(f"ours, {name}", request, _ids_of_items, NOTHING, everywhere=False)
    name = f"ours, one of a batch of {BATCH}"
    yield Route(name, Request("/recommendations/batch", batch), _ids_of_batch, NOTHING, BATCH, everywhere=False)


def mlflow_serve(artifact: Path) -> Contender:
    """`mlflow models serve` on the artifact, registered as the pipeline does it, in a new SQLite store."""
    store = CACHE / "mlflow"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    uri = f"sqlite:///{store / 'mlflow.db'}"
    _register(artifact, store, uri)
    command = [
        *("{bin}/mlflow", "models", "serve", "--model-uri", f"models:/{MODEL}@{PRODUCTION}", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
    ]
    route = Route(
        "mlflow models serve",
        Request("/invocations", '{"dataframe_records": [{"user_id": %d}]}'),
        lambda answer: list(json.loads(answer)["predictions"][0]["item_ids"]),
    )
    commands = in_environment("mlflow", command)
    # MLflow starts uvicorn by its name.
    path = f"{Path(commands[0]).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path}
    return Contender("mlflow", commands, (route,), variables)


def bentoml(artifact: Path) -> Contender:
    """BentoML doing the same job."""
    module = "benchmarks.peers.bentoml_service:Recommendations"
    command = ("{bin}/bentoml", "serve", module, "--host", "127.0.0.1", "--port", "{port}")
    variables = {"ARTIFACT": str(artifact), "BENTOML_DO_NOT_TRACK": "true"}
    return Contender("bentoml", in_environment("bentoml", command), (_job("BentoML", "/recommend"),), variables)


def litserve(artifact: Path) -> Contender:
    """LitServe doing the same job."""
    command = ("{bin}/python", "-m", "benchmarks.peers.litserve_service", "{port}")
    variables = {"ARTIFACT": str(artifact)}
    return Contender("litserve", in_environment("litserve", command), (_job("LitServe", "/predict"),), variables)


def _constant(name: str, title: str, app: str, *options: str) -> Contender:
    """The same bytes for everybody, from an application below peers/."""
    command = ("{bin}/uvicorn", f"benchmarks.peers.{app}:app", "--host", "127.0.0.1", "--port", "{port}", *options)
    return Contender(name, in_environment("constant", command), (Route(title, Request("/"), _ids_of_items, NOTHING),))


# name -> function of the artifact's folder; made one after the other, only those asked for
CONTENDERS: dict[str, Callable[[Path], Contender]] = {
    "service": service,
    "mlflow": mlflow_serve,
    "bentoml": bentoml,
    "litserve": litserve,
    # What the framework costs without any work; a third of it is uvicorn's access log.
    "constant": lambda _: _constant("constant", "FastAPI, constant", "fastapi_constant"),
    "constant-without-log": lambda _: _constant(
        "constant-without-log", "FastAPI, constant, no access log", "fastapi_constant", "--no-access-log"
    ),
    # The least that a server on uvicorn can take.
    "bare": lambda _: _constant("bare", "bare ASGI, constant", "bare_asgi", "--no-access-log", "--lifespan", "off"),
}


def _job(name: str, path: str) -> Route:
    return Route(name, Request(path, '{"user_id": %d}'), lambda answer: list(json.loads(answer)["ids"]))


def _ids_of_items(answer: bytes) -> list[int]:
    return [item["id"] for item in json.loads(answer)["items"]]


def _ids_of_batch(answer: bytes) -> list[int]:
    return [item["id"] for one in json.loads(answer)["answers"] for item in one["items"]]


def in_environment(name: str, command: Sequence[str]) -> list[str]:
    """A command with the programs of an environment in place of `{bin}`."""
    folder = str(environment(name))
    return [part.replace("{bin}", folder) for part in command]


def _register(artifact: Path, store: Path, uri: str) -> None:
    print(f"Registering the artifact with MLflow in {store}", flush=True)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    client = connect(store, "benchmark")
    import mlflow

    with mlflow.start_run():
        users = pd.DataFrame({"user_id": [], "metric": []})
        version = register_version(MODEL, artifact, Evidence({"family": "benchmark"}, users), {})
    promote(client, MODEL, version)
