"""A server of this machine cannot pass media on, and no library calls home: tried with recorders."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from semiology.privacy import socket_guard
from semiology.privacy.http_clients import ElsewhereError, guard_client_of, http_client
from semiology.privacy.staying_here import OFFLINE, SILENT, fetching, stay_here

ELSEWHERE = "192.0.2.1"  # an address of documentation


@pytest.fixture
def guarded() -> Iterator[None]:
    socket_guard.refuse_other_machines()
    yield
    socket_guard.allow_other_machines()


class Recorder(ThreadingHTTPServer):
    """Answers every POST with a redirect, or with a reply where none is given; keeps what it was sent."""

    def __init__(self, location: str = "") -> None:
        server = self
        self.got: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                reply = json.dumps(
                    {"choices": [{"message": {"role": "assistant", "content": "yes"}}]}
                ).encode()
                self.send_response(307 if location else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *arguments: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


def test_a_redirect_is_not_followed_and_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from openai import OpenAI, OpenAIError

    from semiology.backends.text.served import TextModelError, served_text_model

    thief = Recorder()
    server = Recorder(location=thief.address)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{thief.server_port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    lm = SimpleNamespace(client=OpenAI(api_key="none", base_url=server.address, max_retries=0))
    guard_client_of(lm)
    with pytest.raises(OpenAIError):
        lm.client.chat.completions.create(model="m", messages=[{"role": "user", "content": "secret"}])
    with pytest.raises(TextModelError):
        served_text_model("m", server.address, setting="--judge", retries=0)("secret")
    assert len(server.got) == 2
    assert thief.got == []


def test_an_asynchronous_client_is_guarded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from openai import AsyncOpenAI, OpenAIError

    thief = Recorder()
    server = Recorder(location=thief.address)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{thief.server_port}")
    lm = SimpleNamespace(client=AsyncOpenAI(api_key="none", base_url=server.address, max_retries=0))
    guard_client_of(lm)

    async def ask() -> None:
        await lm.client.chat.completions.create(model="m", messages=[{"role": "user", "content": "secret"}])

    with ThreadPoolExecutor(1) as beside, pytest.raises(OpenAIError):  # another loop may run in this thread
        beside.submit(asyncio.run, ask()).result()
    assert (len(server.got), thief.got) == (1, [])


def test_every_request_is_looked_at() -> None:
    client = http_client("http://127.0.0.1:9/v1")
    with pytest.raises(ElsewhereError, match=ELSEWHERE):
        client.get(f"http://{ELSEWHERE}/v1")
    with pytest.raises(ElsewhereError):
        client.get("http://[::1%25eth0]/v1")


@pytest.mark.usefixtures("guarded")
def test_connections_to_other_machines_are_refused_and_name_who_asked(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(socket_guard.RefusedConnectionError, match=rf"{ELSEWHERE}:80.*test_nothing_leaves"):
        socket.create_connection((ELSEWHERE, 80), timeout=1)
    with pytest.raises(OSError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(httpx.ConnectError, match="test_nothing_leaves"):
        httpx.get(f"http://{ELSEWHERE}/", trust_env=False)
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with pytest.raises(socket_guard.RefusedConnectionError):
        datagram.sendto(b"x", (ELSEWHERE, 53))
    with pytest.raises(socket_guard.RefusedConnectionError):
        datagram.connect_ex((ELSEWHERE, 53))
    sixth = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with pytest.raises(socket_guard.RefusedConnectionError):
        sixth.connect(("::ffff:192.0.2.1", 53))
    told = capfd.readouterr().err
    assert f"a connection to {ELSEWHERE}:80 was refused" in told


@pytest.mark.usefixtures("guarded")
def test_this_machine_is_reached_as_ever() -> None:
    server = Recorder()
    assert httpx.post(f"{server.address}/x", content=b"a", trust_env=False).status_code == 200
    assert httpx.post(f"http://localhost:{server.server_port}/x", content=b"a", trust_env=False).is_success
    here, there = socket.socketpair()
    here.sendmsg([b"a"])
    assert there.recv(1) == b"a"


@pytest.mark.usefixtures("guarded")
def test_children_are_guarded_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.hidden_ran = True")
    environment = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{tmp_path}"}
    code = (
        f"import socket, sys; assert sys.hidden_ran; socket.create_connection(('{ELSEWHERE}', 80), timeout=1)"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert child.returncode == 1
    assert f"a connection to {ELSEWHERE}:80 was refused" in child.stderr


def test_a_download_that_was_asked_for_is_possible_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    for name in (
        *OFFLINE,
        *SILENT,
        "SEMIOLOGY_ALLOW_REMOTE",
        "SEMIOLOGY_ALLOW_DOWNLOAD",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.setenv(name, "0")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    try:
        stay_here()
        assert socket_guard.refuses_other_machines()
        assert os.environ["HF_UPDATE_DOWNLOAD_COUNTS"] == "0"
        assert constants.HF_HUB_OFFLINE
        with fetching():
            assert not socket_guard.refuses_other_machines()
            assert (os.environ.get("HF_HUB_OFFLINE"), constants.HF_HUB_OFFLINE) == (None, False)
        assert socket_guard.refuses_other_machines()
        assert (os.environ["HF_HUB_OFFLINE"], constants.HF_HUB_OFFLINE) == ("1", True)
        assert os.environ["no_proxy"] == "*"
    finally:
        socket_guard.allow_other_machines()


@pytest.mark.parametrize("allowed", ["SEMIOLOGY_ALLOW_REMOTE", "SEMIOLOGY_ALLOW_DOWNLOAD"])
def test_what_the_user_allowed_is_not_refused(allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OFFLINE, *SILENT):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv(allowed, "1")
    stay_here()
    assert not socket_guard.refuses_other_machines()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert os.environ["HF_UPDATE_DOWNLOAD_COUNTS"] == "0"


_WATCH = """
import socket, struct, sys, subprocess
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(0x0003))
raw.bind(("canary0", 0)); raw.settimeout(0.2)
done = subprocess.run(sys.argv[1:])
seen = 0
try:
    while True:
        frame = raw.recv(65535)
        kind = struct.unpack("!H", frame[12:14])[0]
        # IPv4, and requests for the neighbour that it would go to; not IPv6's own chatter.
        seen += kind in (0x0800, 0x0806)
