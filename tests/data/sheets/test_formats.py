"""Files of annotation programs: what each says of a recording."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semiology.data.problems import RecordingSetError
from semiology.data.sheets.formats.sources import read_source
from semiology.data.sheets.mapping import Notes, SheetMapping, answered
from semiology.data.sheets.names import Film
from semiology.data.sheets.reading import read_sheet


def said(path: Path, films: tuple[str, ...] = (), **answers: str) -> dict[tuple[str, str], Any]:
    notes = Notes(path.name)
    mapping = answered(SheetMapping(), {"patient": "each", "empty": "unannotated"} | answers)
    grids = read_source(path, notes, mapping)
    known = {name: Film(Path(f"{name}.mp4"), 90.0, 25.0) for name in films}
    content, _ = read_sheet(grids, mapping, notes, known)
    assert content is not None, notes.questions
    return {
        (item.video_id, item.feature): tuple(
            value for value in (item.present, item.onset_s, item.offset_s, item.side) if value is not None
        )
        for item in content.annotations
    }


def test_elan(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan", reason="pympi-ling is not installed (extra `import`)")
    eaf = elan.Eaf(author="test")
    eaf.add_linked_file("file:///D:/films/P1_a.mp4", mimetype="video/mp4")
    eaf.add_tier("Head turning")
    eaf.add_annotation("Head turning", 12_000, 20_500, "left")
    eaf.add_tier("Semiology")
    eaf.add_annotation("Semiology", 1000, 3000, "Tonic")
    eaf.add_annotation("Semiology", 5000, 6000, "Lip smacking")
    eaf.add_annotation("Semiology", 7000, 8000, "nurse enters")
    folder = tmp_path / "eaf"
    folder.mkdir()
    eaf.to_file(str(folder / "one.eaf"))
    (folder / "one.eaf").rename(folder / "P1.eaf")
    (grid,) = read_source(folder / "P1.eaf", Notes("P1"), SheetMapping())
    assert {row[grid.rows[0].index("comment")] for row in grid.rows[1:]} == {
        ""
    }  # a tier's name is no justification
    expected = {
        ("P1_a", "head_turning"): ("yes", 12.0, 20.5, "left"),
        ("P1_a", "tonic"): ("yes", 1.0, 3.0),
        ("P1_a", "oral_automatisms"): ("yes", 5.0, 6.0),
    }
    assert said(folder / "P1.eaf") == expected
    assert said(folder) == expected
    (folder / "P2.eaf").write_text("<no/>")
    with pytest.raises(RecordingSetError, match=r"P2\.eaf"):
        said(folder)


def test_edf_annotations(tmp_path: Path) -> None:
    pyedflib = pytest.importorskip("pyedflib", reason="pyEDFlib is not installed (extra `import`)")
    path = tmp_path / "P1_a.edf"
    with pyedflib.EdfWriter(str(path), 1, file_type=pyedflib.FILETYPE_EDFPLUS) as writer:
        writer.setSignalHeader(0, {"label": "EEG", "dimension": "uV", "sample_frequency": 10, "physical_max": 1.0,
                                   "physical_min": -1.0, "digital_max": 100, "digital_min": -100, "transducer": "",
                                   "prefilter": ""})  # fmt: skip
        writer.writeSamples([np.zeros(600)])
        writer.writeAnnotation(4.5, 10.0, "Tonic")
        writer.writeAnnotation(20.0, -1, "Head turning left")
        writer.writeAnnotation(30.0, -1, "Impedance check")
    assert said(path) == {
        ("P1_a", "tonic"): ("yes", 4.5, 14.5),
        ("P1_a", "head_turning"): ("yes", 20.0, "left"),
    }


BORIS = {
    "project_name": "emu",
    "behaviors_conf": {
        "0": {"type": "State event", "code": "tonic", "key": "t"},
        "1": {"type": "Point event", "code": "head turn", "key": "h"},
    },
    "observations": {
        "obs 1": {
            "file": {"1": ["C:\\films\\P1_a.mp4"], "2": []},
            "time offset": 0.0,
            "events": [
                [1.5, "", "tonic", "", ""],
                [9.25, "", "tonic", "", ""],
                [12.0, "", "head turn", "left", "fast"],
            ],
        }
    },
}


def test_boris_project(tmp_path: Path) -> None:
    path = tmp_path / "emu.boris"
    path.write_text(json.dumps(BORIS))
    assert said(path) == {
        ("P1_a", "tonic"): ("yes", 1.5, 9.25),
        ("P1_a", "head_turning"): ("yes", 12.0, "left"),
    }


def test_boris_tables(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "Observation id,Observation date,Media file name,Subject,Behavior,Behavior type,Modifier #1,Time,Comment\n"
        "o1,2026-01-01,films/P1_a.mp4,p,tonic,START,,1.5,\no1,2026-01-01,films/P1_a.mp4,p,tonic,STOP,,9.25,\n"
        "o1,2026-01-01,films/P1_a.mp4,p,head turn,POINT,left,12,\n"
    )
    expected = {("P1_a", "tonic"): ("yes", 1.5, 9.25), ("P1_a", "head_turning"): ("yes", 12.0, "left")}
    assert said(path) == expected
    path.write_text(
        "Observation id\tMedia file\tSubject\tBehavior\tModifiers\tBehavior type\tStart (s)\tStop (s)\tDuration (s)\n"
        "o1\tP1_a.mp4\tp\ttonic\t\tSTATE\t1.5\t9.25\t7.75\no1\tP1_a.mp4\tp\thead turn\tleft\tPOINT\t12\t12\t0\n"
    )
    assert said(path) == expected


def test_redcap_with_labels_and_repeats(tmp_path: Path) -> None:
    path = tmp_path / "redcap.csv"
    path.write_text(
        "Record ID,Repeat Instrument,Repeat Instance,"
        "Signs (choice=Tonic),Signs (choice=Clonic),Head version,Form Complete?\n"
        "12,,,,,,\n12,Seizure,1,Checked,Unchecked,Yes,Complete\n12,Seizure,2,Unchecked,Checked,No,Complete\n"
        "13,Seizure,1,Unchecked,Unchecked,,Incomplete\n"
    )
    found = said(path, patient="")
    assert found["1", "tonic"] == ("yes",)
    assert found["2", "clonic"] == ("yes",)
    assert found["2", "head_turning"] == ("no",)
    assert len(found) == 6


def test_redcap_raw(tmp_path: Path) -> None:
    path = tmp_path / "redcap.csv"
    path.write_text(
        "record_id,patient,signs___tonic,signs___clonic,form_complete\nr1,p1,1,0,2\nr2,p2,0,0,0\n"
    )
    assert said(path, video="record_id") == {("r1", "tonic"): ("yes",), ("r1", "clonic"): ("no",)}


def test_label_studio(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    result = [
        {"from_name": "t", "type": "timelinelabels", "value": {"ranges": [span], "timelinelabels": [label]}}
        for label, span in (("Tonic", {"start": 26, "end": 51}), ("Blank stare", {"start": 76, "end": 101}))
    ]
    task = {"id": 1, "data": {"video": "/data/upload/1/0a1b2c3d-P1_a.mp4"}, "annotations": [
        {"was_cancelled": False, "result": result}, {"was_cancelled": True, "result": result[:1]}]}  # fmt: skip
    path.write_text(json.dumps([task]))
    notes = Notes(path.name)
    read_source(path, notes, SheetMapping())
    assert set(notes.questions) == {"fps"}  # the rate of the project, not of the film
    assert said(path, films=("P1_a",), fps="50") == {
        ("P1_a", "tonic"): ("yes", 0.5, 1.0),
        ("P1_a", "blank_stare"): ("yes", 1.5, 2.0),
    }
    box = {"framesCount": 250, "duration": 10.0, "labels": ["Clonic"],
           "sequence": [{"frame": 26, "enabled": True}, {"frame": 51, "enabled": False}]}  # fmt: skip
    task["annotations"] = [{"result": [{"from_name": "b", "type": "videorectangle", "value": box}]}]
    path.write_text(json.dumps([task]))
    assert said(path) == {("P1_a", "clonic"): ("yes", 1.0, 2.0)}
    path.write_text(json.dumps([{"video": "/x/P1_a.mp4", "tonic": "yes", "id": 3}]))
    assert said(path) == {("P1_a", "tonic"): ("yes",)}


def test_cvat(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    (tmp_path / "task.json").write_text(json.dumps({"name": "P1_a.mp4"}))
    track = {"label": "tonic", "frame": 25, "attributes": [], "shapes": [
        {"frame": 25, "outside": False}, {"frame": 75, "outside": True}]}  # fmt: skip
    tags = [
        {"frame": frame, "label": "head_turning", "attributes": [{"value": "right"}]}
        for frame in (100, 101, 102)
    ]
    path.write_text(json.dumps([{"version": 0, "tags": tags, "shapes": [], "tracks": [track]}]))
    assert said(path, films=("P1_a",)) == {
        ("P1_a", "tonic"): ("yes", 1.0, 3.0),
        ("P1_a", "head_turning"): ("yes", 4.0, 4.08, "right"),
    }


def test_a_backup_counts_the_frames_of_its_task(tmp_path: Path) -> None:
    """A task that begins at frame 50 and takes every fifth picture: its frame 5 is the film's frame 75."""
    path = tmp_path / "annotations.json"
    about = {"name": "P1_a.mp4", "data": {"start_frame": 50, "frame_filter": "step=5"}}
    (tmp_path / "task.json").write_text(json.dumps(about))
    shapes = [{"frame": 5, "outside": False}, {"frame": 15, "outside": True}]
    path.write_text(
        json.dumps([{"tags": [], "shapes": [], "tracks": [{"label": "tonic", "shapes": shapes}]}])
    )
    assert said(path, films=("P1_a",)) == {("P1_a", "tonic"): ("yes", 3.0, 5.0)}
    about["data"] = {"frame_filter": "every=5"}
    (tmp_path / "task.json").write_text(json.dumps(about))
    with pytest.raises(RecordingSetError, match="every=5"):
        read_source(path, Notes("x"), SheetMapping())


