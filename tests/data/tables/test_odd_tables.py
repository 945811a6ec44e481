"""Odd cells in the tables that commands read beside the recording set's own: read rightly, or told."""

# ruff: noqa: E501, ISC004

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.data.tables import odd_tables as odd

NBSP, ZERO_WIDTH, MINUS = "\u00a0", "\u200b", "\u2212"
SIDE = "video_id,head_turning_side,head_turning_start_s,head_turning_end_s\n"
SEMI = SIDE.replace(",", ";")
SUBJECT = "subject,group,side_affected,fm_total,split\n"
SCORE = "subject,item,side,score\n"
TIMES = "Time_s,MarkerNames\n"
RATED = "item,rating\n"
LABELLED = "video_id,patient_id,feature,present\n"
ONE = LABELLED + "v1,p1,tonic,yes\nv2,p2,tonic,no\nv3,p3,tonic,yes\n"
WHOLE = (1.0, 3)
RATINGS = "video_id,patient_id,expert,bleu\n"
ANSWERS = "task,model,enhancement,prompt_id,video_id,patient_id,feature,answer,truth,prompt_hash,onsets_s\n"
SPOKEN = "start_s,end_s,text\n"
A, B, C = odd.ITEMS
TWO_SETS = "video_id,patient_id,video\nV1,P1,a.mp4\nV2,P2,b.mp4\n"
TRUTHS = [("V1", "P1", "tonic", "yes"), ("V2", "P2", "tonic", "no")]
FIVE = ["31", "42", "25", "58", "66"]