except TimeoutError:
    pass
print("PACKETS", seen)
sys.exit(done.returncode)
"""
_NETWORK = " && ".join(
    [
        "ip link set lo up",
        "ip link add canary0 type veth peer name canary1",
        "ip link set canary1 up",
        "ip addr add 198.51.100.2/24 dev canary0",
        "ip link set canary0 up",
        "ip route add default via 198.51.100.1",
    ]
)


def in_a_namespace(command: list[str], environment: dict[str, str]) -> tuple[int, int, str]:
    """Return exit status, packets that a recorder saw on the way out, and what was said."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("this machine has no unshare and ip to make a network of its own")
    probe = subprocess.run(["unshare", "-rn", "sh", "-c", _NETWORK], capture_output=True)
    if probe.returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    watched = [sys.executable, "-S", "-c", _WATCH, *command]
    shell = ["unshare", "-rn", "sh", "-c", f'{_NETWORK} && exec "$@"', "sh", *watched]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=550)
    said = done.stdout + done.stderr
    return done.returncode, int(said.split("PACKETS")[1].split()[0]), said


def test_the_recorder_sees_what_leaves() -> None:
    code = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{ELSEWHERE}', 9))"
    status, packets, _ = in_a_namespace([sys.executable, "-c", code], dict(os.environ))
    assert status == 0
    assert packets > 0


@pytest.mark.slow
def test_no_command_sends_a_packet(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "SEMIOLOGY_CACHE": str(tmp_path / "c"),
    }
    semiology = [sys.executable, "-m", "semiology.cli"]
    data, out = str(tmp_path / "set"), str(tmp_path / "out")
    commands = [
        [
            "data",
            "simulate",
            data,
            "--patients",
            "12",
            "--recordings",
            "1",
            "--size",
            "160x120",
            "--fps",
            "10",
        ],
        ["data", "check", data],
        ["run", "--model", "embedded", "--data", data, "--tasks", "semiology_tonic", "--out", out],
        ["report", out, "--data", data],
        [
            "sweep",
            "--model",
            "semiology_constant",
            "--data",
            data,
            "--features",
            "tonic",
            "--out",
            out + "_s",
            "--yes",
        ],
        [
            "optimize",
            "--model",
            "semiology_constant",
            "--data",
            data,
            "--features",
            "tonic",
            "--out",
            out + "_o",
        ],
        ["review", "export", out, "--out", out + "_r", "--features", "tonic"],
        ["data", "deidentify", data, str(tmp_path / "opaque")],
        ["demo", "--data", data, "--out", str(tmp_path / "demo")],
        [
            "judge",
            out,
            "--judge",
            "http://127.0.0.1:9/v1",
            "--model",
            "none",
        ],  # nobody listens: told, nothing sent
    ]
    for command in commands:
        status, packets, said = in_a_namespace([*semiology, *command], environment)
        if command[:2] == ["data", "simulate"]:
            sys.path.insert(0, str(Path(__file__).parents[2]))
            from benchmarks.soak.__main__ import both_truths

            both_truths(Path(data) / "annotations.csv")
        assert packets == 0, f"{command}: {said[-2000:]}"
        # The small model writes no justification that could be reviewed or judged.
        nothing = ("no correct answer has a justification", "nothing to read", "no text")
        assert status == 0 or any(words in said for words in nothing), f"{command}: {said[-2000:]}"


@pytest.mark.slow
def test_the_review_page_sends_no_packet(tmp_path: Path) -> None:
    """It is served and fetched in a network whose way out is recorded."""
    code = """
import subprocess, sys, time, urllib.request
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from conftest import make_results
from semiology.reports.review.sheet import draw_sample, write_review

folder = Path(sys.argv[1])
write_review(draw_sample(make_results(6), ("tonic",), most=3), folder)
words = ["review", "serve", str(folder), "--rater", "AB", "--port", "8797"]
server = subprocess.Popen([sys.executable, "-m", "semiology.cli", *words], stdout=subprocess.PIPE, text=True)
address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
for _ in range(100):
    try:
        page = urllib.request.urlopen(address).read().decode()
        break
    except OSError:
        time.sleep(0.3)
server.terminate()
print("PAGE", len(page))
"""
    review = Path(__file__).parents[1] / "reports" / "review"
    status, packets, said = in_a_namespace(
        [sys.executable, "-c", code, str(tmp_path / "review"), str(review)], dict(os.environ)
    )
    assert (status, packets) == (0, 0), said[-2000:]
    assert "PAGE" in said


def test_weights_that_are_not_here_come_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    from semiology.privacy.staying_here import download_hint

    monkeypatch.delenv("SEMIOLOGY_ALLOW_DOWNLOAD", raising=False)
    assert "SEMIOLOGY_ALLOW_DOWNLOAD=1" in download_hint(LocalEntryNotFoundError("x"))
    assert "hf download" in download_hint(OSError("We couldn't connect to 'https://huggingface.co' to load"))
    assert download_hint(OSError("disk full")) == ""
