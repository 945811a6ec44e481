from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semiology.features import FEATURES
from semiology.prompts.checks import (
    AUTHORED_FAMILIES_NEEDED,
    TYPOGRAPHIC_QUOTES,
    check_feature_file,
    duplicate_problems,
    text_faults,
)
from semiology.prompts.library import (
    PACKAGE_FOLDER,
    Prompt,
    PromptLibraryError,
    _read_library,
    _state,
    answer_formats,
    load_library,
    prompt_hash,
    render,
)

FORMATS = (
    "yes_no",
    "yes_no_na",
    "no_yes",
    "no_yes_na",
    "yes_no_json",
    "yes_no_na_json",
    "embc_internvl",
    "embc_qwen",
    "s3_repository_time",
    "yes_no_plain",
    "yes_no_reply",
    "yes_no_slash",
    "yes_no_only",
)
WORDINGS_NEEDED = 12


@pytest.fixture(autouse=True)
def no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_PROMPTS", raising=False)


def tonic() -> dict[str, Any]:
    content = yaml.safe_load((PACKAGE_FOLDER / "features/tonic.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def faults(content: Any) -> str:
    return "\n".join(map(str, check_feature_file(content, "tonic.yaml", FORMATS)))


def write_extension(folder: Path, **change: Any) -> Path:
    wording = {
        "id": "ours",
        "text": "Does the patient stiffen at all?",
        "answer": "yes_no",
        "provenance": "authored",
        "source": "our ward, 2026",
        "family": "other",
    } | change
    content = {"feature": "tonic", "prompts": [{k: v for k, v in wording.items() if v is not None}]}
    (folder / "ours.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_the_library_holds_all_features_in_their_order() -> None:
    assert tuple(entry.feature for entry in load_library().features) == FEATURES


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_reference_authored_families_and_one_negated_wording(feature: str) -> None:
    entry = load_library().feature(feature)
    positive = [p for p in entry.prompts if p.provenance == "authored" and p.polarity == "positive"]
    assert entry.reference.id == "s3"
    assert entry.reference.polarity == "positive"
    assert len({prompt.family for prompt in positive}) == len(positive) >= AUTHORED_FAMILIES_NEEDED
    assert [p.family for p in entry.prompts if p.polarity == "negative"] == ["negated"]
    # Worst@10 needs ten wordings that ask for presence, and some to spare.
    assert sum(p.polarity == "positive" for p in entry.prompts) >= WORDINGS_NEEDED


@pytest.mark.parametrize("feature", FEATURES)
def test_answer_order_and_form_change_nothing_else_of_the_reference(feature: str) -> None:
    entry = load_library().feature(feature)
    reference, turned = render(entry.reference), render(entry.prompt("s3_no_yes"))
    swap = {"yes": "no", "no": "yes"}
    back = re.sub(r"(?<=['\"])(yes|no)(?=['\"])", lambda found: swap[found[1]], turned)
    assert turned != back == reference
    assert render(entry.prompt("s3_labelled")).startswith(
        f"Question: {entry.reference.text} Answer (yes or no"
    )


@pytest.mark.parametrize("feature", FEATURES)
def test_a_context_wording_is_the_reference_with_the_published_note_and_exists_only_with_one(
    feature: str,
) -> None:
    entry = load_library().feature(feature)
    with_context = [prompt for prompt in entry.prompts if prompt.id == "s3_context"]
    if entry.context is None:
        assert with_context == []
    else:
        assert with_context[0].text == f"{entry.reference.text} Context: {entry.context}."
        assert with_context[0].tail == entry.reference.tail


def test_embc_wordings_exist_where_the_study_differs_and_are_named_where_it_agrees() -> None:
    for entry in load_library().features:
        differs = "embc" in {prompt.id for prompt in entry.prompts}
        assert differs != ("embc" in entry.reference.also), entry.feature


def test_a_published_wording_keeps_its_published_tail_unless_a_format_is_chosen() -> None:
    reference = load_library().feature("tonic").reference
    assert render(reference).endswith("Does this patient show tonic? Give an answer with 'yes' or 'no'.")
    assert render(reference, "yes_no").endswith("Does this patient show tonic? Answer with 'yes' or 'no'.")
    assert "\u2013" in render(reference)


def test_wording_and_format_vary_separately() -> None:
    for prompt in load_library():
        texts = {name: render(prompt, name) for name in answer_formats()}
        assert len(set(texts.values())) == len(FORMATS)
        assert all(text.startswith(prompt.text) and "{na_when}" not in text for text in texts.values())


def test_the_na_format_says_when_na_holds_for_the_feature() -> None:
    text = render(load_library().feature("verbal_responsiveness").prompt("minimal"))
    assert text.endswith("If the patient is not addressed verbally by a different person, answer with 'NA'.")
    free = Prompt("tonic", "x", "Stiff?", "yes_no_na", "optimized", "search", "optimized")
    assert render(free).endswith("If the question does not apply to this recording, answer with 'NA'.")


def test_the_embc_formats_are_as_published_with_their_small_differences() -> None:
    library = load_library()
    assert "?   Answer with 'yes' or 'no' and provide" in render(
        library.feature("clonic").reference, "embc_qwen"
    )
    assert "? Give an answer with 'yes'" in render(library.feature("tonic").reference, "embc_internvl")
    assert "? Answer 'yes' or 'no' and" in render(
        library.feature("pelvic_thrusting").reference, "embc_internvl"
    )


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    library = load_library()
    with pytest.raises(KeyError, match="did you mean 'tonic'"):
        library.feature("tonik")
    with pytest.raises(KeyError, match="tonic has no wording 'expert'; it has s3"):
        library.feature("tonic").prompt("expert")
    with pytest.raises(KeyError, match="unknown answer format 'json'; there are yes_no"):
        render(library.feature("tonic").reference, "json")


def test_the_hash_is_the_sha256_of_the_bytes_sent() -> None:
    assert prompt_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_no_two_questions_of_a_feature_share_a_hash() -> None:
    for entry in load_library().features:
        hashes = [prompt_hash(render(prompt)) for prompt in entry.prompts]
        assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "s3"}, "tonic.yaml: prompt 's3': the id stands twice"),
        ({"text": "does the  patient become STIFF?"}, "the text is that of prompt 'minimal'"),
        ({"provenance": None}, "'provenance' is missing"),
        ({"source": None}, "'source' is missing"),
        ({"source": ""}, "source: is '', not a text"),
        ({"provenance": "autored"}, "did you mean 'authored'"),
        ({"family": "minimalistic"}, "did you mean 'minimal'"),
        ({"answer": True}, "answer: True is unknown"),
        ({"answer": "yes_or_no"}, "did you mean 'yes_no'"),
        ({"polarity": "reverse"}, "use: positive, negative"),
        ({"text": "Is the patient’s arm stiff?"}, "typographic quotes (’)"),
        ({"text": "Stiff?\u200b"}, "invisible characters (U+200B)"),
        ({"text": "Stiff\u00a0arm?"}, "invisible characters (U+00A0)"),
        ({"text": "Stiff  arm?"}, "runs of spaces"),
        ({"text": " Stiff?"}, "begins or ends with spaces"),
        ({"text": "Cafe\u0301?"}, "Unicode form NFC"),
        ({"text": 4}, "text: is 4, not a text"),
        ({"textt": "x"}, "did you mean 'text'"),
        ({"id": "Our-1"}, "id: is not a plain name"),
        ({"tail": "Answer “yes”."}, "tail: has typographic quotes"),
        ({"also": "embc"}, "also: is not a list"),
    ],
)
def test_a_faulty_wording_is_refused_with_place_and_fix(change: dict[str, Any], told: str) -> None:
    content = tonic()
    wording = content["prompts"][2] | {"id": "ours", "text": "Does the patient stiffen at all?"} | change
    content["prompts"].append({key: value for key, value in wording.items() if value is not None})
    assert told in faults(content)
    assert "→" in faults(content)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"feature": "tonik"}, "unknown feature 'tonik'; did you mean 'tonic'?"),
        ({"group": "facial"}, "tonic is not 'facial' → write `group: limb_body`"),
        ({"questons": []}, "did you mean 'questions'"),
        ({"questions": "none"}, "questions: is not a list"),
        ({"context": "patient’s"}, "context: has typographic quotes"),
        ({"prompts": []}, "prompts: is empty"),
        ({"prompts": ["Stiff?"]}, "prompt 1: holds no 'key: value' lines"),
    ],
)
def test_a_faulty_file_is_refused_with_place_and_fix(change: dict[str, Any], told: str) -> None:
    assert told in faults(tonic() | change)


