"""The local page: who is let in, what it tells, ranges of video, and that a kill loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from semiology.cli import app as command_line
from semiology.reports.review.server import review_app, token_of
from semiology.reports.review.sheet import Sample
from semiology.reports.review.store import STORE, RatingStore

TOKEN = "t" * 32
BASE = "http://127.0.0.1:8765"
VIDEO = bytes(range(256)) * 40


@pytest.fixture
def client(review_folder: tuple[Path, Sample], tmp_path: Path) -> Iterator[TestClient]:
    folder, sample = review_folder
    video = tmp_path / "film.mp4"
    video.write_bytes(VIDEO)
    store = RatingStore(folder / STORE)
    app = review_app(sample.cases, store, "AB", TOKEN, {sample.cases[0].video_id: video})
    with TestClient(app, base_url=BASE) as made:
        yield made
    store.close()


def test_without_the_token_or_under_another_name_nobody_gets_in(client: TestClient) -> None:
    assert client.get(f"/{TOKEN}/").status_code == 200
    for address in ("/", "/x/", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/api/review", "//", "/docs", "/openapi.json"):
        assert client.get(address).status_code == 404, address
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[::1", "0.0.0.0"):
        assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 421, host
    assert client.get(f"/{TOKEN}/", headers={"host": "localhost:8765"}).status_code == 200


def test_other_pages_cannot_write(client: TestClient, review_folder: tuple[Path, Sample]) -> None:
    item = review_folder[1].cases[0].item
    address = f"/{TOKEN}/api/ratings/{item}"
    refused = (
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
    )
    for headers, status in refused:
        sent = {"content-type": "application/json"} | headers
        assert client.put(address, content=b'{"rating": 3}', headers=sent).status_code == status
    assert client.put(address, json={"rating": 3, "comment": "x" * 70_000}).status_code == 413
    assert client.put(address, json={"rating": 3}, headers={"origin": BASE}).status_code == 200


def test_every_reply_carries_the_policy_and_text_stays_text(client: TestClient) -> None:
    for address in (f"/{TOKEN}/", f"/{TOKEN}/api/review", f"/{TOKEN}/review.js", "/nothing"):
        reply = client.get(address)
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
    page = client.get(f"/{TOKEN}/").text
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    script = client.get(f"/{TOKEN}/review.js").text
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script
    assert client.get(f"/{TOKEN}/api/review").headers["content-type"] == "application/json"


def test_a_rater_sees_neither_model_nor_patient_nor_kind(client: TestClient) -> None:
    case = client.get(f"/{TOKEN}/api/review").json()["cases"][0]
    assert not {"model", "patient_id", "kind", "enhancement"} & set(case)


def test_ratings_are_kept_and_what_is_no_rating_is_refused(
    client: TestClient, review_folder: tuple[Path, Sample]
) -> None:
    folder, sample = review_folder
    first, second = sample.cases[0].item, sample.cases[1].item
    for body in ({"rating": 4}, {"rating": 2, "comment": "öß عربي <b>"}):
        assert client.put(f"/{TOKEN}/api/ratings/{first}", json=body).json() == {"saved": first}
    bad = ({"rating": 0}, {"rating": 6}, {"rating": "5"}, {"rating": 2.5}, {"rating": True}, {"stars": 5}, [])
    for wrong in bad:
        assert client.put(f"/{TOKEN}/api/ratings/{second}", json=wrong).status_code == 422, wrong
    endless = client.put(
        f"/{TOKEN}/api/ratings/{second}",
        content='{"rating":1e400}',
        headers={"Content-Type": "application/json"},
    )
    assert endless.status_code == 422
    assert "rating" in endless.text
    assert client.put(f"/{TOKEN}/api/ratings/nowhere", json={"rating": 1}).status_code == 404
    shown = {case["item"]: case for case in client.get(f"/{TOKEN}/api/review").json()["cases"]}
    assert (shown[first]["rating"], shown[first]["comment"]) == (2, "öß عربي <b>")
    assert shown[second]["rating"] is None
    other = RatingStore(folder / STORE)
    assert [(r.rater, r.rating) for r in other.latest()] == [("AB", 2)]
    other.close()


def test_video_is_given_in_parts_and_only_that_of_the_set(
    client: TestClient, review_folder: tuple[Path, Sample]
) -> None:
    cases = review_folder[1].cases
    item = cases[0].item
    part = client.get(f"/{TOKEN}/video/{item}", headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == VIDEO[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(VIDEO)}"
    assert client.get(f"/{TOKEN}/video/{item}").content == VIDEO
    other = next(case.item for case in cases if case.video_id != cases[0].video_id)
    for name in (other, "nowhere", "..%2F..%2Fetc%2Fpasswd", "film.mp4"):
        assert client.get(f"/{TOKEN}/video/{name}").status_code == 404


def test_the_token_is_kept_for_its_owner(tmp_path: Path) -> None:
    made = token_of(tmp_path)
    assert len(made) >= 32
    assert token_of(tmp_path) == made
    assert ((tmp_path / "token").stat().st_mode & 0o077) == 0
    (tmp_path / "token").write_text("short")
    assert token_of(tmp_path) not in ("short", made)


def test_a_name_of_a_rater_is_plain(review_folder: tuple[Path, Sample]) -> None:
    folder, sample = review_folder
    store = RatingStore(folder / STORE)
    with pytest.raises(ValueError, match="initials"):
        review_app(sample.cases, store, "Dr. A/../B", TOKEN, {})
    store.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "semiology.cli", "review", "serve", str(folder)]
    return subprocess.Popen(
        [*command, "--rater", "AB", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if k != "SEMIOLOGY_DATA"},
    )


def _ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            client.get("api/review").raise_for_status()
            return
        time.sleep(0.1)
    pytest.fail(f"the server ended with status {server.returncode}")


def test_a_killed_server_has_lost_nothing_that_it_acknowledged(
    review_folder: tuple[Path, Sample],
) -> None:
    folder, sample = review_folder
    port = _free_port()
    base = f"http://127.0.0.1:{port}/{token_of(folder)}/"
    acknowledged: dict[str, int] = {}
    for round_ in range(2):
        server = _start(folder, port)
        try:
            with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
                _ready(client, server)
                kept = {c["item"]: c["rating"] for c in client.get("api/review").json()["cases"]}
                assert {item: value for item, value in kept.items() if value is not None} == acknowledged
                for i, case in enumerate(sample.cases[: 10 + 5 * round_]):
                    value = 1 + (i + round_) % 5
                    client.put(f"api/ratings/{case.item}", json={"rating": value}).raise_for_status()
                    acknowledged[case.item] = value
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()
    store = RatingStore(folder / STORE)
    assert {rating.item: rating.rating for rating in store.latest("AB")} == acknowledged
    store.close()


def test_the_server_listens_on_this_machine_alone(review_folder: tuple[Path, Sample]) -> None:
    folder, _ = review_folder
    port = _free_port()
    server = _start(folder, port)
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/{token_of(folder)}/", trust_env=False, timeout=60
        ) as client:
            _ready(client, server)
        listening = (
            Path("/proc/net/tcp").read_text(encoding="ascii") if Path("/proc/net/tcp").exists() else ""
        )
        rows = [line.split() for line in listening.splitlines()[1:]]
        addresses = {row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
        if not addresses:
            pytest.skip("this system does not tell who listens where")
        assert addresses == {f"0100007F:{port:04X}"}
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def test_a_port_that_is_taken_is_named_before_an_address_is_told(review_folder: tuple[Path, Sample]) -> None:
    folder, _ = review_folder
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = CliRunner().invoke(
            command_line,
            ["review", "serve", str(folder), "--rater", "AB", "--port", str(port)],
            env={"SEMIOLOGY_DATA": None},
        )
    assert isinstance(told.exception, ValueError)
    assert f"port {port} of this machine cannot be used" in str(told.exception)
    assert "http://" not in told.output
