"""Sheets as hospitals keep them: what each of them says, and what is asked about it."""

from __future__ import annotations

import base64
import datetime
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import Annotation
from semiology.data.sheets.formats.sources import read_source
from semiology.data.sheets.grid import read_grids
from semiology.data.sheets.mapping import Notes, SheetMapping, answered
from semiology.data.sheets.names import Film
from semiology.data.sheets.reading import SheetContent, read_sheet


def films(*names: str, seconds: float = 90.0, fps: float = 25.0) -> dict[str, Film]:
    return {name.lower(): Film(Path(f"/films/{name}.mp4"), seconds, fps) for name in names}


def read(
    path: Path, films: Mapping[str, Film] | None = None, **answers: str
) -> tuple[SheetContent | None, Notes, SheetMapping]:
    mapping = answered(SheetMapping(), {key.replace("__", "."): value for key, value in answers.items()})
    notes = Notes(path.name)
    content, found = read_sheet(read_grids(path), mapping, notes, films or {})
    return content, notes, found


def said(content: SheetContent | None) -> dict[tuple[str, str], tuple[Any, ...]]:
    assert content is not None
    return {
        (item.video_id, item.feature): tuple(
            value for value in (item.present, item.onset_s, item.offset_s, item.side) if value is not None
        )
        for item in content.annotations
    }


def asked(notes: Notes) -> set[str]:
    return set(notes.questions)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def test_1_german_semicolons_windows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Anfälle der Überwachung 2021;;;;\r\n\r\n"
        "Datei;Pat.-Nr.;Tonisch;Kopfwendung;Beginn Kopfwendung;Seite Kopfwendung\r\n"
        "A1.mp4;P1;ja;ja;12,5;li\r\nA2.mp4;P1;nein;fraglich;;\r\nB1.mp4;P2;Ja;nein;;\r\n",
        "cp1252",
    )
    content, notes, mapping = read(path)
    assert said(content) == {
        ("A1", "tonic"): ("yes",),
        ("A1", "head_turning"): ("yes", 12.5, "left"),
        ("A2", "tonic"): ("no",),
        ("A2", "head_turning"): ("na",),
        ("B1", "tonic"): ("yes",),
        ("B1", "head_turning"): ("no",),
    }
    assert mapping.encoding == "cp1252"
    assert mapping.delimiter == ";"
    assert mapping.header == [3]
    assert ("features", "fraglich", "na") in notes.changes
    assert any("cp1252" in taken for _, _, taken in notes.changes)


