"""A small language model that writes wordings, to walk the road of a proposing model without one from a hub.

    python benchmarks/wording_language_model.py --out FOLDER [--features tonic,close_eyes] [--steps 150]
    transformers serve FOLDER --host 127.0.0.1 --port 8000 --device cpu
    semiology optimize ... --proposer FOLDER@http://127.0.0.1:8000/v1

It is a GPT-2 of some 640,000 weights with a tokenizer of its own, trained for about a minute on one core on
what a proposing model is sent (with drawn verdicts) and on wordings that the offline grammar made from it. So
it shows the road: server, sampling, refusals, lineage. It has read nothing else, and says nothing about what
a model that has would propose. `LanguageModelServer` serves it, or any other, for tests and measurements.
"""

from __future__ import annotations

import functools
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from measuring import parser as described_parser

COMMAND = "from transformers.cli.transformers import app; app()"
"""As the script ``transformers``, without its look for a newer version on the internet."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
FEATURES = ("tonic", "close_eyes")
CONTEXT = 384
"""Longest text in tokens: what a search sends fits with eight recordings, but not with some dozens."""
VOCABULARY = 1500
TOKEN_CHARACTERS = 40
END = "<|end|>"
CHAT = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""The chat layout, as every causal model brings one: roles are tokens, and every message has an end."""


@dataclass(frozen=True)
class Recipe:
    """How the model is trained.

    Attributes:
        examples: pairs of what is sent and a wording. steps: updates. batch: pairs in each.
        width, layers, heads: of the transformer.
        learning_rate: highest, reached after a tenth of the steps.
        seed: of all draws.
    """

    features: tuple[str, ...] = FEATURES
    examples: int = 800
    steps: int = 150
    batch: int = 8
    width: int = 128
    layers: int = 2
    heads: int = 4
    learning_rate: float = 3e-3
    seed: int = 0