def test_the_package_file_itself_has_no_fault() -> None:
    assert faults(tonic()) == ""
    assert "key: value" in faults(None)


def test_a_feature_without_reference_or_with_few_families_is_refused() -> None:
    content = tonic()
    content["prompts"] = content["prompts"][2:5]
    told = faults(content)
    assert "no wording 's3'" in told
    assert "authored wordings of 3 families (clinical_term, definition, minimal)" in told


def test_a_key_written_twice_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    write_extension(tmp_path)
    file = tmp_path / "ours.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "feature: clonic\n", encoding="utf-8")
    with pytest.raises(PromptLibraryError, match=r"ours\.yaml: line \d+: the key 'feature' stands twice"):
        load_library(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"), [(b"a: [", "line 1"), (b"a: \xff", "not UTF-8"), (b"", "no 'key: value'")]
)
def test_an_unreadable_file_is_an_error_of_one_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "ours.yaml").write_bytes(content)
    with pytest.raises(PromptLibraryError, match=told):
        load_library(tmp_path)


def test_a_laboratory_adds_a_wording_without_editing_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(list(load_library()))
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(write_extension(tmp_path)))
    added = load_library().feature("tonic").prompt("ours")
    assert len(list(load_library())) == before + 1
    assert render(added) == "Does the patient stiffen at all? Answer with 'yes' or 'no'."


