"""Where justifications come from: wordings of the feature tasks that ask for them, and S3 task 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from semiology.reports.read.feature_answers import COLUMNS, Results, read_results
from semiology.reports.read.lmms_eval_files import NoAnswersError
from semiology.reports.read.s3_answers import S3Results, read_s3_results

TASK = "s3_justification"


def read_justifications(runs: Sequence[Path]) -> Results:
    """Read the answers of feature tasks and of ``s3_justification`` in the folders given.

    Raises:
        NoAnswersError: there are none.
        ResultsError: a path is missing, or the runs are about different recording sets.
    """
    import pandas as pd

    s3 = read_s3_results(runs)
    asked = _of_task_2(s3) if s3 is not None else None
    try:
        results = read_results(runs)
    except NoAnswersError:
        if asked is None:
            raise
        return asked
    if asked is None:
        return results
    both = pd.concat([results.answers, asked.answers], ignore_index=True)
    caveats = tuple(dict.fromkeys((*results.caveats, *asked.caveats)))
    return replace(results, answers=both, caveats=caveats, notes=(*results.notes, *asked.notes))


def _of_task_2(s3: S3Results) -> Results | None:
    import pandas as pd

    found = [record for record in s3.records if record["task"] == TASK]
    if not found:
        return None
    rows = [{name: record.get(name) for name in COLUMNS} for record in found]
    for row in rows:
        # The same wording in two tasks is asked with and without a reason: two conditions.
        row["prompt_id"] = f"{row['prompt_id'] or 's3'} ({TASK})"
        row["prompt_hash"] = row["prompt_hash"] or ""
    return Results(pd.DataFrame(rows, columns=list(COLUMNS)), s3.caveats, s3.notes, s3.records_of_runs)