def test_2_workbook_with_merged_heads_and_lost_zeros(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Seizure", "Patient", "Head version", None, None, "Tonic", None])
    sheet.append([None, None, "present", "onset (s)", "side", "present", "onset (s)"])
    for name in ("A1:A2", "B1:B2", "C1:E1", "F1:G1"):
        sheet.merge_cells(name)
    sheet.append([7, 3, "Y", 12, "R", "N", None])
    sheet.append([12, 3, "N", None, None, "Y", 4.5])
    sheet.merge_cells("B3:B4")
    sheet["A3"].number_format = "000"
    book.save(tmp_path / "a.xlsx")
    content, notes, _ = read(tmp_path / "a.xlsx", films("007", "012"))
    assert said(content) == {
        ("007", "head_turning"): ("yes", 12.0, "right"),
        ("007", "tonic"): ("no",),
        ("12", "head_turning"): ("no",),
        ("12", "tonic"): ("yes", 4.5),
    }
    assert content is not None
    assert [item.video.name for item in content.recordings] == ["007.mp4", "012.mp4"]
    assert ("film (lost zeros)", "12", "012") in notes.changes


def test_3_several_sheets_and_patients_elsewhere(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        Readme=[["How this book is used"]],
        Signs=[["Video", "Clonic", "Oral automatisms"], ["v1", 1, 0], ["v2", 0, 1]],
        Patients=[["Video", "Patient ID"], ["v1", "p1"], ["v2", "p2"]],
    )
    content, notes, mapping = read(path)
    assert said(content)["v2", "oral_automatisms"] == ("yes",)
    assert content is not None
    assert [item.patient_id for item in content.recordings] == ["p1", "p2"]
    assert mapping.sheet == "Signs"
    assert any("Patients" in found for _, found, _ in notes.changes)
    two = workbook(
        tmp_path / "b.xlsx",
        Anna=[["Video", "Patient", "Clonic"], ["v1", "p", "yes"]],
        Ben=[["Video", "Patient", "Clonic"], ["v1", "p", "no"]],
    )
    _, notes, _ = read(two)
    assert asked(notes) == {"sheet"}
    content, _, _ = read(two, sheet="Ben")
    assert said(content) == {("v1", "clonic"): ("no",)}


def test_4_crosses_alone_are_asked_about(tmp_path: Path) -> None:
    text = "clip\tsubject\ttonique\tclonique\tclignement des yeux\nc1\ts1\tx\t\t\nc2\ts2\t\tX\tx\n"
    path = written(tmp_path / "a.tsv", text, "utf-16")
    _, notes, _ = read(path)
    assert asked(notes) == {"empty"}
    content, _, _ = read(path, empty="no")
    assert said(content)["c1", "eye_blinking"] == ("no",)
    assert len(said(content)) == 6
    content, _, _ = read(path, empty="unannotated")
    assert set(said(content)) == {("c1", "tonic"), ("c2", "clonic"), ("c2", "eye_blinking")}


def test_5_a_list_of_events_with_clock_times(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "recording,patient,behavior,start,end,side,comment\n"
        "r1,p1,Head turn,0:00:12,0:00:20,left,slow\nr1,p1,head turn,0:00:40,0:00:44,right,\n"
        "r1,p1,Tonic posturing,0:00:25,0:00:31,,\nr2,p1,Lip smacking,0:01:02,0:01:10,,\n",
    )
    _, notes, _ = read(path)
    assert asked(notes) == {"empty"}
    content, notes, _ = read(path, empty="unannotated")
    assert said(content) == {
        ("r1", "head_turning"): ("yes", 12.0, 20.0, "both"),
        ("r1", "tonic"): ("yes", 25.0, 31.0),
        ("r2", "oral_automatisms"): ("yes", 62.0, 70.0),
    }
    assert any("several events" in found for _, found, _ in notes.changes)
    assert content is not None
    assert content.annotations[0].justification == "slow"


def test_6_times_of_day(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        S=[
            ["Video", "Patient", "Recording start", "Tonic", "Tonic onset", "Tonic end"],
            [
                "v1",
                "p1",
                datetime.datetime.fromisoformat("2021-03-04T23:59:50"),
                "yes",
                datetime.time(0, 0, 5),
                datetime.time(0, 0, 15),
            ],
            ["v2", "p2", datetime.datetime.fromisoformat("2021-03-04T14:00:00"), "no", None, None],
        ],
    )
    content, notes, mapping = read(path, films("v1", "v2"))
    assert said(content)["v1", "tonic"] == ("yes", 15.0, 25.0)
    assert mapping.times == "clock"
    assert any("day" in found for _, found, _ in notes.changes)


def test_7_smpte_and_day_fractions(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "video|patient|tonic|tonic start|tonic end|clonic|clonic start\n"
        "v1|p1|yes|00:00:12:05|00:00:20:00|yes|0.000173611\nv2|p1|no|||no|\n",
    )
    _, notes, _ = read(path)
    assert asked(notes) == {"fps"}
    content, notes, _ = read(path, films("v1", "v2"))
    assert said(content)["v1", "tonic"] == ("yes", 12.2, 20.0)
    assert said(content)["v1", "clonic"] == ("yes", 15.0)
    assert ("clonic start", "fraction of a day", "seconds") in notes.changes


def test_8_three_groups_are_asked_about_unless_the_films_tell(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "video,patient,tonic,tonic onset\nv1,p1,yes,01:12:10\nv2,p1,yes,01:20:00\nv3,p2,no,\n",
    )
    _, notes, _ = read(path)
    assert asked(notes) == {"times"}
    content, _, _ = read(path, times="mm:ss:cc")
    assert said(content)["v1", "tonic"] == ("yes", 72.1)
    content, _, _ = read(path, times="h:mm:ss")
    assert said(content)["v1", "tonic"] == ("yes", 4330.0)
    content, notes, _ = read(path, films("v1", "v2", "v3"), times="h:mm:ss")
    assert said(content)["v1", "tonic"] == ("yes",)
    assert any("behind the end of the film" in problem.message for problem in notes.unused)


def test_9_spans_and_sides_in_the_cell(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Vídeo;Paciente;Versión cefálica;Tónica;Parpadeo\n"
        "v1;p1;sí (0:12-0:40), izq;12 - 30 s;no\nv2;p1;derecha;no;0:05\nv3;p2;no;sí;no\n",
    )
    content, notes, _ = read(path)
    assert said(content) == {
        ("v1", "head_turning"): ("yes", 12.0, 40.0, "left"),
        ("v1", "tonic"): ("yes", 12.0, 30.0),
        ("v1", "eye_blinking"): ("no",),
        ("v2", "head_turning"): ("yes", "right"),
        ("v2", "tonic"): ("no",),
        ("v2", "eye_blinking"): ("yes", 5.0),
        ("v3", "head_turning"): ("no",),
        ("v3", "tonic"): ("yes",),
        ("v3", "eye_blinking"): ("no",),
    }
    assert any(taken == "yes, side right" for _, _, taken in notes.changes)


def test_10_features_as_rows(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        S=[["", "P1_a", "P1_b", "P2_a"], ["tonic", "yes", "no", "no"], ["clonic", "no", "yes", "no"],
           ["blank stare", "no", "no", "yes"]],
    )  # fmt: skip
    _, notes, _ = read(path)
    assert asked(notes) == {"patient"}
    content, notes, mapping = read(path, patient=r"^(P\d)")
    assert said(content)["P2_a", "blank_stare"] == ("yes",)
    assert content is not None
    assert [item.patient_id for item in content.recordings] == ["P1", "P1", "P2"]
    assert mapping.layout == "turned"


def test_11_codes_and_unclear_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "video,patient,tonic,automatisms,hed turning,ward\nv1,p1,1,2,1,X\nv2,p2,2,1,9,Y\n"
    )
    _, notes, _ = read(path)
    assert asked(notes) == {"columns.automatisms", "columns.hed turning"}
    _, notes, _ = read(
        path, columns__automatisms="oral_automatisms", **{"columns__hed turning": "head_turning"}
    )
    assert asked(notes) == {"values.1", "values.2", "values.9"}
    content, notes, _ = read(
        path, columns__automatisms="oral_automatisms", values__1="yes", values__2="no", values__9="unannotated",
        **{"columns__hed turning": "head_turning"},
    )  # fmt: skip
    assert said(content) == {
        ("v1", "tonic"): ("yes",), ("v1", "oral_automatisms"): ("no",), ("v1", "head_turning"): ("yes",),
        ("v2", "tonic"): ("no",), ("v2", "oral_automatisms"): ("yes",),
    }  # fmt: skip
    assert any("'ward'" in remark for remark in notes.remarks)