def test_an_edited_wording_is_read_again(tmp_path: Path) -> None:
    first = render(load_library(write_extension(tmp_path)).feature("tonic").prompt("ours"))
    write_extension(tmp_path, text="Does the patient stiffen now?")
    os.utime(tmp_path / "ours.yaml", ns=(1, 1))
    second = render(load_library(tmp_path).feature("tonic").prompt("ours"))
    assert prompt_hash(first) != prompt_hash(second)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "minimal"}, "the id stands twice (also in tonic.yaml)"),
        ({"text": "DOES the patient become stiff?"}, "the text is that of prompt 'minimal'"),
        ({"provenance": None}, "'provenance' is missing"),
    ],
)
def test_an_extension_cannot_replace_or_repeat_a_wording(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(PromptLibraryError) as error:
        load_library(write_extension(tmp_path, **change))
    assert told in str(error.value)


def test_a_mistyped_extension_folder_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path / "nowhere"))
    with pytest.raises(PromptLibraryError, match="is not a folder → correct SEMIOLOGY_PROMPTS"):
        load_library()


def test_a_missing_or_double_feature_file_is_an_error(tmp_path: Path) -> None:
    for file in (PACKAGE_FOLDER / "features").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "clonic.yaml").unlink()
    shutil.copy(tmp_path / "tonic.yaml", tmp_path / "tonic_again.yaml")
    files = tuple(sorted(tmp_path.iterdir()))
    with pytest.raises(PromptLibraryError) as error:
        _read_library(files, (), tuple(map(_state, files)))
    assert "clonic.yaml: is missing" in str(error.value)
    assert "tonic_again.yaml: feature: tonic is already in tonic.yaml" in str(error.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PromptLibraryError) as error:
        load_library(write_extension(tmp_path, source=None, family="x", text="Is it the patient’s arm?"))
    assert len(error.value.problems) == 3


@given(st.text(min_size=1))
def test_a_text_without_faults_is_what_the_eye_sees(text: str) -> None:
    if not text_faults(text):
        assert not set(text) & set(TYPOGRAPHIC_QUOTES)
        assert text == " ".join(text.split())


@given(st.text(alphabet="ab ?", min_size=1), st.booleans())
def test_case_and_spacing_do_not_make_a_new_wording(text: str, upper: bool) -> None:
    twin = f"  {text.replace(' ', '   ')} "
    twin = twin.upper() if upper else twin
    told = duplicate_problems(
        [("a.yaml", {"id": "one", "text": text}), ("b.yaml", {"id": "two", "text": twin})]
    )
    assert [problem.file for problem in told] == ["b.yaml"]
