from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from semiology.prompts.library import answer_formats, load_library, render
from semiology.tasks.answers.cleaning import LONGEST_REPLY
from semiology.tasks.answers.parse import parse_answer, parse_reply

# BaseLoader: everything is text, so that `answer: yes` in the file is not read as a boolean.
HARD = yaml.load((Path(__file__).parent / "hard_replies.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)
HARD_CASES = [
    (reply, [right] if isinstance(right, str) else right)
    for kind in HARD.values()
    for reply, right in kind["replies"]
]
CASES = yaml.load((Path(__file__).parent / "answers_cases.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)
VALUES = {"yes", "no", "na", "unparsed"}

SAME_IN_ALL_FORMS = (
    "{}",
    "{}.",
    "**{}**",
    "The answer is {}.",
    "Answer: {}",
    '{{"answer": "{}"}}',
    "{{'answer': '{}'}}",
    "{}, as the arms show.",
    "<answer>{}</answer>",
    '[{{"answer": ["{}"]}}]',
)
YES = [*(form.format("Yes") for form in SAME_IN_ALL_FORMS), '{"answer": true}']
NO = [*(form.format("No") for form in SAME_IN_ALL_FORMS), '{"answer": false}']
PIECES = (*YES, *NO, "NA", "n/a", "not", "or", "{", "}", "[", '"', "'", '"answer"', ":", ",", ".", "\n", " ")
PIECES += ("`", "```json", "<think>", "</think>", "unknown", "if", "the", "because", '{"answer": "', "\\")
LOOPS = (
    '{"a":[',
    '{"a":"',
    "yes,",
    "yes or ",
    "answer is ",
    "a ",
    "\u0301",
    "ﷺ",
    "'yes' ",
    "\n-",
    "{'answer':",
)
LOOPS += (
    "((",
    "\\boxed{",
    "<",
    "n't ",
    "\t",
    "\r",
    "``` ",
    "_",
    "<|",
    ", but ",
    "can't be ",
    " \n",
    "- ",
    "$",
    "[[ ## answer ## ]] ",
    "<|channel|>",
    "<|channel>",
    "| Yes |\n",
    "- [x] ",
    "i can't ",
    "Yes, I can ",
    "is it no? ",
    "a" * 400 + ":",
    "sorry, ",
    "A. ",
    "no video ",
    "assistantfinal",
    "<div ",
    "~~",
    "yes. ",
    "I'd say that ",
    "/*",
    "//",
    "(",
    "the answer is clearly ",
    "(?",
    "0:00 - ",
)
fragments = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join)


@pytest.mark.parametrize("case", CASES, ids=[case["reply"][:50] for case in CASES])
def test_a_reply_is_read_as_the_case_file_says(case: dict[str, str]) -> None:
    reply = parse_reply(case["reply"])
    assert reply.answer == case["answer"]
    if "justification" in case:
        assert (reply.justification or "").rstrip(".") == case["justification"].rstrip(".")


@pytest.mark.parametrize(("reply", "right"), HARD_CASES, ids=[reply[:50] for reply, _ in HARD_CASES])
def test_a_hard_reply_is_never_read_wrongly(reply: str, right: list[str]) -> None:
    assert parse_answer(reply) in right


def test_the_two_tables_hold_at_least_400_replies() -> None:
    assert len(HARD_CASES) > 350
    assert len({reply for reply, _ in HARD_CASES} | {case["reply"] for case in CASES}) > 500


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        ("<think>yes", "reasoning"),
        ("The arm bends. The answer is yes. The nurse then [cut at the token limit]", "cut"),
        ("No, I can't view videos.", "refused"),
        ("I'm not sure.", "unknown"),
        ("Yes. No.", "malformed"),
        ("No.", None),
    ],
)
def test_why_a_reply_is_unparsed_is_told(reply: str, why: str | None) -> None:
    assert parse_reply(reply).why == why


def test_an_answer_in_another_language_is_told_as_such() -> None:
    assert parse_reply("Nein.").language == "German"
    assert parse_reply("No.").language is None


def test_replies_written_without_sight_of_the_parser_are_read_right() -> None:
    """1,496 replies of all kinds by an author who did not know the rules: no wrong value, under 2 % unread."""
    lines = (Path(__file__).parent / "replies_of_all_kinds.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    read = {case["id"]: parse_answer(case["reply"]) for case in cases}
    missed = [case for case in cases if read[case["id"]] not in case["right"]]
    assert [case["reply"] for case in missed if read[case["id"]] != "unparsed"] == []
    must_be_read = [case for case in cases if "unparsed" not in case["right"]]
    assert len(must_be_read) > 700
    assert len(missed) / len(must_be_read) < 0.02


def test_replies_of_a_second_author_are_read_right() -> None:
    """582 replies by another author, 407 of them written before and 175 after the first mending: none is wrong."""
    lines = (Path(__file__).parent / "replies_examined_anew.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    assert len(cases) > 580
    missed = [case for case in cases if parse_answer(case["reply"]) not in case["right"]]
    assert [case["reply"] for case in missed if parse_answer(case["reply"]) != "unparsed"] == []
    must_be_read = [case for case in cases if "unparsed" not in case["right"]]
    assert len(must_be_read) > 240
    assert len(missed) / len(must_be_read) < 0.01


def test_an_answer_that_its_own_sentence_cannot_give_is_none() -> None:
    """ "No, the video is too dark to tell." is no "no", and "Yes, the patient cannot tell his name." is a "yes".

    Replies in four batches, each written with its right value before it was run; rules were mended after each.
    """
    lines = (Path(__file__).parent / "replies_without_judgement.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    found = [(case["reply"], parse_answer(case["reply"]), case["right"]) for case in cases]
    assert [each for each in found if each[1] not in (*each[2], "unparsed")] == []
    must_be_read = [each for each in found if "unparsed" not in each[2]]
    assert len(must_be_read) > 70
    assert sum(each[1] == "unparsed" for each in must_be_read) <= 2


def test_the_published_hard_replies_are_read_as_a_careful_reader_would() -> None:
    folder = Path(__file__).resolve().parents[3] / "shared" / "cases" / "replies_wrong"
    if not folder.is_dir():
        pytest.skip("the folder of shared cases is not beside the checkout")
    for name in ("wrong.jsonl", "unparsed_though_readable.jsonl"):
        for line in (folder / name).read_text("utf-8").splitlines():
            case = json.loads(line)
            assert parse_answer(case["reply"]) in case["right"], case["id"]


def test_no_reply_is_unparsed() -> None:
    assert parse_answer(None) == "unparsed"
    assert parse_reply(None).justification is None


def test_the_case_file_uses_only_the_four_values_and_each_reply_once() -> None:
    assert {case["answer"] for case in CASES} == VALUES
    replies = [case["reply"] for case in CASES]
    assert len(set(replies)) == len(replies) > 150


def test_no_question_of_the_library_answers_itself_when_it_is_echoed() -> None:
    for prompt in load_library():
        for name in (None, *answer_formats()):
            assert parse_answer(render(prompt, name)) == "unparsed", f"{prompt.feature}/{prompt.id}/{name}"


@pytest.mark.parametrize("yes", YES)
@pytest.mark.parametrize("no", NO)
@pytest.mark.parametrize("between", [" ", "\n", ". ", "\n\n", "; ", ", "])
def test_a_reply_that_also_gives_the_opposite_answer_is_unparsed(yes: str, no: str, between: str) -> None:
    assert parse_answer(yes + between + no) == "unparsed"
    assert parse_answer(no + between + yes) == "unparsed"


@pytest.mark.parametrize("reply", [*YES, *NO])
def test_a_reply_keeps_its_meaning_in_capitals_and_with_other_spacing(reply: str) -> None:
    expected = parse_answer(reply)
    assert expected in {"yes", "no"}
    assert parse_answer(reply.upper()) == parse_answer(f"\n\t {reply} \r\n") == expected
    assert parse_answer(reply.replace(" ", "  ")) == expected


@given(st.text() | fragments)
def test_every_text_has_one_of_four_outcomes(text: str) -> None:
    reply = parse_reply(text)
    assert reply.answer in VALUES
    assert reply.justification is None or reply.justification.strip()


@given(fragments)
def test_an_answer_is_its_own_answer(text: str) -> None:
    answer = parse_answer(text)
    assert parse_answer(answer) == answer


@given(fragments)
def test_spaces_around_a_reply_do_not_matter(text: str) -> None:
    assert parse_answer(f" \n{text}\t ") == parse_answer(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_case_does_not_matter(text: str) -> None:
    assert parse_answer(text.upper()) == parse_answer(text.lower())


@given(fragments, st.sampled_from(NO), st.sampled_from(["\n", "\n\n", ".\n"]))
def test_a_contradiction_on_a_new_line_never_leaves_a_yes(text: str, no: str, between: str) -> None:
    assume("{" not in text and '"' not in text and "'" not in text and "`" not in text and "\\" not in text)
    assert parse_answer(text + between + no) != "yes"


@given(st.text(alphabet="abcdeghijklmopqrsuvwxz{}[]\"':,. \n<>/|"))
def test_without_an_answer_word_there_is_no_answer(text: str) -> None:
    assume(parse_reply(text).language is None)
    assert parse_answer(text) == "unparsed"


@pytest.mark.parametrize("unit", [*PIECES, *LOOPS])
def test_a_megabyte_does_not_blow_up(unit: str) -> None:
    """Measured at most 0.4 s; a pattern that backtracks would take hours."""
    for size in (1_000_000, LONGEST_REPLY):
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.process_time()
        assert parse_answer(text) in VALUES
        assert time.process_time() - start < 2.0


def test_what_is_longer_than_any_answer_is_a_loop() -> None:
    assert parse_answer("Yes. " + "The arm bends. " * 10) == "yes"
    assert parse_answer("Yes. " + "The arm bends. " * LONGEST_REPLY) == "unparsed"
    assert parse_answer("<think>" + "Hm. " * LONGEST_REPLY + "</think>yes") == "yes"


@pytest.mark.parametrize(
    ("reply", "unknown"),
    [
        ("unknown", True),
        ("I'm not sure.", True),
        ('{"answer": "cannot determine"}', True),
        ("No idea", True),
        ("Yes", False),
        ("Yes. It is unclear which arm moves first.", False),
        ("Present in no frame", False),
        (None, False),
    ],
)
def test_a_reply_that_confesses_not_to_know_is_told_from_a_malformed_one(
    reply: str | None, unknown: bool
) -> None:
    assert (parse_reply(reply).why == "unknown") is unknown


def test_a_justification_is_never_made_up() -> None:
    assert parse_reply("Yes.").justification is None
    assert parse_reply('{"answer": "yes"}').justification is None
    assert parse_reply('{"answer": "yes", "justification": ""}').justification is None
    assert parse_reply('{"answer": "maybe", "justification": "blurred"}').justification == "blurred"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("The arms bend. The answer is yes.", "The arms bend."),
        ("The answer is yes.", None),
        ("Yes, yes, yes.", None),
        ("Answer: no\nExplanation: The face is calm.", "The face is calm."),
        ('Yes, the nurse says "lift your arm" and he does.', 'the nurse says "lift your arm" and he does.'),
    ],
)
def test_the_reason_in_running_text_is_what_stands_around_the_answer(reply: str, reason: str | None) -> None:
    assert parse_reply(reply).justification == reason
