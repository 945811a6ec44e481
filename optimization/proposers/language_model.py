"""The language model that writes wordings: an OpenAI-compatible server, by default on this machine.

It reads text: the wording, what the library says about the feature, and what the feedback says about recordings
(model replies and annotators' justifications, without ids). It never gets frames or sound.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from semiology.backends.journal import Answer, Journal
from semiology.optimization.proposers.guarded import ReflectionError
from semiology.optimization.search.options import SearchError
from semiology.privacy.addresses import host_of, is_loopback, keep_off_proxies
from semiology.privacy.http_clients import http_client
from semiology.privacy.socket_guard import allow_host
from semiology.tasks.answers.reasoning import without_reasoning

MAX_TOKENS = 1024
TEMPERATURE = 1.0
RETRIES = 2
"""How often a request that failed or took too long is sent again, after growing pauses."""
TOLD = "recordings_told"
FAILED = "no_reply_because"
ERROR_CHARACTERS = 300
Complete = Callable[[str], str]

_TAGGED = re.compile(r"<wording>(.*?)</wording>", re.DOTALL | re.IGNORECASE)
_FENCED = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)

TASK = """You improve the wording of one yes/no question about a video of a patient. A video model is asked it
about every recording and answers yes or no. The present wording is:

<wording>{wording}</wording>

It is about the sign {sign}.
{definition}

What happened with this wording on {count} recordings ({tally}):

{feedback}

Write one better wording. Say in plain words what is to be seen (or heard), and say what does not count if
that helps. It must
- end with exactly one question about this sign that yes or no answers,
- have at most {characters} characters, in one paragraph, without markup,
- name no recording, patient, file or number from above,
- not tell which answer is right, likely or to be given when unsure, and not speak about answers at all.