def test_control_video_is_told_by_its_diagnosis(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "video,patient,tonic,diagnosis\nV1.mp4,P1,no,None\nV2.mp4,P1,yes,ES\n")
    content, _, _ = read(path, films("V1", "V2"))
    assert content is not None
    assert [(item.diagnosis, item.control) for item in content.recordings] == [(None, True), ("ES", False)]


def test_12_names_as_ids_become_new_ids(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "file name,patient,tonic,diagnosis\nMüller Hans 2021-03-04.mp4,Müller Hans,yes,epileptic\n"
        "Müller Hans 2.mp4,Müller Hans,no,ES\nSchulz Eva.avi,Schulz Eva,no,PNES\n",
    )
    content, notes, mapping = read(path, films("Müller Hans 2021-03-04", "Schulz Eva"))
    assert content is not None
    assert {item.patient_id for item in content.recordings} == {"P001", "P002"}
    assert mapping.ids == "new"
    assert [item.diagnosis for item in content.recordings] == ["ES", "ES", "NES"]
    assert any(where == "ids" for where, _, _ in notes.changes)
    shown = " ".join(str(item) for item in content.annotations)
    assert "Müller" not in shown


def test_13_old_macintosh_and_blank_ids(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Patient,Fichier,Signe,Présence,Début (ms)\rp1,v1,Rotation de la tête,oui,12500\r,,Regard fixe,non,\r"
        "p2,v2,Regard fixé,oui,3000\r",
        "mac_roman",
    )
    _, notes, _ = read(path)
    assert "blank_ids" in asked(notes)
    content, notes, mapping = read(path, blank_ids="above")
    assert said(content) == {
        ("v1", "head_turning"): ("yes", 12.5),
        ("v1", "blank_stare"): ("no",),
        ("v2", "blank_stare"): ("yes", 3.0),
    }
    assert mapping.encoding == "mac_roman"


def test_14_patients_that_differ_by_zeros(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "video,patient,tonic\nv1,007,yes\nv2,7,no\n")
    _, notes, _ = read(path)
    assert asked(notes) == {"zeros"}
    content, notes, _ = read(path, zeros="same")
    assert content is not None
    assert {item.patient_id for item in content.recordings} == {"007"}
    assert ("patient (lost zeros)", "7", "007") in notes.changes