CVAT_VIDEO = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
 <meta><task><id>7</id><name>ward</name><mode>interpolation</mode><start_frame>0</start_frame>
   <source>P1_a.mp4</source></task></meta>
 <track id="0" label="tonic" source="manual">
  <box frame="25" outside="0" xtl="1" ytl="1" xbr="9" ybr="9"/><box frame="50" outside="0" xtl="1" ytl="1" xbr="9"
   ybr="9"/><box frame="75" outside="1" xtl="1" ytl="1" xbr="9" ybr="9"/></track>
 <track id="1" label="head_turning"><box frame="100" outside="0" xtl="1" ytl="1" xbr="9" ybr="9"><attribute
   name="to">right</attribute></box><box frame="101" outside="1" xtl="1" ytl="1" xbr="9" ybr="9"/></track>
 <track id="2" label="head_turning"><box frame="101" outside="0" xtl="1" ytl="1" xbr="9" ybr="9"><attribute
   name="to">right</attribute></box><box frame="102" outside="1" xtl="1" ytl="1" xbr="9" ybr="9"/></track>
</annotations>"""
CVAT_IMAGES = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><project><tasks>
 <task><id>7</id><name>P1_a</name></task><task><id>8</id><name>P2_b</name></task></tasks></project></meta>
 <image id="50" name="frame_000050" task_id="7"><tag label="clonic"/></image>
 <image id="51" name="frame_000051" task_id="7"><tag label="clonic"/></image>
 <image id="25" name="frame_000025" task_id="8"><box label="tonic" xtl="1" ytl="1" xbr="9" ybr="9"><attribute
  name="side">left</attribute></box></image>
</annotations>"""


