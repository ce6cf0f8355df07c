"""Follows the alias `challenger`, and loads its version for as long as that is on trial.

A share of 0 in TRIAL_SHARE puts it on trial whatever its tags say: it is loaded, and nobody gets its lists.
"""

import logging
from dataclasses import replace
from datetime import datetime, timezone

from prometheus_client import CollectorRegistry

from app.contract.alias import CHALLENGER
from app.contract.trial import Trial, read_trial
from app.model.errors import AliasMissingError, ModelError, ModelMissingError, VersionMissingError
from app.model.store import ModelStore, Revises, ServedModel
from app.observability.telemetry import OK, ModelMetrics
from app.registry.follower import Follower
from app.registry.loader import Prepare
from app.registry.target import Target
from app.settings import Settings

TRYING = "trying"
NOBODY = (AliasMissingError, ModelMissingError, VersionMissingError)

logger = logging.getLogger(__name__)


class Challenger(Follower):
    """Keeps the version on trial loaded, and knows of its trial what its tags say.

    Whatever happens to it, the live version answers: `model` is None unless exactly the version on trial is loaded.
    With a share of 0 both stay None, and only the store holds the version.
    """

    def __init__(
        self,
        settings: Settings,
        collectors: CollectorRegistry,
        *,
        prepare: Prepare | None = None,
        revises: Revises | None = None,
    ) -> None:
        self.trial: Trial | None = None
        self._share = settings.trial_share
        self._spoilt = ""
        followed = settings.model_copy(update={"model_alias": CHALLENGER, "model_dir": None})
        metrics = ModelMetrics(collectors, "recommender_challenger_model")
        super().__init__(followed, ModelStore(revises), metrics, purpose=TRYING, prepare=prepare)

    def load_last_good(self) -> None:
        """Load nothing if people may get its lists: without its tags nobody knows whether it is still on trial."""
        if self._share == 0:
            super().load_last_good()

    def _follow(self, target: Target) -> None:
        if self._share != 0:
            trial = self._read(target)
            if trial != self.trial:
                self._begin_or_end(trial)
            if trial is None:
                return
        super()._follow(target)

    @property
    def model(self) -> ServedModel | None:
        """The version on trial."""
        trial, current = self.trial, self.store.current
        return current if trial is not None and current is not None and current.version == trial.version else None

    def _fail(self, error: ModelError, version: str | None) -> None:
        if not isinstance(error, NOBODY):
            super()._fail(error, version)
            return
        # Most of the time nobody is the challenger, which is no problem.
        if self.trial is not None or self.store.current is not None:
            self._begin_or_end(None)
        now = datetime.now(timezone.utc)
        self._metrics.polled(error.code)
        self.state = replace(self.state, status=OK, checked_at=now, succeeded_at=now, target=None)

    def _read(self, target: Target) -> Trial | None:
        try:
            trial = read_trial(target.registered.version, target.tags)
        except ValueError as error:
            if str(error) != self._spoilt:
                logger.warning("There is no trial: %s", error)
            self._spoilt = str(error)
            return None
        return trial if trial is None or self._share is None else replace(trial, share=self._share)

    def _begin_or_end(self, trial: Trial | None) -> None:
        self.trial = trial
        if trial is None:
            self.store.clear()
            self._metrics.let_go()
            logger.info("The trial has ended: everybody gets the live version's lists")
            return
        logger.info(
            "Version %s is on trial against version %s: %.3g %% of the users get its lists",
            trial.version,
            trial.against,
            100 * trial.share,
        )