def main() -> None:
    """Train the model and write its folder."""
    parser = described_parser(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of weights and tokenizer")
    parser.add_argument("--features", default=",".join(FEATURES), help="features, comma-separated")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = tuple(options.features.split(","))
    train(options.out, Recipe(features=names, steps=options.steps, seed=options.seed))


def lessons(recipe: Recipe) -> list[tuple[str, str]]:
    """Return pairs of what a proposing model is sent and what it shall reply.

    The texts are those of a search (`proposers.language_model`); which recordings were missed or
    falsely called is drawn, no recording is read. The reply is the variant that the offline proposer makes.

    Raises:
        KeyError: a feature is unknown.
    """
    from semiology.optimization.proposers.grammar_walk import OfflineProposer, feature_grammar
    from semiology.optimization.proposers.language_model import ReflectiveProposer
    from semiology.optimization.proposers.rules import CandidateRules

    rng = random.Random(recipe.seed)  # noqa: S311 - training data, not a secret
    rules = {name: CandidateRules(name, frozenset()) for name in recipe.features}
    grammars = {name: feature_grammar(each) for name, each in rules.items()}
    offline = {name: OfflineProposer(each, recipe.seed) for name, each in rules.items()}
    asking = ReflectiveProposer(str, max_characters=700)
    pairs = []
    while len(pairs) < recipe.examples:
        name = recipe.features[len(pairs) % len(recipe.features)]
        wording = _drawn_wording(grammars[name].slots, rng)
        records = _drawn_records(name, wording, rng)
        found = wording
        for _ in range(rng.randint(1, 3)):
            found = offline[name].propose(found, records)
        pairs.append((asking.task(wording, records), f"<wording>{found}</wording>"))
    return pairs


def _drawn_wording(slots: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    from semiology.optimization.proposers.grammar_walk import Construction

    chosen = {
        slot: rng.choice(values)
        for slot, values in slots.items()
        if values and slot != "question" and rng.random() < 0.2
    }
    return Construction(rng.choice(slots["question"]), **chosen).instruction


def _drawn_records(feature: str, wording: str, rng: random.Random) -> list[dict[str, Any]]:
    """Return what a proposer reads about a minibatch: half of it with the feature, answers drawn."""
    from semiology.optimization.search.asking import Said
    from semiology.optimization.search.examples import Example
    from semiology.optimization.search.gepa import proposer_record

    yes_rate = rng.random()
    records = []
    for number, truth in enumerate(("yes",) * 4 + ("no",) * 4, start=1):
        answer = "yes" if rng.random() < yes_rate else "no"
        reason = rng.choice(_statements()) if rng.random() < 0.5 else None
        example = Example(feature, "", "", truth, (0,), reason)
        records.append(proposer_record(example, Said(answer, (answer,)), number, wording))
    return records


@functools.lru_cache(maxsize=1)
def _statements() -> tuple[str, ...]:
    """Return sentences about all features, to stand for what annotators wrote: they are no hint, only text."""
    from semiology.features import FEATURES as ALL
    from semiology.optimization.proposers.rules import last_sentence
    from semiology.prompts.library import load_library

    entries = [load_library().feature(name) for name in ALL]
    return tuple(last_sentence(each.reference.text).replace("?", ".") for each in entries)


def train(out: Path, recipe: Recipe = Recipe()) -> Path:
    """Train the model, write weights (safetensors), tokenizer and chat layout; return the folder.

    The same recipe gives the same weights on the same machine and libraries.
    """
    import torch
    from tqdm import tqdm

    pairs = lessons(recipe)
    tokenizer = trained_tokenizer(pairs)
    torch.manual_seed(recipe.seed)
    model = _untrained(len(tokenizer), tokenizer.eos_token_id, recipe)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    model.train()
    bar = tqdm(_batches(pairs, tokenizer, recipe), total=recipe.steps, mininterval=5)
    for inputs, labels in bar:
        loss = model(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        optimizer.zero_grad()
        bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
    model.eval()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def trained_tokenizer(pairs: Sequence[tuple[str, str]]) -> Any:
    """Return a byte-level BPE tokenizer learned from the lessons.

    Its tokens may hold several words, so that the sentences that are in every text cost few of them.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    roles = [END, "<|user|>", "<|assistant|>", "<|system|>"]
    raw = Tokenizer(models.BPE())
    lines = pre_tokenizers.Split("\n", "merged_with_previous")
    sentences = pre_tokenizers.Split(". ", "merged_with_previous")
    tags = [pre_tokenizers.Split(tag, "isolated") for tag in ("<wording>", "</wording>")]
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.pre_tokenizer = pre_tokenizers.Sequence([lines, sentences, *tags, bytes_])
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=roles,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=TOKEN_CHARACTERS,
        show_progress=False,
    )
    raw.train_from_iterator((text for pair in pairs for text in pair), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=END,
        pad_token=END,
        chat_template=CHAT,
        model_max_length=CONTEXT,
    )


def _untrained(vocabulary: int, end: int, recipe: Recipe) -> Any:
    """Return the model before training; its positions are learned, so that a longer text is an error."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=CONTEXT,
        n_embd=recipe.width,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        loss_type="ForCausalLM",
    )
    model = GPT2LMHeadModel(config)
    model.generation_config.do_sample = True
    return model


def _batches(
    pairs: Sequence[tuple[str, str]], tokenizer: Any, recipe: Recipe
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield padded batches; only the reply and its end are learned."""
    import torch

    def tokens(pair: tuple[str, str]) -> tuple[list[int], int]:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": pair[0]}], add_generation_prompt=True, tokenize=False
        )
        before = tokenizer(asked, add_special_tokens=False)["input_ids"]
        reply = tokenizer(pair[1] + END, add_special_tokens=False)["input_ids"]
        return before + reply, len(before)

    rows = [tokens(pair) for pair in pairs]
    rows = [row for row in rows if len(row[0]) <= CONTEXT]
    rng = random.Random(recipe.seed)  # noqa: S311 - an order, not a secret
    for _ in range(recipe.steps):
        drawn = rng.sample(rows, recipe.batch)
        length = max(len(row) for row, _ in drawn)
        ids = torch.full((recipe.batch, length), tokenizer.pad_token_id)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for place, (row, start) in enumerate(drawn):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
            labels[place, start : len(row)] = torch.tensor(row[start:])
        yield {"input_ids": ids, "attention_mask": mask}, labels


class ServerError(RuntimeError):
    """The server ended before it served; the message holds the end of what it wrote."""


class LanguageModelServer:
    """An OpenAI-compatible server of every model folder on this machine; a request names the folder.

    Attributes:
        address: where it listens, with ``/v1``; the same after `start` as after `kill`.
    """

    def __init__(self, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._log, self._port = log, int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerError: it ended before.
        """
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--device", "cpu", "--default-seed", "0"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-c", COMMAND, "serve", *options],
                stdout=log, stderr=log, env={**os.environ, **OFFLINE},
            )  # fmt: skip
        while not self.answers():
            if self._process.poll() is not None:
                raise ServerError(f"transformers serve ended: {self._log.read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answers(self) -> bool:
        """Return whether the server is there."""
        try:
            with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self._port}/health", timeout=5):
                return True
        except (URLError, TimeoutError, ConnectionError):
            return False

    def __enter__(self) -> LanguageModelServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


if __name__ == "__main__":
    main()