def test_cvat_xml(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(CVAT_VIDEO)
    assert said(tmp_path / "one.xml", films=("P1_a",)) == {
        ("P1_a", "tonic"): ("yes", 1.0, 3.0),
        ("P1_a", "head_turning"): ("yes", 4.0, 4.04, "right"),
    }
    (tmp_path / "two.xml").write_text(CVAT_IMAGES)
    assert said(tmp_path / "two.xml", films=("P1_a", "P2_b")) == {
        ("P1_a", "clonic"): ("yes", 2.0, 2.04),
        ("P2_b", "tonic"): ("yes", 1.0, 1.0, "left"),
    }


def test_cvat_as_it_is_handed_out(tmp_path: Path) -> None:
    """A zip file with the XML, or with a backup."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("annotations.xml", CVAT_VIDEO)
        archive.writestr("images/frame_000000.PNG", b"x")
    assert said(tmp_path / "export.zip", films=("P1_a",))[("P1_a", "tonic")] == ("yes", 1.0, 3.0)
    track = {"label": "tonic", "shapes": [{"frame": 25, "outside": False}, {"frame": 75, "outside": True}]}
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.writestr("annotations.json", json.dumps([{"tracks": [track]}]))
        archive.writestr("task.json", json.dumps({"name": "P1_a", "data": {"start_frame": 25}}))
    assert said(tmp_path / "backup.zip", films=("P1_a",)) == {("P1_a", "tonic"): ("yes", 2.0, 4.0)}


def test_datumaro(tmp_path: Path) -> None:
    path = tmp_path / "P1_a.json"
    items = [
        {
            "id": f"frame_{frame:06d}",
            "attr": {"frame": frame},
            "annotations": [{"type": "label", "label_id": 0}],
        }
        for frame in (50, 51, 52)
    ]
    path.write_text(
        json.dumps({"info": {}, "categories": {"label": {"labels": [{"name": "clonic"}]}}, "items": items})
    )
    assert said(path, films=("P1_a",)) == {("P1_a", "clonic"): ("yes", 2.0, 2.08)}


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><annotations>&d;</annotations>'
    for name, text in {
        **{"a.json": "{}", "b.json": "[1", "c.eaf": "x", "d.edf": "x", "e.boris": "{}"},
        **{
            "f.xml": "<a",
            "g.xml": "<svg/>",
            "h.xml": bomb,
            "i.zip": "PK",
            "j.xml": "<annotations><track/></annotations>",
        },
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(RecordingSetError, match=name):
            read_source(tmp_path / name, Notes(name), SheetMapping())
    with pytest.raises(RecordingSetError, match="several kinds"):
        read_source(tmp_path, Notes("folder"), SheetMapping())
