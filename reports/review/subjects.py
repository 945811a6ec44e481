"""What is rated: justifications (EMBC 2025) or reports (S3, appendix D.2), each by the scale of its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semiology.metrics.agreement.ratings import POINTS


@dataclass(frozen=True)
class Subject:
    """Texts of one kind that people rate from 1 to 5.

    Attributes:
        name: in files. plural: for sentences.
        heading: question above the page. labels: what the page calls the parts of a case; "" hides one.
        columns: of the sheet, by field of a case.
        scale: meaning of each rating. points: each rating in a table; passing: what a rating of 3 and more is called.
        limit: what the figures do not say.
    """

    name: str
    plural: str
    heading: str
    labels: Mapping[str, str]
    columns: Mapping[str, str]
    scale: Mapping[int, str]
    points: Mapping[int, str]
    passing: str
    limit: str


JUSTIFICATION = Subject(
    name="justification",
    plural="justifications",
    heading="Is the justification faithful to what is seen and heard?",
    labels={
        "feature": "Feature",
        "question": "Question",
        "answer": "Answer of the model (agrees with the annotation)",
        "justification": "Justification",
    },
    columns={
        **{name: name for name in ("item", "feature", "question", "video_id")},
        **{"start_s": "from_s", "end_s": "to_s", "answer": "answer", "justification": "justification"},
    },
    scale={
        5: "fully correct (100 %)",
        4: "mostly correct (80 %)",
        3: "more right than wrong (60 %)",
        2: "mostly wrong (40 %)",
        1: "wrong (20 %)",
    },
    points={value: f"{percent} %" for value, percent in POINTS.items()},
    passing="at least 60 %",
    limit="Only correct answers were rated: this says nothing about how often a model is right.",
)
REPORT = Subject(
    name="report",
    plural="reports",
    heading="How good is the report, beside the expert's?",
    labels={
        "feature": "",
        "question": "Report of the expert (ground truth)",
        "answer": "",
        "justification": "Report to rate",
    },
    columns={
        **{name: name for name in ("item", "video_id")},
        **{"question": "expert_report", "justification": "report"},
    },
    # Quoted from arXiv 2605.21852, appendix D.2.
    scale={
        5: (
            "Excellent: The MLLM-generated report accurately captures all critical semiological features mentioned in "
            "the ground truth. It is factually consistent and contains no hallucinations"
        ),
        4: (
            "Good: The MLLM-generated report captures the majority of the key semiological features but may miss minor "
            "details or use less precise clinical terminology"
        ),
        3: (
            "Moderate: The MLLM-generated report identifies some correct semiological features but misses significant "
            "ones or contains minor factual inaccuracies"
        ),
        2: (
            "Poor: The MLLM-generated report only describes general, non-specific events and fails to identify most of "
            "the crucial clinical signs mentioned in the ground truth"
        ),
        1: (
            "Failure: The MLLM-generated report is completely irrelevant, factually incorrect, or hallucinates "
            "information not supported by the ground truth"
        ),
    },
    points={value: str(value) for value in POINTS},
    passing="at least 3",
    limit="Whether metrics rank reports as the raters do: semiology agreement experts, with expert_ratings.csv.",
)
SUBJECTS: Mapping[str, Subject] = {subject.name: subject for subject in (JUSTIFICATION, REPORT)}