Case = tuple[odd.Reader, Any, Any, str]
"""Reader, table, what is read (None: nothing is), and a pattern of what is told (empty: nothing is)."""
CASES: dict[str, Case] = {
    # laterality.csv
    "laterality: L": (odd.laterality, SIDE + "V1,L,1,2\n", None, "did you mean 'left'"),
    "laterality: blank that does not break": (odd.laterality, SIDE + f"V1,{NBSP}Left{NBSP},1,2\n", ("left", 1, 2), ""),
    "laterality: zero width": (odd.laterality, SIDE + f"V1{ZERO_WIDTH},left{ZERO_WIDTH},1,2\n", ("left", 1, 2), ""),
    "laterality: decimal comma, semicolons": (odd.laterality, SEMI + "V1;left;1,5;2,25\n", ("left", 1.5, 2.25), ""),
    "laterality: decimal comma, commas": (odd.laterality, SIDE + 'V1,left,"1,5",2\n', None, "decimal comma"),
    "laterality: thousands": (odd.laterality, SEMI + "V1;left;1.234,5;2000\n", None, "1.234,5"),
    "laterality: thousands by blanks": (odd.laterality, SIDE + f"V1,left,1{NBSP}234,2000\n", None, "234"),
    "laterality: minus sign": (odd.laterality, SIDE + f"V1,left,{MINUS}3,2\n", None, "is not a number|before the start"),
    "laterality: exponent": (odd.laterality, SIDE + "V1,left,1e1,20\n", None, "not a plain number"),
    "laterality: day fraction": (odd.laterality, SIDE + "V1,left,0.000173611,20\n", None, "fraction of a day"),
    "laterality: #N/A": (odd.laterality, SIDE + "V1,left,#N/A,20\n", None, "#N/A"),
    "laterality: #N/A as a side": (odd.laterality, SIDE + "V1,#N/A,,\n", None, "#N/A"),
    "laterality: unit": (odd.laterality, SIDE + "V1,left,12 s,20\n", None, "has a unit"),
    "laterality: clock": (odd.laterality, SIDE + "V1,left,0:12,20\n", None, "clock time"),
    "laterality: both": (odd.laterality, SIDE + "V1,both,1,2\n", None, "not one of left, right"),
    "laterality: times without a side": (odd.laterality, SIDE + "V1,,1,2\n", None, "head_turning_start_s.*without.*side"),
    "laterality: UTF-16": (odd.laterality, (SIDE + "V1,left,1,2\n").encode("utf-16"), ("left", 1, 2), ""),
    "laterality: cp1252": (odd.laterality, (SIDE + "V1,für,1,2\n").encode("cp1252"), None, "Windows-1252"),
    "laterality: a column twice": (
        odd.laterality, SIDE.replace("\n", ",Head_Turning_Side\n") + "V1,left,1,2,right\n", None, "occurs twice"),
    "laterality: capitals": (odd.laterality, SIDE.upper() + "V1,LEFT,1,2\n", ("left", 1, 2), ""),
    "laterality: misspelt column": (odd.laterality, SIDE.replace("_side", "_sid") + "V1,left,1,2\n", None, "did you mean"),
    "laterality: id in capitals": (odd.laterality, SIDE + "v1,left,1,2\n", None, "unknown video_id 'v1'"),
    "laterality: merged id": (odd.laterality, SIDE + "V1,left,1,2\n,right,3,4\n", None, "unknown video_id ''"),
    "laterality: blank rows": (odd.laterality, SIDE + ",,,\n\nV1,left,1,2\n,,,\n", ("left", 1, 2), ""),
    # recordings.csv: folds
    "folds: #N/A": (odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,#N/A\nV2,P2,b.mp4,1\n", ..., "fold.*#N/A"),
    "folds: nan": (odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,nan\nV2,P2,b.mp4,1\n", ..., "fold.*nan"),
    "folds: 1 and 1.0": (
        odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,1\nV2,P2,b.mp4,1.0\n", ..., "fold.*1.0.*written like"),
    "folds: 1 and 01": (
        odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,1\nV2,P2,b.mp4,01\n", ..., "fold.*01.*written like"),
    "folds: capitals": (
        odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,A\nV2,P2,b.mp4,a\n", ..., "fold.*'a'.*written like"),
    "folds: usual": (
        odd.recordings, "video_id,patient_id,video,fold\nV1,P1,a.mp4,10\nV2,P2,b.mp4,1\n", ["10", "1"], "^(?!.*written like)"),
    # subjects.csv of a study
    "subjects: Links": (odd.subjects, SUBJECT + "S00027,S,Links,40,tune\n", None, "side_affected is 'Links'"),
    "subjects: left and right": (odd.subjects, SUBJECT + "S00027,S,left and right,40,tune\n", None, "left and right"),
    "subjects: R/L": (odd.subjects, SUBJECT + "S00027,S,R/L,40,tune\n", None, "R/L"),
    "subjects: r?": (odd.subjects, SUBJECT + "S00027,S,r?,40,tune\n", None, "r\\?"),
    "subjects: lesion unknown": (odd.subjects, SUBJECT + "S00027,S,lesion unknown,40,tune\n", None, "lesion unknown"),
    "subjects: right": (
        odd.subjects, SUBJECT + "S00027,s,Right,40,Tune\n", [("S00027", False, "right", "moderate", "tune")], ""),
    "subjects: total with an underscore": (odd.subjects, SUBJECT + "S00027,S,L,6_6,tune\n", None, "fm_total is '6_6'"),
    "subjects: total as an exponent": (odd.subjects, SUBJECT + "S00027,S,L,4e1,tune\n", None, "fm_total is '4e1'"),
    "subjects: total with a comma": (odd.subjects, SUBJECT + 'S00027,S,L,"45,5",tune\n', None, "45,5"),
    "subjects: total 40.0": (
        odd.subjects, SUBJECT + "S00027,S,L,40.0,tune\n", [("S00027", False, "left", "moderate", "tune")], ""),
    "subjects: #N/A as the total": (odd.subjects, SUBJECT + "S00027,S,L,#N/A,tune\n", None, "#N/A"),
    "subjects: lower case beside capitals": (
        odd.subjects, SUBJECT + "S00027,S,L,40,tune\ns00027,S,L,40,test\n", ..., "s00027.*written like.*S00027"),
    "subjects: lost zeros": (
        odd.subjects, SUBJECT + "S00027,S,L,40,tune\nS27,S,L,40,test\n", ..., "S27.*written like.*S00027"),
    "subjects: no name": (odd.subjects, SUBJECT + "S00027,S,L,40,tune\n,S,R,40,test\n", ..., "subject is ''"),
    "subjects: train": (odd.subjects, SUBJECT + "S00027,S,L,40,train\n", None, "split is 'train'"),
    # fm_scores.csv
    "scores: 3.0": (odd.scores, SCORE + "S00027,3.0,L,2.0\n", {("S00027", 3, "left"): 2}, ""),
    "scores: 1_0": (odd.scores, SCORE + "S00027,1_0,L,2\n", {}, "item '1_0'"),
    "scores: exponent": (odd.scores, SCORE + "S00027,3,L,1e0\n", {}, "score '1e0'"),
    "scores: comma": (odd.scores, SCORE + 'S00027,3,L,"1,0"\n', {}, "score '1,0'"),
    "scores: both sides": (odd.scores, SCORE + "S00027,3,L/R,1\n", {}, "side 'L/R'"),
    "scores: #N/A": (odd.scores, SCORE + "S00027,3,L,#N/A\n", {}, "#N/A"),
    "scores: a subject nobody knows": (odd.scores, SCORE + "s00027,3,L,1\n", ..., "s00027.*subjects.csv"),
    "scores: merged subject": (odd.scores, SCORE + "S00027,3,L,1\n,4,L,1\n", ..., "subject is ''"),
    # the wide table of scores
    "wide scores: 2.0": (odd.wide_scores, "subject,3L,4L\nS1,2.0,1\n", ["S1,3,L,2", "S1,4,L,1"], ""),
    "wide scores: merged subject": (odd.wide_scores, "subject,3L\nS1,2\n,1\n", ["S1,3,L,2"], "names no subject"),
    "wide scores: a column twice": (odd.wide_scores, "subject,3L,3l\nS1,2,1\n", None, "occurs twice"),
    "wide scores: 03L beside 3L": (odd.wide_scores, "subject,3L,03L\nS1,2,1\n", None, "3l.*03l"),
    # best_views.csv
    "best views: usual": (odd.best_views, "id\nS00027_feeding1_2\n", ["S00027_feeding1_2"], "^(?!.*best_views)"),
    "best views: with the file's ending": (odd.best_views, "id\nS00027_feeding1_2.mp4\n", [], "best_views.csv.*feeding1_2.mp4"),
    "best views: lower case": (odd.best_views, "id\ns00027_feeding1_2\n", [], "best_views.csv.*s00027"),
    # label files
    "labels: decimal comma, semicolons": (
        odd.labels, "Time_s;MarkerNames\n0,0;r_reach\n0,5;r_idle\n1,0;r_idle\n", [("reach", 0, 0.5), ("idle", 0.5, 1.0)], ""),
    "labels: underscore": (odd.labels, TIMES + "0,r_reach\n1_0,r_idle\n", None, "1_0"),
    "labels: minus sign": (odd.labels, TIMES + f"0,r_reach\n{MINUS}1,r_idle\n", None, MINUS),
    "labels: before the film": (odd.labels, TIMES + "-1,r_reach\n1,r_idle\n", None, "-1"),
    "labels: exponent that numpy writes": (
        odd.labels, TIMES + "0,r_reach\n5e-01,r_idle\n1.0e+00,r_idle\n", [("reach", 0, 0.5), ("idle", 0.5, 1.0)], ""),
    "labels: markers without a side": (
        odd.labels, TIMES + "0,r_reach\n0.1,reach\n0.2,r_reach\n0.3,r_idle\n", ..., "1 row.*no side.*reach"),
    "labels: #N/A as a time": (odd.labels, TIMES + "0,r_reach\n#N/A,r_idle\n", None, "#N/A"),
    "labels: UTF-16, tabs": (
        odd.labels, "Time_s\tMarkerNames\n0\tr_reach\n1\tr_idle\n2\tr_idle\n".encode("utf-16"),
        [("reach", 0, 1), ("idle", 1, 2)], ""),
    "labels: fractions of a day": (
        odd.labels, TIMES + "0,r_reach\n0.0000115741,r_idle\n0.0000231481,r_idle\n", None, "fraction of a day"),
    # sheets of a review
    "review: 4,0": (odd.review, f"item;rating\n{A};4,0\n", {"anna": [4]}, ""),
    "review: 4 with marks around it": (odd.review, RATED + f"{A},{NBSP}4{ZERO_WIDTH}\n", {"anna": [4]}, ""),
    "review: exponent": (odd.review, RATED + f"{A},4e0\n", None, "4e0"),
    "review: minus sign": (odd.review, RATED + f"{A},{MINUS}4\n", None, MINUS),
    "review: words": (odd.review, RATED + f"{A},four\n", None, "four"),
    "review: #N/A": (odd.review, RATED + f"{A},#N/A\n", None, "#N/A"),
    "review: item in capitals": (odd.review, RATED + f"{A.upper()},4\n", None, "not of this review"),
    "review: merged item": (odd.review, RATED + f"{A},4\n,5\n", None, "item ''"),
    "review: two raters of one name": (odd.review, f"item,rating,rater\n{A},4,Anna\n{B},5,anna\n", None, "written like"),
    "review: cp1252": (odd.review, f"item,rating,comment\n{A},4,für\n".encode("cp1252"), None, "Windows-1252"),
    "review: workbook, merged ratings": (
        odd.review, {"B2": 4, "merge": "B2:B3"}, None, "merged"),
    "review: workbook, formula without a value": (odd.review, {"B2": "=2+2"}, None, "formula"),
    "review: workbook, a column twice": (odd.review, {"B2": 4, "C1": "Rating", "C2": 5}, None, "rating.*twice"),
    "review: workbook, TRUE": (odd.review, {"B2": True}, None, "rating is 'TRUE'"),
    "review: workbook, zero width": (odd.review, {"B2": f"4{ZERO_WIDTH}"}, {"anna": [4]}, ""),
    "review: workbook, blank rows": (odd.review, {"B2": 4, "A9": " "}, {"anna": [4]}, ""),
    # agreement of annotators
    "agreement: spellings": (odd.annotators, (ONE, ONE.replace("yes", "YES").replace("no\n", "No\n")), WHOLE, ""),
    "agreement: ja": (odd.annotators, (ONE, ONE.replace("yes", "ja")), None, "did you mean 'yes'"),
    "agreement: semicolons": (odd.annotators, (ONE, ONE.replace(",", ";")), WHOLE, ""),
    "agreement: capital feature": (odd.annotators, (ONE, ONE.replace("v2,p2,tonic", "v2,p2,Tonic")), None, "'Tonic'.*'tonic'"),
    "agreement: id in capitals": (odd.annotators, (ONE, ONE.replace("v2,", "V2,")), None, "'V2'.*written like 'v2'"),
    "agreement: ids without zeros": (
        odd.annotators, (ONE.replace("v2,", "002,"), ONE.replace("v2,", "2,")), None, "'2'.*written like '002'"),
    "agreement: patients in two forms": (odd.annotators, (ONE.replace("p3", "P1"),) * 2, WHOLE, "'p1'.*written like 'P1'"),
    "agreement: #N/A": (odd.annotators, (ONE, ONE.replace("no\n", "#N/A\n")), None, "#N/A"),
    "agreement: a row cut off": (odd.annotators, (ONE, ONE[:-9]), None, "cut off"),
    # experts' ratings
    "experts: decimal comma": (
        odd.experts, 'video_id;patient_id;expert;bleu\nv1;p1;4,5;0,1\nv2;p2;3;0,2\n', (["bleu"], [4.5, 3.0]), ""),
    "experts: #N/A in a metric": (odd.experts, RATINGS + "v1,p1,4,0.1\nv2,p2,3,#N/A\n", None, "bleu.*#N/A"),
    "experts: text beside": (
        odd.experts, "video_id,patient_id,expert,bleu,remark\nv1,p1,4,0.1,good\nv2,p2,3,0.2,so so\n",
        (["bleu"], [4.0, 3.0]), ""),
    "experts: inf": (odd.experts, RATINGS + "v1,p1,inf,0.1\nv2,p2,3,0.2\n", None, "inf"),
    "experts: minus sign": (odd.experts, RATINGS + f"v1,p1,{MINUS}3,0.1\nv2,p2,3,0.2\n", (["bleu"], [-3.0, 3.0]), ""),
    "experts: one rater twice": (
        odd.experts, "video_id,patient_id,rater,expert,bleu\nv1,p1,a,4,0.1\nv1,p1,a,2,0.1\nv2,p2,a,3,0.2\n", None, "twice"),
    "experts: patients in two forms": (
        odd.experts, RATINGS + "v1,p1,4,0.1\nv2,P1,3,0.2\n", ..., "'p1'.*written like 'P1'"),
    # power
    "power: semicolons": (odd.power, (TWO_SETS.replace(",", ";"), "video_id;feature;present\nV1;tonic;Yes\nV2;tonic;NO\n"), TRUTHS, ""),
    "power: capital feature": (odd.power, (TWO_SETS, "video_id,feature,present\nV1,Tonic,yes\nV2,tonic,no\n"), None, "Tonic"),
    "power: an id nobody has": (odd.power, (TWO_SETS, "video_id,feature,present\nv1,tonic,yes\nV2,tonic,no\n"), None, "annotations.csv:2: has no patient_id"),
    "power: a row twice": (
        odd.power, (TWO_SETS, "video_id,feature,present\nV1,tonic,yes\nV1,tonic,no\nV2,tonic,no\n"), None, "csv:3: rates .* a second time"),
    "power: one person under two ids": (
        odd.power, (TWO_SETS.replace("P1", "7").replace("P2", "007"), ""), ..., "'7'.*written like '007'"),
    # tables of answers, as a side of `compare`
    "compare: usual": (
        odd.compared, ANSWERS + "feature,m,none,s3,V1,P1,tonic,yes,no,,\n", [["V1", "tonic", "yes", "no"]], ""),
    "compare: semicolons, mark": (
        odd.compared, ("\ufeff" + (ANSWERS + "feature,m,none,s3,V1,P1,tonic,yes,no,,\n").replace(",", ";")).encode(),
        [["V1", "tonic", "yes", "no"]], ""),
    "compare: UTF-16": (
        odd.compared, (ANSWERS + "feature,m,none,s3,V1,P1,tonic,yes,no,,\n").encode("utf-16"),
        [["V1", "tonic", "yes", "no"]], ""),
    "compare: capital answer": (odd.compared, ANSWERS + "feature,m,none,s3,V1,P1,tonic,Yes,no,,\n", None, "answer is 'Yes'"),
    "compare: capital truth": (odd.compared, ANSWERS + "feature,m,none,s3,V1,P1,tonic,yes,TRUE,,\n", None, "truth is 'TRUE'"),
    "compare: capital feature": (odd.compared, ANSWERS + "feature,m,none,s3,V1,P1,Tonic,yes,no,,\n", None, "Tonic"),
    "compare: time with a comma": (
        odd.compared, ANSWERS + 's3_onset_time,m,none,s3,V1,P1,tonic,"12,5",3,,\n', None, "12,5"),
    "compare: time cannot be read": (odd.compared, ANSWERS + "s3_onset_time,m,none,s3,V1,P1,tonic,3,#N/A,,\n", None, "#N/A"),
    # data describe
    "describe: numbers": (odd.described, FIVE, {"P1": 31, "P2": 42, "P3": 25, "P4": 58, "P5": 66}, ""),
    "describe: #N/A among numbers": (
        odd.described, [*FIVE, "#N/A"], {"P1": 31, "P2": 42, "P3": 25, "P4": 58, "P5": 66}, "#N/A.*missing"),
    "describe: n/a among words": (odd.described, ["f", "m", "n/a", "F"], {"P1": "f", "P2": "m", "P4": "f"}, "n/a.*missing"),
    "describe: 0 and 0.0": (odd.described, ["0", "0.0", "1", "1.0"], {"P1": "0", "P2": "0", "P3": "1", "P4": "1"}, ""),
    "describe: decimal comma": (
        odd.described, ["3,5", "4,5", "5,5", "6,5", "7,5"], {"P1": 3.5, "P2": 4.5, "P3": 5.5, "P4": 6.5, "P5": 7.5}, ""),
    "describe: thousands": (odd.described, ["1,234", "2,345", "3,456", "4,567", "5,678"], None, "1,234.*thousands"),
    "describe: underscore": (odd.described, ["3_1", "42", "25", "58", "66"], ..., "3_1"),
    "describe: minus sign": (
        odd.described, [f"{MINUS}31", "42", "25", "58", "66"], {"P1": -31, "P2": 42, "P3": 25, "P4": 58, "P5": 66}, ""),
    "describe: unit": (odd.described, ["31 y", "42", "25", "58", "66"], ..., "31 y"),
    # report --by
    "by: capitals": (odd.grouped, ["F", "f", "m", "M"], {"V1": "F", "V2": "F", "V3": "m", "V4": "m"}, ""),
    "by: #N/A": (odd.grouped, ["f", "#N/A", "m", "nan"], {"V1": "f", "V3": "m"}, ""),
    "by: 1 and 1.0": (odd.grouped, ["1", "1.0", "0", "0"], {"V1": "1", "V2": "1", "V3": "0", "V4": "0"}, ""),
    # transcripts
    "transcript: decimal comma": (odd.transcript, "start_s;end_s;text\n0,5;1,5;hello\n", [(0.5, 1.5, "hello")], ""),
    "transcript: clock": (odd.transcript, SPOKEN + "0:05,0:06,hello\n", None, "clock time"),
    "transcript: day fraction": (odd.transcript, SPOKEN + "0.000115741,0.000231481,hello\n", None, "fraction of a day"),
    "transcript: merged time": (odd.transcript, SPOKEN + "0,1,a\n,2,b\n", None, "''"),
    "transcript: the end first": (odd.transcript, SPOKEN + "5,1,a\n", None, "the end not before the start"),
    "transcript: column twice": (odd.transcript, "start_s,end_s,text,Text\n0,1,a,b\n", None, "occurs twice"),
    "transcript: UTF-16": (odd.transcript, (SPOKEN + "0,1,a\n").encode("utf-16"), [(0, 1, "a")], ""),
    "transcript: number with an underscore": (
        odd.transcript, '{"format":"semiology-transcript","format_version":1,"segments":[{"start_s":"1_0",'
        '"end_s":"2_0","text":"a","words":[]}]}', None, "1_0"),
    "shared transcript: bars": (odd.shared_transcript, "start_s|end_s|text\n0|1|a\n", ["0,1,a"], ""),
    "shared transcript: UTF-16": (odd.shared_transcript, (SPOKEN + "0,1,a\n").encode("utf-16"), ["0,1,a"], ""),
    "shared transcript: column twice": (odd.shared_transcript, "start_s,end_s,text,Text\n0,1,a,b\n", None, "occurs twice"),
    "shared transcript: underscore": (odd.shared_transcript, SPOKEN + "1_0,2_0,a\n", None, "1_0|no times"),
    "shared transcript: a longer row": (odd.shared_transcript, SPOKEN + "0,1,a,b\n", None, "4 cells"),
    # published tables with a time of onset
    "onset: decimal comma": (odd.published, "12,5", None, "12,5.*no time"),
    "onset: day fraction": (odd.published, "0.000173611", None, "fraction of a day"),
    "onset: minutes": (odd.published, "1:05", 65, ""),
    "onset: exponent": (odd.published, "1e3", None, "1e3.*no time"),
    "onset: minus sign": (odd.published, f"{MINUS}3", None, "no time"),
    "onset: #N/A": (odd.published, "#N/A", None, ""),
    "onset: unit": (odd.published, "12 s", None, "no time"),
    "onset: blank that does not break": (odd.published, f"12{NBSP}", 12, ""),
    "onset: thousands": (odd.published, "1.234,5", None, "no time"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_odd_cell_is_read_rightly_or_told(tmp_path: Path, name: str) -> None:
    reader, table, right, pattern = CASES[name]
    found, said = reader(tmp_path, table)
    if right is not ...:
        assert found == right, said
    assert re.search(pattern, said, re.DOTALL), said
    if pattern == "" and right is not None:
        assert "odd" not in said