Reply with the wording alone between <wording> and </wording>."""


class RefusedTextError(ReflectionError):
    """The server is there, but answers this text with an error: it may be too long for the model."""


class ReflectiveProposer:
    """Asks a language model for a better wording.

    A text that the server refuses is sent again with half as many recordings, down to one.

    Args:
        complete: sends a text to the model and returns its reply; raises ReflectionError where none comes.
        journal: keeps every reply, so that a repeated search hears the same; None keeps none.
        model: name and address, part of the key of a reply.
        ids: video and patient ids; where an annotator or a model wrote one, it is not sent.

    Attributes:
        shortened: how many replies came only after recordings were left out.
    """

    attempts = 3

    def __init__(
        self, complete: Complete, max_characters: int, journal: Journal | None = None, model: str = "",
        ids: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._complete, self._characters = complete, max_characters
        self._journal, self._model = journal, model
        longest_first = sorted(ids, key=len, reverse=True)
        named = "|".join(re.escape(name) for name in longest_first)
        self._ids = re.compile(rf"(?<![^\W_])(?:{named})(?![^\W_])", re.IGNORECASE) if named else None
        self._asked: Counter[str] = Counter()
        self._failed: list[Answer] = []
        self.shortened = 0

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return the wording that the model proposes; empty if its reply holds none.

        Raises:
            ReflectionError: no reply.
        """
        task = self.task(wording, records)
        self._asked[task] += 1
        content = json.dumps([self._model, task, self._asked[task]])
        key = "reflection-" + hashlib.sha256(content.encode()).hexdigest()
        known = self._journal.get(key) if self._journal is not None else None
        if known is not None:
            if FAILED in known.extra:
                raise ReflectionError(str(known.extra[FAILED]))
            self.shortened += int(known.extra.get(TOLD, len(records)) < len(records))
            return proposed_wording(known.text)
        shown = list(records)
        while True:
            try:
                reply = self._complete(self.task(wording, shown))
                break
            except ReflectionError as error:
                if not isinstance(error, RefusedTextError) or len(shown) < 2:
                    self._failed.append(Answer(key, "", {FAILED: str(error)}))
                    raise
                shown = shown[1::2]  # every second: those with the feature stand before the others
        self.shortened += int(len(shown) < len(records))
        self.settle()
        if self._journal is not None:
            self._journal.put_many([Answer(key, reply, {TOLD: len(shown)})])
        return proposed_wording(reply)

    def task(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return what the model is sent."""
        tally = Counter(str(record["Verdict"]) for record in records)
        first: Mapping[str, Any] = records[0] if records else {"Inputs": {"sign": "asked about"}}
        feedback = "\n\n".join(str(record["Feedback"]) for record in records)
        return TASK.format(
            wording=wording,
            sign=str(first["Inputs"]["sign"]).replace("_", " "),
            definition=first.get("Definition", ""),
            count=len(records),
            tally=", ".join(f"{count} {name}" for name, count in sorted(tally.items())) or "none",
            feedback=self._ids.sub("[id]", feedback) if self._ids is not None else feedback,
            characters=self._characters,
        )

    def settle(self) -> None:
        """Keep which replies never came, because the search went on without them: a repeated one does so too.

        Those that ended a search are not kept; the next run asks for them again.
        """
        if self._journal is not None and self._failed:
            self._journal.put_many(self._failed)
        self._failed = []


def proposed_wording(reply: str) -> str:
    """Return the wording in a reply: between its tags, in a fence, or the whole of a short reply.

    What stands in the model's reasoning was considered, not proposed; a reply that ends inside it holds none.

    >>> proposed_wording("<think><wording>Old?</wording></think><wording>Does an arm stiffen?</wording>")
    'Does an arm stiffen?'
    >>> proposed_wording("<think>Perhaps <wording>Old?</wording>")
    ''
    """
    reply = without_reasoning(reply) or ""
    found = _TAGGED.findall(reply) or _FENCED.findall(reply)
    text = found[-1] if found else (reply if reply.count("\n") < 2 else "")
    return " ".join(text.split()).strip("\"'“”` ")


def reflection_model(chosen: str, *, remote_allowed: bool, timeout_s: float) -> Complete:
    """Return the function that asks the model named by ``NAME@http://127.0.0.1:8000/v1``.

    Args:
        remote_allowed: whether the address may be another machine's.

    Raises:
        SearchError: the name is not understood, or the address is not this machine's and not allowed.
    """
    name, _, address = chosen.rpartition("@")
    if not name or "://" not in address:
        raise SearchError(f"--proposer {chosen}: give offline, or a model as NAME@http://127.0.0.1:8000/v1")
    if is_loopback(address):
        keep_off_proxies([address])
    elif not remote_allowed:
        raise SearchError(
            f"--proposer {chosen} would send replies and justifications about every training recording to "
            f"{address}. Use a server on this machine, or, if your ethics approval covers it, add "
            "--allow-remote-proposer (text is sent, never frames or sound)"
        )
    else:
        allow_host(host_of(address))
    from openai import APIStatusError, APITimeoutError, OpenAI, OpenAIError

    http = http_client(address)
    client = OpenAI(
        base_url=address, api_key="none", timeout=timeout_s, max_retries=RETRIES, http_client=http
    )

    def complete(task: str) -> str:
        try:
            said: Any = client.chat.completions.create(
                model=name,
                messages=[{"role": "user", "content": task}],
                temperature=TEMPERATURE,
                max_tokens=MAX_TOKENS,
            )
            text = said.choices[0].message.content or ""
        except APITimeoutError as error:
            raise ReflectionError(
                f"{name} at {address} gave no reply within {timeout_s:g} s, asked {RETRIES + 1} times → give it "
                "longer: --proposer-timeout"
            ) from error
        except APIStatusError as error:
            # such a status may be due to the text: it was refused, or broke the server
            about_text = error.status_code in (400, 413, 422) or error.status_code >= 500
            kind = RefusedTextError if about_text else ReflectionError
            told = " ".join(str(error).split())[:ERROR_CHARACTERS]
            raise kind(f"{name} at {address} answered with error {error.status_code} ({told})") from error
        except OpenAIError as error:
            raise ReflectionError(f"{name} at {address} gave no reply ({error})") from error
        except (ValueError, AttributeError, IndexError, KeyError, TypeError):
            text = None  # no chat completion, such as a web page (an address without /v1)
        if not isinstance(text, str):
            raise ReflectionError(f"{name} at {address} did not answer as an OpenAI-compatible server does")
        return text

    return complete
