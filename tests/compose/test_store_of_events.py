"""What clients notice while the store of events is broken: nothing that was answered with 200 may be lost."""

import json
import time
from pathlib import Path

import pytest

from tests.client import Client
from tests.compose.conftest import BreakEvents
from tests.compose.deployment import MODEL, NAME, Deployment, ask, docker, model_of
from tests.compose.writer import FILM
from tests.processes import wait_until

pytestmark = pytest.mark.compose
DOWN_SECONDS = 15
NETWORK = f"{NAME}_events"
# Passes on what PostgreSQL and a client without encryption say, but for PostgreSQL's notifications.
DEAF = """
import asyncio
from contextlib import suppress

async def pass_on(source, sink):
    while block := await source.read(1 << 16):
        sink.write(block)

async def without_notifications(source, sink):
    with suppress(asyncio.IncompleteReadError):
        while True:
            kind, size = await source.readexactly(1), await source.readexactly(4)
            rest = await source.readexactly(int.from_bytes(size, "big") - 4)
            if kind != b"A":
                sink.write(kind + size + rest)

async def serve(client, to_client):
    server, to_server = await asyncio.open_connection("postgres", 5432)
    both = pass_on(client, to_server), without_notifications(server, to_client)
    await asyncio.wait([asyncio.create_task(each) for each in both], return_when=asyncio.FIRST_COMPLETED)
    to_client.close()
    to_server.close()

async def main():
    async with await asyncio.start_server(serve, "0.0.0.0", 5432) as listener:
        await listener.serve_forever()

asyncio.run(main())
"""
# A container in whose network packets to PostgreSQL vanish until it ends.
PARTITION = f"""
FROM {MODEL}-api:test
USER 0
RUN apt-get update && apt-get install --yes --no-install-recommends iptables
CMD iptables -A OUTPUT -p tcp --dport 5432 -j DROP && sleep 70; iptables -F OUTPUT
"""
# Tells another replica something twenty times, and prints how long it took at most until this one knew it by itself,
# and how often it did not know it when it was asked with X-Read-After.
LISTEN = """
import json, sys, time, urllib.request
other, body = sys.argv[1], sys.argv[2].encode()

def ask(host, path, body=None, after=0):
    headers = {"Content-Type": "application/json", "X-Read-After": str(after)}
    return urllib.request.urlopen(urllib.request.Request(f"http://{host}:8000{path}", body, headers), timeout=5)

longest, misses = 0, 0
for number in range(20):
    position = json.load(ask(other, "/events", body))["position"]
    told = time.monotonic()
    if number % 2:
        misses += int(ask("127.0.0.1", "/users/1/recommendations", after=position).headers["X-Position"]) < position
    while json.load(ask("127.0.0.1", "/model"))["events"]["position"] < position:
        time.sleep(0.005)
    longest = max(longest, 0 if number % 2 else time.monotonic() - told)
    time.sleep(number * 0.03)
print(longest, misses)
"""


def test_a_store_that_is_stopped_refuses_and_loses_nothing(
    deployment: Deployment, breaking_events: BreakEvents
) -> None:
    with breaking_events("PostgreSQL is stopped for 15 s") as broken:
        deployment.compose("stop", "postgres")
        time.sleep(DOWN_SECONDS)
        deployment.compose("start", "postgres")
        _wait_for_everything(deployment)
        broken.healed()
    assert broken.clients.failures == []
    assert broken.writer.refusals.keys() == {"events_unavailable"}
    assert broken.lost == set()


def test_a_store_that_hangs_refuses_within_two_seconds(deployment: Deployment, breaking_events: BreakEvents) -> None:
    postgres = deployment.container("postgres")
    with breaking_events("PostgreSQL hangs for 15 s") as broken:
        docker("pause", postgres)
        time.sleep(DOWN_SECONDS)
        docker("unpause", postgres)
        _wait_for_everything(deployment)
        broken.healed()
    assert broken.clients.failures == []
    assert broken.clients.slowest < 2
    assert broken.writer.refusals.keys() == {"events_unavailable"}
    assert broken.writer.slowest < 3
    assert broken.lost == set()


def test_a_replica_that_can_not_reach_the_store_refuses_and_the_others_do_not(
    deployment: Deployment, breaking_events: BreakEvents
) -> None:
    replica = deployment.replicas()[0]
    with breaking_events("a replica is cut off the store for 15 s") as broken:
        docker("network", "disconnect", NETWORK, replica)
        time.sleep(DOWN_SECONDS)
        stored_meanwhile = [moment for moment in broken.writer.stored.values() if moment > broken.began]
        docker("network", "connect", NETWORK, replica)
        _wait_for_everything(deployment)
        broken.healed()
    assert broken.clients.failures == []
    assert len(stored_meanwhile) > 0
    assert broken.writer.refusals.keys() == {"events_unavailable"}
    assert broken.lost == set()


