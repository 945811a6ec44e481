"""Stock lmms-eval ``openai`` against ``semiology_openai`` and ``semiology_hf``: same windows and questions.

    semiology serve-command embedded --context 8192 | sh    # in an environment with vLLM
    python benchmarks/served.py --base-url http://127.0.0.1:8000/v1 --server-pid PID --json served.json
    python benchmarks/served.py --stub --questions 1,20    # a stand-in that answers at once

Every cell runs in a fresh process and asks about windows of its own, so that no cell finds another's in the server's
caches. Seconds are those of asking, without loading; processor seconds those of this client, and beside them those of
the server with its children. On a machine with other work seconds tell little: how many processes wanted a core stands
beside them. Simulated film and embedded weights: numbers of cost, none of quality.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import CONSOLE, Clock, parser

STOCK, OURS, IN_PROCESS = "openai", "semiology_openai", "semiology_hf"
WAYS = (STOCK, OURS, IN_PROCESS)
WINDOW_S, FPS = 30.0, 2
SHIFT_S = 0.25
"""Between the windows of one cell and those of the next: their frames differ."""


def main() -> None:
    """Measure every cell, and tell."""
    options = parser(__doc__)
    options.add_argument("--base-url", default="", help="server of the embedded model")
    options.add_argument("--stub", action="store_true", help="ask a stand-in in this process instead")
    options.add_argument("--server-pid", type=int, help="count this process and its children too (psutil)")
    options.add_argument("--ways", default=",".join(WAYS))
    options.add_argument("--questions", default="1,20,120", help="questions per window")
    options.add_argument("--windows", type=int, default=4)
    options.add_argument("--size", default="640x480", help="of the film")
    options.add_argument("--json", type=Path, help="also write the numbers here")
    options.add_argument("--cell", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.cell:
        print(json.dumps(cell(**json.loads(given.cell))))  # noqa: T201
        return
    with TemporaryDirectory() as folder, stand_in(given.stub) as stub:
        film = film_of(Path(folder), given.windows, given.size)
        address = stub or given.base_url
        ways = [way for way in given.ways.split(",") if address or way == IN_PROCESS]
        ways = [way for way in ways if not (stub and way == IN_PROCESS)]
        rows = []
        for number, questions in enumerate(map(int, given.questions.split(","))):
            for place, way in enumerate(ways):
                shift = SHIFT_S * (number * len(ways) + place)
                asked = {"way": way, "film": film, "questions": questions, "windows": given.windows}
                spent = server_seconds(given.server_pid)
                row = run_cell(asked | {"address": address, "shift": shift})
                row["server_seconds"] = server_seconds(given.server_pid) - spent
                rows.append(row)
                tell(rows[-1])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


def tell(row: dict[str, Any]) -> None:
    """Print one cell."""
    hits = "" if row["hits"] is None else f"{row['hits']:.0%}"
    each = 1e3 * row["processor_seconds"] / row["asked"]
    CONSOLE.print(
        f"{row['questions']:>4} questions/window  {row['way']:<17} {row['seconds']:8.1f} s  "
        f"{row['processor_seconds']:8.1f} s client processor  {each:8.1f} ms each  "
        f"{row['megabytes']:9.1f} MB sent  prefix hits {hits or '-':>4}  {row['failed']} failed  "
        f"server {row['server_seconds']:8.1f} s processor  {row['wanting']:.1f} processes per core"
    )


def server_seconds(pid: int | None) -> float:
    """Return the processor seconds so far of a process and its children; 0 where none is named."""
    if pid is None:
        return 0.0
    from psutil import Process

    server = Process(pid)
    times = [each.cpu_times() for each in (server, *server.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def run_cell(asked: dict[str, Any]) -> dict[str, Any]:
    """Measure one cell in a process of its own."""
    command = [sys.executable, __file__, "--cell", json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"SEMIOLOGY_QUIET": "1"})  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def film_of(folder: Path, windows: int, size: str) -> str:
    """Draw a patient long enough for so many windows, and return the film."""
    from semiology.data.simulated import simulate

    width, height = map(int, size.split("x"))
    seconds = (windows - 1) * WINDOW_S / 2 + WINDOW_S + 10
    simulate(
        folder,
        patients=1,
        seed=3,
        recordings_per_patient=1,
        duration_s=(seconds, seconds + 1),
        size=(width, height),
    )
    return str(next(folder.rglob("*.mp4")))


def texts_of(number: int) -> list[str]:
    """Return so many different questions of the library: first one wording of every feature, then the next."""
    from semiology.features import FEATURES
    from semiology.prompts.library import load_library, render

    library = load_library()
    prompts = [library.feature(feature).prompts for feature in FEATURES]
    turns = [[own[turn] for own in prompts if turn < len(own)] for turn in range(max(map(len, prompts)))]
    texts = list(dict.fromkeys(render(prompt) for turn in turns for prompt in turn))
    if len(texts) < number:
        raise SystemExit(f"the library has {len(texts)} questions only")
    return texts[:number]


def cell(way: str, film: str, questions: int, windows: int, address: str, shift: float) -> dict[str, Any]:
    """Ask, and return what it took."""
    import httpx
    from lmms_eval.api.instance import Instance

    from semiology.backends.journal import FAILED
    from semiology.backends.served.cache_hits import counted
    from semiology.harness.pictures import key_pictures_by_content
    from semiology.harness.scheduling import windows_together

    key_pictures_by_content()
    sent = count_bytes(httpx)
    lm = model_of(way, address)
    starts = [shift + number * WINDOW_S / 2 for number in range(windows)]
    rows = [
        {"video": film, "video_id": "film", "start_s": start, "end_s": start + WINDOW_S, "question": text}
        for text in texts_of(questions)
        for start in starts
    ]
    lm.task_dict = {"t": {"test": rows}}
    settings = {"max_new_tokens": 16, "temperature": 0, "do_sample": False, "until": []}
    requests = [
        Instance("generate_until", (row["question"], messages, settings, number, "t", "test"), 0,
                 metadata={"task": "t", "doc_id": number, "repeats": 1})
        for number, row in enumerate(rows)
    ]  # fmt: skip
    before = counted(page_of(address)) if address else None
    clock, began = Clock(), sent[0]
    with windows_together(lm), clock:
        replies = lm.generate_until(requests)
    after = counted(page_of(address)) if address else None
    hits = None
    if before and after and way != IN_PROCESS:
        hits = (after[0] - before[0]) / (after[1] - before[1])
    return {
        "way": way, "questions": questions, "windows": windows, "asked": len(rows),
        "seconds": clock.wall, "processor_seconds": clock.processor, "megabytes": (sent[0] - began) / 1e6, "hits": hits,
        "wanting": os.getloadavg()[0] / (os.cpu_count() or 1),
        "failed": sum(reply.text.startswith(FAILED) or not reply.text for reply in replies),
        "replies": [reply.text for reply in replies],
    }  # fmt: skip


def messages(row: dict[str, Any], *_: Any) -> list[dict[str, Any]]:
    """Return the chat messages of a question."""
    video = {"type": "video", "url": row["video"], "start_time": row["start_s"], "end_time": row["end_s"]}
    return [{"role": "user", "content": [video, {"type": "text", "text": row["question"]}]}]


def model_of(way: str, address: str) -> Any:
    """Return a model class with its documented arguments."""
    from semiology.backends.embedded.sees import CHECKPOINT, MAX_PIXELS, MIN_PIXELS, SHARED_PREFIX_ARGS

    if way == IN_PROCESS:
        from semiology.backends.semiology_hf import SemiologyHF

        return SemiologyHF(str(CHECKPOINT), journal="none", **SHARED_PREFIX_ARGS)
    if way == OURS:
        from semiology.backends.semiology_openai import SemiologyOpenAI

        return SemiologyOpenAI(address, fps=FPS, min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS, journal="none")
    from lmms_eval.models.chat.openai import OpenAICompatible

    name = json.loads(page_of(address, "v1/models"))["data"][0]["id"]
    return OpenAICompatible(
        model_version=name,
        base_url=address,
        api_key="none",
        video_fps=FPS,
        timeout=600,
        httpx_trust_env=False,
    )


def page_of(address: str, page: str = "metrics") -> str:
    """Return a page of the server; empty where there is none."""
    import httpx

    found = httpx.get(address.removesuffix("/v1") + "/" + page, trust_env=False, timeout=10)
    return found.text if found.status_code == httpx.codes.OK else ""


def count_bytes(httpx: Any) -> list[int]:
    """Count the bytes of every request that any client of this process sends."""
    sent, original, lock = [0], httpx.Client.send, threading.Lock()

    def send(client: Any, request: Any, **more: Any) -> Any:
        with lock:
            sent[0] += int(request.headers.get("content-length", 0))
        return original(client, request, **more)

    httpx.Client.send = send
    return sent


@contextmanager
def stand_in(wanted: bool) -> Iterator[str]:
    """Serve chat completions that say yes at once, in vLLM's form; yield the address, empty where none is wanted."""
    if not wanted:
        yield ""
        return
    sizes: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            listed = [
                {"id": "stub", "object": "model", "owned_by": "vllm", "created": 1, "root": "qwen2.5-vl"}
            ]
            self._send({"object": "list", "data": listed} if self.path.endswith("models") else {})

        def do_POST(self) -> None:
            parts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"][-1][
                "content"
            ]
            frames = 0
            for part in parts if isinstance(parts, list) else []:
                key = part.get("uuid", "")
                if part["type"] == "video_url":
                    url = part["video_url"]
                    frames += url["url"].count(",") if url else sizes[key]
                    sizes[key] = frames
            message = {"role": "assistant", "content": "yes"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            usage = {"prompt_tokens": 20 + 6 * frames, "completion_tokens": 1, "total_tokens": 0}
            self._send({"id": "1", "object": "chat.completion", "created": 1, "model": "stub", "choices": [choice],
                        "usage": usage})  # fmt: skip

        def _send(self, said: Any) -> None:
            data = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/v1"
    finally:
        http.shutdown()


if __name__ == "__main__":
    main()