def test_15_numbers_behind_the_film_are_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "video,patient,tonic,tonic onset\nv1,p1,yes,12500\nv2,p1,no,\n")
    _, notes, _ = read(path, films("v1", "v2"))
    assert asked(notes) == {"units.tonic onset"}
    content, _, _ = read(path, films("v1", "v2"), **{"units__tonic onset": "ms"})
    assert said(content)["v1", "tonic"] == ("yes", 12.5)


def test_16_seizure_numbers_that_repeat_between_patients(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "patient,seizure id,tonic\np1,1,yes\np1,2,no\np2,1,no\n")
    content, notes, _ = read(path)
    assert set(said(content)) == {("p1_1", "tonic"), ("p1_2", "tonic"), ("p2_1", "tonic")}
    assert any(taken == "PATIENT_NAME" for _, _, taken in notes.changes)


def test_17_what_is_no_table_of_features_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "name,address,telephone\nx,y,z\n")
    with pytest.raises(RecordingSetError, match=r"no row of 'a.csv' is a header"):
        read(path)
    path = written(tmp_path / "b.csv", "video,patient,ward\nv1,p1,z\n")
    with pytest.raises(RecordingSetError, match=r"no column of 'b.csv' is a feature"):
        read(path)


def test_a_contradiction_is_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "video,patient,feature,present,onset\nv1,p1,tonic,yes,5\nv1,p1,tonic,no,\nv1,p1,clonic,no,3\n",
    )
    content, notes, _ = read(path)
    assert content is not None
    assert content.annotations[0] == Annotation("v1", "tonic", "yes", 5.0)
    assert {problem.row for problem in notes.unused} == {3, 4}


def test_words_with_a_mark_of_doubt_are_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "video;patient;tonic;clonic\nv1;p1;ja?;ja\nv2;p1;(x);nein\n")
    _, notes, _ = read(path)
    assert asked(notes) == {"values.ja?", "values.(x)"}
    content, _, _ = read(path, **{"values__ja?": "na", "values__(x)": "no"})
    assert said(content) == {
        ("v1", "tonic"): ("na",), ("v1", "clonic"): ("yes",), ("v2", "tonic"): ("no",), ("v2", "clonic"): ("no",)
    }  # fmt: skip


def test_two_columns_that_name_recordings(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "seizure,file,patient,tonic\n1,A_1.mp4,A,yes\n2,A_2.mp4,A,no\n")
    _, notes, _ = read(path, films("A_1", "A_3"))
    assert asked(notes) == {"video"}
    content, notes, _ = read(path, films("A_1", "A_3"), video="file")
    assert set(said(content)) == {("A_1", "tonic"), ("A_2", "tonic")}
    assert "no film was found for A_2.mp4" in notes.remarks
    assert "no row is about the films A_3.mp4" in notes.remarks


EXCEL_97 = (  # of the sheet below; packed
    'c-rk)Pe_ze5dXdJ`_|nx|LmFuDu^s(WkOmVy6EOY*(K2kiwJ6UziKnSjdcs_P@3%}2!c*Y7r}xqR+s*eMA4-~VALT9LM=LV3'
    'JN-?+sy2@<?045l%agHym|BH&CHuOZ{DB%UQhU^M($TlV*#{4$6U&bf_Xee#hYpPK>eu{lbPB>CFQ`10<VV_vcQEW#jo7FhP'
    '>X>&~VRqP8j$|<uFd8J!YA;%LpOyA*|SkW@S+BX}C$H1eM}fncyD5YX#pG*>S-;g>zMKGs#Y=LzoD**YB|N_@EY$z7oO;4@K'
    'v_aGFqomz>8Juc@@G3$5{J_|$6Ys4<E#3R>$n(=y}S_TUz6b~H9NPNAF<U=-g|wZON`PJdSG@RygbK>Q!seD@#tyn4C#UP^$'
    '4{Og(l3?Ow>aoQ(Qia~>W+z6S+&R7vM2|udcoGo6QHRF8=v!^#PgDw=2)Ebe*{+Jc*>p9^9x}p&?Mx2gtB5GO*qE3dlSZ36s'
    'LnLG#k6IS(sMaQp`Alu4!MK~~P!nZke<5Eeasc_V4xnP$mPLdk<RjC5*_=L_?aZC8Z}xU~1dj-3KrWs1)wG^xhZF``gOp38$'
    '0eA1>P2I-;7ek)TIedl<s?aUT}OpY>>d)C%hFp%<7^Xn8{9CD-bi%vOXs7S<fq^!qQ}~%&zFzA3yvT_A&ihd|Ax?@8r1L&hR'
    '4B7t?WbWgW$?V2bxFo*}kXj`?nOc;FxI?4~C~Qd!1UkNUI#u%<~IQw=%Izw=~hswAhkikF4derHL($=mo7%qEm(%TU!%byn4'
    'FE$Er@Vm>eJO@7f*+vOQfq&9<kDJ-2O77kdHQo-X!0wl_u&Zw%4)+S-O_*V)=emN$lYV_oTdF?oAW@UtBih?gx|86NP&=+gK'
    'N%aNJt7hb8EsTO4>uL#!?Rpg4Q0}eRgfCCOV@ZUknGYIk&GwkPbLHeOD-*slG%sHP)RxRv9jD89Fqqqwe)p4B5D}UC(r82hE'
    '5_K})3mFd3=yCL-Tm0zFJAdh+s^-sU$%?+ew}tW@e=Z+C|MB=g0nTG5TL'
)  # fmt: skip
SHEET = [
    ["", "", "Tonisch", ""],
    ["Video", "Patient", "ja/nein", "Beginn"],
    ["A1", 7, "ja", datetime.time(0, 0, 12)],
    ["A2", 8, "nein", None],
    ["B1", 9, "ja", datetime.time(0, 1, 5)],
]


