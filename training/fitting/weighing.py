"""Lets validation choose whether positives that may count less than a like do."""

from dataclasses import dataclass, replace

from training.fitting.validation import Validation
from training.models.base import Family, Fits, ValidatedFit, Weighs
from training.progress import say


@dataclass(frozen=True)
class Weighing:
    """The validation metric where all positives count alike, where they are weighed, and which of both was taken."""

    alike: float
    weighed: float | None  # None: the family can't weigh

    @property
    def is_better(self) -> bool:
        """Whether weights are used."""
        return self.weighed is not None and self.weighed > self.alike


def fit_weighed(validation: Validation, family: Family) -> tuple[ValidatedFit, Weighing | None]:
    """The better fit, and how it was chosen; None where all positives of the data count alike."""
    alike = validation.fit_validated(family)
    if validation.knowledge.dataset.weights is None:
        return alike, None
    if not (isinstance(family, Weighs) and family.weighs):
        say(f"{validation.name} can't weigh positives: all count alike")
        return alike, Weighing(alike.metric, None)
    knowledge = replace(validation.knowledge, weighed=True, fits=Fits())
    weighed = replace(validation, knowledge=knowledge).fit_validated(family)
    weighing = Weighing(alike.metric, weighed.metric)
    say(f"validation: all positives alike {alike.metric:.4f}, weighed {weighed.metric:.4f}")
    return (weighed if weighing.is_better else alike), weighing
