"""The parts of the service, which are put together once: routes get them by `CurrentParts`."""

from collections.abc import Collection, Iterator

from app.contract.alias import CHALLENGER
from app.contract.store_address import StoreAddress
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
from app.registry.loader import Prepare
from app.registry.mlflow_registry import Registry
from app.settings import Settings

Running = Feed | Follower | Challenger | Overlap | EventWriter | Exposures | Impressions | Answers | Resting


class Parts:
    """What exists once in a process, none of it started; None is what the settings switch off."""

    challenger: Challenger | None = None
    overlap: Overlap | None = None
    writer: EventWriter | None = None
    feed: Feed | None = None
    exposures: Exposures | None = None
    impressions: Impressions | None = None
    answers: Answers | None = None

    def __init__(self, settings: Settings, mask: Mask, own_routes: Collection[str]) -> None:
        """`own_routes` are those that clients don't call."""
        self.settings, self.mask, self.telemetry = settings, mask, Telemetry()
        self.request_log = RequestLog(settings.log_level, settings.log_format)
        self.stop = GracefulStop(settings.drain_seconds)
        self.figures = RecentFigures(self.telemetry, own_routes)
        self.changes, self.unknown_items, self.placements = CatalogueChanges(), UnknownItems(), Placements()
        self._overlay, self._showings, address = Overlay(), Showings(), settings.store_address
        self.trending = Trending(self._overlay)
        self.profiles = Profiles(self._overlay, Newcomers(self.trending, self._showings))
        self.store = ModelStore(LiveCatalogue(self.changes, self._overlay, self.trending))
        if address is not None:
            self._keep_events(address)
        prepare = None if self.feed is None else self.feed.prepare
        self.follower = Follower(settings, self.store, self.telemetry.model, prepare=prepare)
        followed = [Followed(settings.model_alias.lower() if settings.model_dir is None else None, self.follower)]
        self.changes.stores.append(self.store)
        # A trial counts events, and its version is in the registry. With a share of 0 nothing is counted.
        if settings.trial_share == 0 or (address is not None and settings.model_dir is None):
            followed.append(Followed(CHALLENGER, self._follow_challenger(prepare)))
        self.versions = LoadedVersions(followed)
        # For requests that need MLflow: the followers have their own.
        self.registry = Registry(settings) if settings.model_dir is None else None
        self.telemetry.collectors.register(LostPins(self.placements, self.store))
        self.resting = Resting(None if address is None else open_store(address), self.telemetry.collectors)
        self.placement_arms = PlacementArms(self.placements, self.exposures)
        self.lanes = Lanes(
            self.profiles,
            self.telemetry,
            with_ids=address is not None,
            challenger=self.challenger,
            exposures=self.exposures,
            overlap=self.overlap,
            placements=self.placements,
            answers=self.answers,
        )

    def _keep_events(self, address: StoreAddress) -> None:
        collectors, share = self.telemetry.collectors, self.settings.answered_share
        self.writer = EventWriter(open_store(address), EventMetrics(collectors))
        takers = self.unknown_items, self.placements
        self.feed = Feed(open_store(address), self._overlay, self.changes, FeedMetrics(collectors), *takers)
        self.exposures = Exposures(open_store(address), ExposureMetrics(collectors), self.placements)
        self.impressions = Impressions(open_store(address), ImpressionMetrics(collectors), self._showings)
        if share:
            self.answers = Answers(open_store(address), self.impressions.metrics.failures, share)

    def _follow_challenger(self, prepare: Prepare | None) -> Challenger:
        settings, collectors = self.settings, self.telemetry.collectors
        revises = LiveCatalogue(self.changes, self._overlay, self.trending)
        self.challenger = Challenger(settings, collectors, prepare=prepare, revises=revises)
        self.changes.stores.append(self.challenger.store)
        if settings.trial_share == 0:
            self.overlap = Overlap(self.challenger.store, self.profiles.apart().of, collectors)
        return self.challenger

    @property
    def feed_state(self) -> FeedState | None:
        """How far answers know the events; None without events."""
        return None if self.feed is None else self.feed.state

    def running(self) -> Iterator[Running]:
        """The parts to start, in this order. The feed comes first: a version waits for the recent events."""
        counted = self.exposures, self.impressions, self.answers, self.resting
        for part in (self.feed, self.follower, self.challenger, self.overlap, self.writer, *counted):
            if part is not None:
                yield part