def open_document(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """Write an OpenDocument spreadsheet by hand: its mimetype comes first and is not packed."""
    space = "urn:oasis:names:tc:opendocument:xmlns:"

    def cell(value: object) -> str:
        if isinstance(value, datetime.time):
            return (
                f'<table:table-cell office:value-type="time" office:time-value="{value:PT%HH%MM%SS}">'
                f"<text:p>{value:%H:%M:%S}</text:p></table:table-cell>"
            )
        if isinstance(value, int):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        if not value:
            return "<table:table-cell/>"
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{space}manifest:1.0"><manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{space}office:1.0" xmlns:table="{space}table:1.0" '
            f'xmlns:text="{space}text:1.0"><office:body><office:spreadsheet><table:table table:name="Befunde">'
            f"{lines}</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return path


def test_old_and_open_workbooks(tmp_path: Path) -> None:
    """.xls and .ods say what .xlsx says; one feature stands over "yes or no" and "onset"."""
    old = tmp_path / "a.xls"
    old.write_bytes(zlib.decompress(base64.b85decode(EXCEL_97)))
    heard = {("A1", "tonic"): ("yes", 12.0), ("A2", "tonic"): ("no",), ("B1", "tonic"): ("yes", 65.0)}
    for path in (workbook(tmp_path / "c.xlsx", S=SHEET), old, open_document(tmp_path / "b.ods", SHEET)):
        assert said(read(path, empty="no")[0]) == heard, path.name
    # The second sheet of the old workbook is hidden.
    assert [(grid.name, grid.formats_unread) for grid in read_grids(old)] == [("Befunde", True)]
    notes = Notes("a.xls")
    read_source(old, notes, SheetMapping())
    assert any("007" in remark for remark in notes.remarks)


def test_formulas_without_values_and_other_files_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[["video", "patient", "tonic"], ["v1", "p1", '=IF(1,"yes","no")']])
    with pytest.raises(RecordingSetError, match="formula in C2"):
        read(path)
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(RecordingSetError, match=r"b\.xlsx"):
        read(tmp_path / "b.xlsx")
    (tmp_path / "c.xls").write_bytes(b"\xd0\xcf\x11\xe0 old")
    with pytest.raises(RecordingSetError, match="no workbook"):
        read(tmp_path / "c.xls")


WORDS = "x ja no ? - 1 2 0:12 00:00:12 1:02:03 12,5 3-5 left tonic video patient onset v1 007 7 Beginn 25:61 -3 1e9 ü"
CELLS = st.sampled_from(["", "Head turn", "\u202e", *WORDS.split()])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=6), known=st.booleans())
def test_any_sheet_ends_in_a_set_a_question_or_a_sentence(
    rows: list[list[str]], known: bool, tmp_path: Path
) -> None:
    head = [["video", "patient", "tonic", "tonic onset"]] if known else []
    path = written(tmp_path / "a.csv", "\n".join(";".join(row) for row in [*head, *rows]))
    try:
        content, notes, _ = read(path, films("v1"))
    except RecordingSetError:
        return
    assert (content is None) == bool(notes.questions)
    for item in content.annotations if content else ():
        assert item.present in ("yes", "no", "na")
        assert item.onset_s is None or (item.present == "yes" and 0 <= item.onset_s < 9 * 3600)
        assert item.offset_s is None or item.onset_s is None or item.offset_s >= item.onset_s
    ids = [item.video_id for item in content.recordings] if content else []
    assert len(ids) == len(set(ids))
