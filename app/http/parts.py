"""The parts of the service, which are put together once: routes get them by `CurrentParts`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from app.contract.alias import CHALLENGER
from app.events.answers import Answers
from app.events.catalogue_changes import CatalogueChanges
from app.events.exposures import ExposureMetrics, Exposures
from app.events.feed import Feed
from app.events.feed_state import FeedMetrics, FeedState
from app.events.impressions import ImpressionMetrics, Impressions
from app.events.live_catalogue import LiveCatalogue
from app.events.lost_pins import LostPins
from app.events.metrics import EventMetrics
from app.events.newcomers import Newcomers
from app.events.open_store import open_store
from app.events.overlay import Overlay
from app.events.placements import Placements
from app.events.profiles import Profiles
from app.events.resting import Resting
from app.events.showings import Showings
from app.events.trending import Trending
from app.events.unknown_items import UnknownItems
from app.events.writer import EventWriter
from app.http.lanes import Lanes
from app.http.placement_arms import PlacementArms
from app.http.shutdown import GracefulStop
from app.mask import Mask
from app.model.store import ModelStore
from app.observability.overlap import Overlap
from app.observability.recent_figures import RecentFigures
from app.observability.request_log import RequestLog
from app.observability.telemetry import Telemetry
from app.registry.challenger import Challenger
from app.registry.follower import Follower
from app.registry.loaded import Followed, LoadedVersions
from app.registry.mlflow_registry import Registry
from app.settings import Settings


class Runs(Protocol):
    """A part with a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


@dataclass(frozen=True)
class Parts:
    """What exists once in a process; None is what the settings switch off.

    `registry` is for requests that need MLflow: the followers have their own.
    """

    settings: Settings
    mask: Mask
    store: ModelStore
    telemetry: Telemetry
    request_log: RequestLog
    stop: GracefulStop
    profiles: Profiles
    figures: RecentFigures
    lanes: Lanes
    placement_arms: PlacementArms
    follower: Follower
    versions: LoadedVersions
    registry: Registry | None
    challenger: Challenger | None
    overlap: Overlap | None
    writer: EventWriter | None
    feed: Feed | None
    exposures: Exposures | None
    impressions: Impressions | None
    answers: Answers | None
    resting: Resting
    changes: CatalogueChanges
    trending: Trending
    placements: Placements
    unknown_items: UnknownItems

    @property
    def feed_state(self) -> FeedState | None:
        """How far answers know the events; None without events."""
        return None if self.feed is None else self.feed.state

    def running(self) -> Iterator[Runs]:
        """The parts to start, in this order. The feed comes first: a version waits for the recent events."""
        counted = self.exposures, self.impressions, self.answers, self.resting
        for part in (self.feed, self.follower, self.challenger, self.overlap, self.writer, *counted):
            if part is not None:
                yield part


def make_parts(settings: Settings, mask: Mask, own_routes: Collection[str]) -> Parts:
    """The parts that the settings ask for, none of them started; `own_routes` are those that clients don't call."""
    telemetry, overlay, changes = Telemetry(), Overlay(), CatalogueChanges()
    unknown_items, placements = UnknownItems(), Placements()
    trending, showings = Trending(overlay), Showings()
    profiles = Profiles(overlay, Newcomers(trending, showings))
    store = ModelStore(LiveCatalogue(changes, overlay, trending))
    collectors = telemetry.collectors
    writer = feed = exposures = impressions = answers = prepare = None
    if (address := settings.store_address) is not None:
        writer = EventWriter(open_store(address), EventMetrics(collectors))
        feed = Feed(open_store(address), overlay, changes, FeedMetrics(collectors), unknown_items, placements)
        exposures = Exposures(open_store(address), ExposureMetrics(collectors), placements)
        impressions = Impressions(open_store(address), ImpressionMetrics(collectors), showings)
        if settings.answered_share:
            answers = Answers(open_store(address), impressions.metrics.failures, settings.answered_share)
        prepare = feed.prepare
    follower = Follower(settings, store, telemetry.model, prepare=prepare)
    challenger = overlap = None
    # A trial counts events, and its version is in the registry. With a share of 0 nothing is counted.
    if settings.trial_share == 0 or (settings.events_url is not None and settings.model_dir is None):
        challenger = Challenger(
            settings, collectors, prepare=prepare, revises=LiveCatalogue(changes, overlay, trending)
        )
        if settings.trial_share == 0:
            overlap = Overlap(challenger.store, profiles.apart().of, collectors)
    telemetry.collectors.register(LostPins(placements, store))
    changes.stores += [store, *([] if challenger is None else [challenger.store])]
    with_ids = settings.events_url is not None
    lanes = Lanes(
        profiles,
        telemetry,
        with_ids=with_ids,
        challenger=challenger,
        exposures=exposures,
        overlap=overlap,
        placements=placements,
        answers=answers,
    )
    return Parts(
        settings=settings,
        mask=mask,
        store=store,
        telemetry=telemetry,
        request_log=RequestLog(settings.log_level, settings.log_format),
        stop=GracefulStop(settings.drain_seconds),
        profiles=profiles,
        figures=RecentFigures(telemetry, own_routes),
        lanes=lanes,
        placement_arms=PlacementArms(placements, exposures),
        follower=follower,
        versions=_versions(settings, follower, challenger),
        registry=Registry(settings) if settings.model_dir is None else None,
        challenger=challenger,
        overlap=overlap,
        writer=writer,
        feed=feed,
        exposures=exposures,
        impressions=impressions,
        answers=answers,
        resting=Resting(None if address is None else open_store(address), collectors),
        changes=changes,
        trending=trending,
        placements=placements,
        unknown_items=unknown_items,
    )


def _versions(settings: Settings, follower: Follower, challenger: Challenger | None) -> LoadedVersions:
    followed = [Followed(settings.model_alias.lower() if settings.model_dir is None else None, follower)]
    if challenger is not None:
        followed.append(Followed(CHALLENGER, challenger))
    return LoadedVersions(followed)
