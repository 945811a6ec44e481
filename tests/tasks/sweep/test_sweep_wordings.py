from __future__ import annotations

import pytest

from semiology.data.problems import SettingsError
from semiology.features import FEATURES
from semiology.prompts.library import load_library, prompt_hash, render
from semiology.settings import SWEEP_FORMATS, SWEEP_PROMPTS
from semiology.tasks.sweep.wordings import select_wordings


@pytest.mark.parametrize("feature", FEATURES)
def test_every_wording_of_the_library_is_asked_as_it_is_sent_alone(feature: str) -> None:
    selection = select_wordings(feature)
    prompts = load_library().feature(feature).prompts
    asked = {wording.question for wording in selection.wordings}
    assert asked == {render(prompt) for prompt in prompts}
    assert len(selection.wordings) + len(selection.skipped) == len(prompts)
    assert selection.wordings[0].prompt.id == "s3"
    for wording in selection.wordings:
        assert wording.hash == prompt_hash(render(wording.prompt))
        assert wording.name == wording.prompt.id


def test_ids_and_families_can_be_chosen() -> None:
    by_id = select_wordings("tonic", ("minimal", "s3"))
    assert [wording.name for wording in by_id.wordings] == ["s3", "minimal"]
    by_family = select_wordings("tonic", ("negated",))
    assert {wording.prompt.polarity for wording in by_family.wordings} == {"negative"}


def test_formats_are_crossed_and_equal_texts_asked_once() -> None:
    selection = select_wordings("tonic", ("minimal",), ("own", "yes_no", "yes_no_json"))
    assert [wording.name for wording in selection.wordings] == ["minimal", "minimal+yes_no_json"]
    assert selection.skipped == ("tonic: minimal+yes_no has the same text as minimal and is asked once",)
    assert len({wording.hash for wording in selection.wordings}) == 2


def test_a_format_without_na_does_not_take_na_from_a_wording() -> None:
    selection = select_wordings("verbal_responsiveness", ("all",), ("own", "yes_no_json"))
    names = {wording.name for wording in selection.wordings}
    assert not any(name.endswith("+yes_no_json") for name in names)
    told = " ".join(selection.skipped)
    assert "the format does not offer na" in told or "names the answers itself" in told


@pytest.mark.parametrize(
    ("prompts", "formats", "message"),
    [
        (("minimall",), ("own",), "unknown prompt or family 'minimall' in a sweep; did you mean 'minimal'"),
        (("all",), ("yes_or_no",), "unknown answer format 'yes_or_no'"),
        ((), ("own",), "needs at least one prompt or family"),
        (("s3_context",), ("own",), "arm_flexion has none of the chosen wordings"),
    ],
)
def test_what_cannot_be_asked_is_told(
    prompts: tuple[str, ...], formats: tuple[str, ...], message: str
) -> None:
    feature = "arm_flexion"
    assert "s3_context" not in {prompt.id for prompt in load_library().feature(feature).prompts}
    with pytest.raises(SettingsError, match=message):
        select_wordings(feature, prompts, formats)


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_SWEEP_PROMPTS", raising=False)
    monkeypatch.delenv("SEMIOLOGY_SWEEP_FORMATS", raising=False)
    assert (SWEEP_PROMPTS.words(), SWEEP_FORMATS.words()) == (("all",), ("own",))
    monkeypatch.setenv("SEMIOLOGY_SWEEP_PROMPTS", " s3, minimal,,s3 ")
    assert SWEEP_PROMPTS.words() == ("s3", "minimal")
