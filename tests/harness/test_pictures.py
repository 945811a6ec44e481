"""What a server class really sends for a segment: each picture is the frame it stands for, however often it asks."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lmms_eval.api.instance import Instance
from lmms_eval.models.model_utils import media_encoder
from PIL import Image

from semiology.harness.pictures import PicturesError, key_pictures_by_content

FRAMES = 30
"""Frames of the film, one a second half; the segment shows all of them."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 15 s at 2 frames a second whose frames all differ."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for number in range(FRAMES):
            picture = np.random.default_rng(number).integers(0, 255, (6, 8, 3)).repeat(32, 0).repeat(32, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def recorder() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that keeps what it is sent and always answers yes."""
    bodies: list[dict[str, Any]] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
            message = {"role": "assistant", "content": "yes"}
            reply |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            sent = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", bodies
    server.shutdown()
    server.server_close()


def pictures_of(body: dict[str, Any]) -> list[np.ndarray]:
    parts = [
        part for message in body["messages"] for part in message["content"] if part["type"] == "image_url"
    ]
    encoded = [part["image_url"]["url"].split(",", 1)[1] for part in parts]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")) for text in encoded]


def stock_class(name: str, address: str) -> Any:
    """Return one of lmms-eval's classes in front of a server."""
    if name == "openai":
        from lmms_eval.models.chat.openai import OpenAICompatible

        return OpenAICompatible(
            model_version="m", base_url=address, api_key="none", video_fps=2, num_concurrent=1
        )
    from lmms_eval.models.chat.async_openai import AsyncOpenAIChat

    return AsyncOpenAIChat(model_version="m", base_url=address, api_key="none", fps=2, num_cpus=2)


def wrong_pictures(name: str, film: Path, address: str, bodies: list[dict[str, Any]]) -> int:
    """Ask a stock class eight questions about one segment and count pictures that are not their frame."""
    from qwen_vl_utils import fetch_video

    lm = stock_class(name, address)
    content = [
        {"type": "video", "url": str(film), "start_time": 0.0, "end_time": 15.0},
        {"type": "text", "text": "?"},
    ]
    lm.task_dict = {"t": {"test": [0] * 8}}
    arguments = [
        ("?", lambda _: [{"role": "user", "content": content}], {"max_new_tokens": 8}, number, "t", "test")
        for number in range(8)
    ]
    requests = [
        Instance(
            request_type="generate_until",
            arguments=each,
            idx=0,
            metadata={"task": "t", "doc_id": n, "repeats": 1},
        )
        for n, each in enumerate(arguments)
    ]
    lm.generate_until(requests)
    limits = {each: getattr(lm, each) for each in ("min_pixels", "max_pixels") if name == "async_openai"}
    shown = fetch_video(
        {"type": "video", "video": str(film), "video_start": 0.0, "video_end": 15.0, "fps": 2} | limits
    )
    true = [frame.permute(1, 2, 0).numpy().astype(np.uint8) for frame in shown]
    assert len(bodies) == 8
    assert all(len(pictures_of(body)) == len(true) >= FRAMES - 2 for body in bodies)
    return sum(
        not np.array_equal(sent, frame)
        for body in bodies
        for sent, frame in zip(pictures_of(body), true, strict=True)
    )


@pytest.mark.parametrize("name", ["openai", "async_openai"])
def test_a_server_class_sends_the_frames_of_the_segment(
    name: str, film: Path, recorder: tuple[str, list[dict[str, Any]]]
) -> None:
    key_pictures_by_content()
    key_pictures_by_content()  # a second call changes nothing
    assert wrong_pictures(name, film, *recorder) == 0


def test_pictures_of_other_content_never_share_a_key() -> None:
    key_pictures_by_content()
    kept: dict[tuple[object, ...], str] = {}
    sent = []
    for shade in range(50):  # each picture is freed before the next is made, which gives addresses again
        sent.append(
            media_encoder.encode_image_to_base64(Image.new("RGB", (64, 64), (shade, 0, 0)), cache=kept)
        )
    assert len(set(sent)) == 50
    palette = Image.new("P", (4, 4))
    one, two = palette.copy(), palette.copy()
    one.putpalette([255, 0, 0])
    two.putpalette([0, 255, 0])
    assert len({media_encoder.encode_image_to_base64(each, cache=kept) for each in (one, two)}) == 2


def test_an_lmms_eval_that_encodes_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(media_encoder, "_build_cache_key")
    with pytest.raises(PicturesError, match=r"lmms-eval==0\.7\.3"):
        key_pictures_by_content()


def test_the_reproduction_for_upstream_shows_the_fault_and_that_it_is_closed() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models" / "model_classes.md").read_text(
        encoding="utf-8"
    )
    (program,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    closed = "from semiology.harness.pictures import key_pictures_by_content\nkey_pictures_by_content()\n"
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (program, closed + program)
    ]
    wrong, none = (int(text.partition(" of 200")[0]) for text in told)
    assert wrong > 0
    assert none == 0