def test_a_replica_whose_packets_vanished_knows_events_seconds_after_the_network_is_whole(
    deployment: Deployment, breaking_events: BreakEvents, scratch: Path
) -> None:
    (scratch / "Dockerfile").write_text(PARTITION, encoding="utf-8")
    docker("build", "--quiet", "--tag", f"{MODEL}-partition:test", str(scratch))
    replica = deployment.replicas()[0]
    with breaking_events("packets between a replica and the store vanish for 70 s") as broken:
        network = ("--network", f"container:{replica}", "--cap-add", "NET_ADMIN")
        docker("run", "--rm", *network, f"{MODEL}-partition:test")
        whole = time.monotonic()
        wait_until(lambda: _follows_events(replica), step=0.5)
        again_after = time.monotonic() - whole
        _wait_for_everything(deployment)
        broken.healed()
    print(f"\nthe reader follows again after {again_after:.1f} s")  # noqa: T201
    assert broken.clients.failures == []
    assert broken.lost == set()
    assert again_after < 20


def test_a_replica_that_hears_no_notification_knows_after_a_second(
    deployment: Deployment, breaking_events: BreakEvents
) -> None:
    url = "postgresql://events_service@deaf-postgres/events?sslmode=disable"
    options = ("--detach", "--init", "--network", NETWORK, "--network-alias", "deaf-postgres")
    proxy = docker("run", *options, f"{MODEL}-train:test", "python", "-c", DEAF)
    run = ("run", "--detach", "--no-deps", "--use-aliases", "--rm", "--env", f"EVENTS_URL={url}", "api")
    first, second = deployment.replicas()[:2]
    with breaking_events("a replica gets no notification of new events") as broken:
        deaf = deployment.compose(*run)
        try:
            wait_until(lambda: _follows_events(deaf), step=0.5)
            hearing_after, hearing_missed = _listen(second, first)
            deaf_after, deaf_missed = _listen(deaf, first)
            broken.healed_after = deaf_after
        finally:
            docker("stop", "--time", "40", deaf)
            docker("rm", "--force", proxy)
    print(f"\nlongest until a replica knew: {hearing_after:.3f} s; without notifications: {deaf_after:.3f} s")  # noqa: T201
    assert broken.clients.failures == []
    assert broken.lost == set()
    assert (hearing_missed, deaf_missed) == (0, 0)
    assert deaf_after < 3


def _follows_events(replica: str) -> bool:
    return bool(model_of(replica).get("events", {}).get("status") == "ok")


def _listen(replica: str, other: str) -> tuple[float, int]:
    """The longest time until the replica knew what the other one was told, and what it missed with X-Read-After."""
    body = json.dumps({"events": [{"user_id": "told", "item_id": FILM, "type": "watch"}]})
    longest, missed = docker("exec", replica, "python", "-c", LISTEN, other[:12], body).split()
    return float(longest), int(missed)


def test_a_restore_loses_what_came_after_the_backup_and_nothing_else(
    deployment: Deployment, breaking_events: BreakEvents, scratch: Path
) -> None:
    [before] = deployment.sql("SELECT id FROM store")
    with breaking_events("everything is restored from a backup of the moment before") as broken:
        assert deployment.script("backup", str(scratch / "backup")).returncode == 0
        saved = time.monotonic()
        assert deployment.script("restore", str(scratch / "backup")).returncode == 0
        restored = time.monotonic()
        _wait_for_everything(deployment)
        broken.healed()
    assert broken.clients.failures == []
    assert broken.writer.refusals.keys() <= {"events_unavailable"}
    stored = broken.writer.stored
    assert [event for event in broken.lost if not broken.began < stored[event] < restored] == []
    assert max(stored.values()) > restored > saved
    assert deployment.sql("SELECT id FROM store") != [before]


def test_who_is_forgotten_is_unknown_at_once_and_the_keeper_deletes_what_they_said(deployment: Deployment) -> None:
    replicas = deployment.replicas()
    said = {"events": [{"user_id": "regretful", "item_id": FILM, "type": "like"}]}
    path, rows = "/users/regretful/recommendations", "SELECT type FROM event WHERE user_id = 'regretful'"
    position = ask(replicas[0], "/events", said)["position"]
    assert {_source(each, path, position) for each in replicas} == {"personalised"}
    headers = {"Authorization": f"Bearer {deployment.password('ADMIN_TOKEN')}"}
    answer = Client(deployment.port).get("/users/regretful", "DELETE", headers)
    assert answer.status == 200, answer.body
    assert {_source(each, path, answer.json["position"]) for each in replicas} == {"popular"}
    assert sorted(deployment.sql(rows)) == ["forget", "like"]
    deployment.compose("restart", "events-keeper")
    wait_until(lambda: deployment.sql(rows) == ["forget"], step=0.5)


def _source(replica: str, path: str, after: int) -> str:
    return str(ask(replica, path, X_Read_After=str(after))["source"])


def _wait_for_everything(deployment: Deployment) -> None:
    deployment.wait_for("1")
    wait_until(deployment.know_events, step=0.5)
