"""Keeps fits on disk, so that a family that is a candidate and a blend's member, too, is fitted once."""

import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.contract.encoder import Encoder
from training.code import hashes
from training.data.dataset import Dataset
from training.files import replacing
from training.fitting.validation import LEARNED_FROM
from training.models import make_family, place_of
from training.models.base import Factors, Family, Fits, ValidatedFit
from training.params.train import TrainStage
from training.progress import say
from training.project import Project

NEWEST = 16  # files that are kept
ARRAYS = ("user_embeddings", "item_embeddings", "user_biases", "item_biases")
ENCODER = ("weights", "intercept")
FLAGS = ("intercept", "adds_features", "half_life")
FITTING = "training.fitting.candidate"  # imports all that a fit runs, but the family


@dataclass
class KeptFits(Fits):
    """The fits of families `names`, found again by all that they follow from: code, parameters, data, validation.

    `seconds_saved`: how long the fits took that were found again.
    """

    project: Project
    names: Collection[str]
    origin: Mapping[str, Any]
    seconds_saved: float = field(default=0.0, init=False)

    @classmethod
    def of(cls, project: Project, params: TrainStage, dataset: Dataset, names: Collection[str]) -> "KeptFits":
        """Keep the fits of some families to this data set; the test split doesn't matter."""
        data = dataset.hash(*LEARNED_FROM) if names else ""
        origin = {"data": data, "seed": params.seed, "threads": params.threads, "select": params.select.model_dump()}
        return cls(project, names, origin)

    def validated(self, name: str, family: Family, fit: Callable[[], ValidatedFit]) -> ValidatedFit:
        """Return the fit to the train split, judged on validation."""
        return self._kept("validated", name, family, fit)

    def whole(self, name: str, family: Family, fit: Callable[[], Factors]) -> Factors:
        """Return the fit to train and validation."""
        return self._kept("whole", name, family, lambda: ValidatedFit(family, fit(), [], float("nan"))).factors

    def _kept(self, kind: str, name: str, family: Family, fit: Callable[[], ValidatedFit]) -> ValidatedFit:
        if name not in self.names:
            return fit()
        path = self.project.fits / f"{self._key(kind, name, family)}.npz"
        try:
            made, seconds = _read(path, name)
        except FileNotFoundError:
            return self._made(path, fit)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            say(f"{name}: {path} can't be read ({error}), so it is fitted again")
            return self._made(path, fit)
        path.touch()
        self.seconds_saved += seconds
        say(f"{name}: fitted before to the same data, in {seconds:.0f} s; taken from {path.parent}")
        return made

    def _key(self, kind: str, name: str, family: Family) -> str:
        code = hashes(self.project.root, [FITTING, place_of(name)[0]])
        about = {"kind": kind, "family": name, "params": family.model_dump(mode="json"), "code": code, **self.origin}
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def _made(self, path: Path, fit: Callable[[], ValidatedFit]) -> ValidatedFit:
        started = time.perf_counter()
        made = fit()
        _write(path, made, time.perf_counter() - started)
        for old in sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)[:-NEWEST]:
            old.unlink(missing_ok=True)  # another run may have removed it
        return made


def _write(path: Path, fit: ValidatedFit, seconds: float) -> None:
    facts = {
        "params": fit.family.model_dump(mode="json"),
        "curve": fit.curve,
        "metric": fit.metric,
        **{name: getattr(fit.factors, name) for name in FLAGS},
        "seconds": seconds,
        "recency": fit.factors.encoder and fit.factors.encoder.recency,
    }
    arrays = {name: getattr(fit.factors, name) for name in ARRAYS}
    encoder = {name: getattr(fit.factors.encoder, name) for name in ENCODER} if fit.factors.encoder else {}
    with replacing(path) as partial:
        np.savez(partial, facts=np.array(json.dumps(facts)), **arrays, **encoder)


def _read(path: Path, name: str) -> tuple[ValidatedFit, float]:
    with np.load(path, allow_pickle=False) as file:
        facts = json.loads(str(file["facts"]))
        encoder = Encoder(file["weights"], file["intercept"], facts["recency"]) if ENCODER[0] in file else None
        flags = {name: facts[name] for name in FLAGS}
        factors = Factors(**{name: file[name] for name in ARRAYS}, encoder=encoder, **flags)
    return ValidatedFit(make_family(name, facts["params"]), factors, facts["curve"], facts["metric"]), facts["seconds"]
