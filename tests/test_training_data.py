"""The bundled knowledge keeps its own rules. Read with plain csv and json, so that no reader of ours can excuse it."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from rapidfuzz import process

from model.competence import LEXICON, SPLITS, STYLES, UNANSWERABLE
from model.encoder import bundled_encoder
from model.files.categories import BRANCHES
from model.files.courselists import read_catalog
from model.files.rosters import read_roster
from model.files.tables import read_sheets
from model.lexicon import BANDS, EVERYBODY, Lexicon
from model.titles import TitleIndex
from model.training import Sources
from model.vectors import LONGEST, digest

DATA = Path(__file__).parents[1] / "training_data"
SAME = 0.96  # Cosine of sentence vectors from which two texts say the same.
NEAR = 85  # Texts at least this alike (rapidfuzz ratio, 0 to 100) are copies of each other.
QUERY_STYLES = {*STYLES, "misleading", "no_answer", "unanswerable"} - {"survey", "abbreviation"}
MODES = {
    "线下讲授", "网络课程", "直播", "现场教学", "异地教学", "结构化研讨", "案例教学", "情景模拟", "体验式", "访谈式", "自主学习", "送学上门",
    "跟班学习",
}  # fmt: skip
TEACHERS = {"党校教师", "领导干部", "专家学者", "先进典型"}
KINDS = set(product(MODES, TEACHERS, "是否"))
PART = re.compile(r"第([一二三四五])讲|之([一二三四五])|（([上中下一二三四五])）|([一二三四五])：")
SETS_OF_PARTS = [set("上下"), set("上中下"), *(set("一二三四五"[:size]) for size in (2, 3, 4, 5))]


def rows(*parts: str) -> list[dict[str, str]]:
    with DATA.joinpath(*parts).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def listed(cell: str) -> list[str]:
    return cell.split("、") if cell else []


def repeated(values: list[str]) -> list[str]:
    return sorted(value for value, times in Counter(values).items() if times > 1)


def copies(texts: list[str], others: list[str]) -> list[tuple[str, str]]:
    """Pairs of texts so alike that one is a copy of the other; ``workers=1`` and a matrix keep it exact and quick."""
    alike = process.cdist(texts, others, score_cutoff=NEAR, workers=1)
    return [(texts[row], others[column]) for row, column in np.argwhere(alike >= NEAR)]


COMPETENCIES = {row["name"]: row for row in rows("competencies.csv")}
FAMILIES = [row["family"] for row in rows("posts.csv")]
COURSES = rows("courses.csv")
PHRASES = {path: rows("phrases", path.parent.name, path.name) for path in sorted(DATA.glob("phrases/*/*.csv"))}
PAIRS = {path: rows("pairs", path.parent.name, path.name) for path in sorted(DATA.glob("pairs/*/*.csv"))}
QUERIES = [
    json.loads(line) for line in (DATA / "judgements" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
]
QRELS = [line.split("\t") for line in (DATA / "judgements" / "qrels.tsv").read_text(encoding="utf-8").splitlines()]


def phrases(*splits: str) -> list[str]:
    """The gap texts of splits: the phrases, and those of the pairs."""
    found = (PHRASES | PAIRS).items()
    return [row["text"] for path, read in found if path.parent.name in splits for row in read]


def titles() -> list[str]:
    return [row["title"] for found in PAIRS.values() for row in found]


def roster_texts() -> list[str]:
    book = openpyxl.load_workbook(DATA / "roster_sample.xlsx", read_only=True)
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    return [text.strip() for cell in cells for text in [cell, *re.split(r"[；;\n]", cell)] if text.strip()]


def test_there_are_at_least_180_competencies_in_four_branches() -> None:
    assert len(COMPETENCIES) == len(rows("competencies.csv")) >= 180
    assert {row["branch"] for row in COMPETENCIES.values()} == set(BRANCHES)
    areas = {(row["branch"], row["area"]) for row in COMPETENCIES.values()}
    assert not repeated([area for _, area in areas]), "an area belongs to one branch"


def test_every_competency_has_a_definition_and_a_name_of_its_own() -> None:
    for name, row in COMPETENCIES.items():
        assert re.fullmatch(r"[^。]{8,80}。", row["definition"]), f"{name}: one sentence, please"
        assert all(re.fullmatch(r".+:.+", member) for member in listed(row["frameworks"])), name
    words = [word for name, row in COMPETENCIES.items() for word in [name, *listed(row["aliases"])]]
    assert repeated(words) == []
    assert not [word for word in words if word != word.strip() or not word]


def test_false_friends_are_pairs_of_different_words_each_told_once() -> None:
    pairs = rows("false_friends.csv")
    assert len(pairs) >= 200
    assert all(row["a"] != row["b"] and row["difference"] for row in pairs)
    assert repeated(["、".join(sorted((row["a"], row["b"]))) for row in pairs]) == []


def test_false_friends_are_no_aliases_of_one_competency() -> None:
    owner = {word: name for name, row in COMPETENCIES.items() for word in [name, *listed(row["aliases"])]}
    merged = [
        (row["a"], row["b"]) for row in rows("false_friends.csv") if owner.get(row["a"], 0) == owner.get(row["b"], 1)
    ]
    assert merged == []


def test_categories_of_other_schemes_stand_for_branches_areas_or_ways_of_teaching_of_ours() -> None:
    known = rows("categories.csv")
    areas = {row["area"]: row["branch"] for row in COMPETENCIES.values()}
    for row in known:
        assert all((row["scheme"], row["label"])), row
        assert row["branch"] in {*BRANCHES, ""}, row["label"]
        assert not row["area"] or areas[row["area"]] == row["branch"], row["label"]
        assert row["mode"] in {*MODES, ""}, row["label"]
        assert not (row["mode"] and row["branch"]), f"{row['label']}: a way of teaching says nothing of the matter"
    assert repeated([f"{row['scheme']}|{row['label']}" for row in known]) == []


def test_a_label_means_the_same_in_every_scheme_and_the_schemes_are_whole() -> None:
    known = rows("categories.csv")
    meanings = {(row["label"], row["branch"], row["area"], row["mode"]) for row in known}
    assert repeated([label for label, *_ in meanings]) == []
    sizes = Counter(row["scheme"] for row in known)
    assert sizes["高校十七类"] == 17
    assert [row["label"] for row in known if row["scheme"] == "县师资库五方向"] == [
        "政治理论",
        "现代经济",
        "社会管理",
        "科学技术",
        "先进典型",
    ]
    assert {row["label"]: row["mode"] for row in known if row["mode"]} == {
        "专题讲座": "线下讲授",
        "网络培训": "网络课程",
    }
    assert set(BRANCHES) <= {row["label"] for row in known}


def test_levels_are_the_eleven_steps_and_every_word_means_one_of_them() -> None:
    levels = rows("levels.csv")
    assert repeated([row["word"] for row in levels]) == []
    official = {int(row["code"]): row["word"] for row in levels if row["kind"] == "领导职务"}
    assert sorted(official) == sorted(code for codes in BANDS.values() for code in codes)
    assert {int(row["code"]) for row in levels} == set(official)


def test_there_are_35_post_families_and_no_pattern_points_to_two() -> None:
    assert len(set(FAMILIES)) == len({row["code"] for row in rows("posts.csv")}) == 35
    for column in ("units", "titles"):
        assert repeated([word for row in rows("posts.csv") for word in listed(row[column])]) == []
    assert all(row["titles"] and row["note"] for row in rows("posts.csv"))


def test_every_post_family_asks_for_known_competencies_with_weights() -> None:
    needs = rows("post_requirements.csv")
    assert {row["family"] for row in needs} == {EVERYBODY, *FAMILIES}
    assert {row["band"] for row in needs} <= {EVERYBODY, *BANDS}
    assert {row["competency"] for row in needs} <= set(COMPETENCIES)
    assert all(0 < float(row["weight"]) <= 1 for row in needs)
    assert repeated(["|".join((row["family"], row["band"], row["competency"])) for row in needs]) == []


def test_quotas_are_in_order_of_known_levels_and_only_what_was_seen_and_can_be_told_is_on() -> None:
    quotas = rows("quotas.csv")
    numbers = [int(row["id"].removeprefix("Q")) for row in quotas]
    assert numbers == sorted(set(numbers))
    assert repeated([row["name"] for row in quotas]) == []
    levels = {row["code"] for row in rows("levels.csv")} | {""}
    for row in quotas:
        assert {row["least_level"], row["most_level"]} <= levels, row
        assert (row["period"], row["kind"]) in {("年度", "集中培训"), ("年度", "网络"), ("五年", "集中培训")}, row
        assert 0 < float(row["hours"]) <= 1000, row
        assert row["status"] == "M" or "http" in row["source"], row
        assert row["on"] == "0" or row["status"] == "S", row
        assert row["on"] == "1" or row["note"], row
        assert all(row[column] for column in ("name", "applies", "source")), row
    assert [row["id"] for row in quotas if row["status"] == "S" and row["on"] == "0"] == ["Q11"]


def test_there_are_at_least_4000_phrases_and_no_two_are_the_same() -> None:
    texts = phrases(*SPLITS)
    assert len(texts) >= 4000
    assert repeated(["".join(re.findall(r"\w", text)) for text in texts]) == []


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_pairs_have_a_gap_text_a_title_and_what_both_are_about(path: Path) -> None:
    assert {listed(row["competencies"])[0] for row in PAIRS[path]} == set(COMPETENCIES)
    assert repeated([row["title"] for row in PAIRS[path]]) == []
    for row in PAIRS[path]:
        labels = listed(row["competencies"])
        assert 1 <= len(labels) == len(set(labels)) <= 3, row
        assert set(labels) <= set(COMPETENCIES), row
        assert row["style"] in STYLES, row
        assert 2 <= len(row["text"].strip()) == len(row["text"]) <= 60, row
        assert 3 <= len(row["title"].strip()) == len(row["title"]) <= 45, row


@pytest.mark.parametrize("path", PHRASES, ids=lambda path: path.stem)
def test_phrases_have_one_to_three_known_labels_and_a_known_style(path: Path) -> None:
    for row in PHRASES[path]:
        labels = listed(row["competencies"])
        assert 1 <= len(labels) == len(set(labels)) <= 3, row
        assert labels == [UNANSWERABLE] or set(labels) <= set(COMPETENCIES), row
        assert row["style"] in STYLES, row
        assert 2 <= len(row["text"].strip()) == len(row["text"]) <= 80, row


def test_every_label_is_learnt_and_each_split_knows_texts_that_name_no_lack() -> None:
    for split, least in (("train", set(COMPETENCIES)), ("validation", set())):
        labels = [row["competencies"] for path, found in PHRASES.items() if path.parent.name == split for row in found]
        assert least | {UNANSWERABLE} <= {label for cell in labels for label in listed(cell)}


def test_no_near_copy_straddles_train_and_validation() -> None:
    assert copies(phrases("validation"), phrases("train", "calibration")) == []
    assert copies(phrases("calibration"), phrases("train")) == []


def test_there_are_at_least_600_courses_with_ids_in_order() -> None:
    ids = [row["course_id"] for row in COURSES]
    assert len(ids) >= 600
    assert ids == sorted(set(ids))
    assert repeated([row["title"] for row in COURSES]) == []


def test_courses_keep_the_closed_lists() -> None:
    for row in COURSES:
        taught = listed(row["competencies"])
        assert 1 <= len(taught) == len(set(taught)) <= 3, row
        assert set(taught) <= set(COMPETENCIES), row
        assert (row["branch"], row["area"]) == tuple(
            COMPETENCIES[taught[0]][column] for column in ("branch", "area")
        ), row
        assert (row["mode"], row["teacher_kind"], row["required"]) in KINDS, row
        assert set(listed(row["levels"])) <= set(BANDS), row
        assert set(listed(row["posts"])) <= set(FAMILIES), row


def test_courses_say_what_they_teach_and_for_how_long() -> None:
    for row in COURSES:
        assert 0 < float(row["hours"]) <= 16, row["course_id"]
        assert 2015 <= int(row["year"]) <= 2026, row["course_id"]
        assert row["seats"] == "" or 10 <= int(row["seats"]) <= 500, row["course_id"]
        assert row["provider"], row["course_id"]
        assert 4 <= len(row["title"]) <= 40, row["course_id"]
        assert 30 <= len(row["summary"]) <= 150, row["course_id"]
        assert 1 <= len(re.findall("[。？！]", row["summary"])) <= 4, row["course_id"]


def test_every_series_is_complete_and_from_one_provider() -> None:
    series = defaultdict(list)
    for row in COURSES:
        if row["series"]:
            series[row["series"]].append(row)
    assert len(series) >= 10
    for name, parts in series.items():
        numbers = [next(filter(None, found.groups())) for row in parts if (found := PART.search(row["title"]))]
        assert len(numbers) == len(parts), (name, numbers)
        assert set(numbers) in SETS_OF_PARTS, (name, numbers)
        assert len({(row["provider"], row["mode"]) for row in parts}) == 1, name
        assert {"两": 2, "三": 3}.get(name[-2], len(parts)) == len(parts) or not name.endswith("讲"), name


def test_the_catalog_is_varied_and_has_holes_as_real_ones_have() -> None:
    assert sum(row["mode"] in {"现场教学", "异地教学"} for row in COURSES) >= 30
    assert sum(row["levels"] in BANDS for row in COURSES) >= 30
    assert sum(row["required"] == "是" for row in COURSES) >= 3
    taught = {listed(row["competencies"])[0] for row in COURSES}
    assert 0.9 * len(COMPETENCIES) <= len(taught) < len(COMPETENCIES)


def test_the_reader_takes_the_catalog_without_a_fault(lexicon: Lexicon) -> None:
    catalog, reading = read_catalog(read_sheets(DATA / "courses.csv"), lexicon)
    assert (len(catalog), reading.rejected, reading.faults) == (len(COURSES), 0, ())
    assert [list(course.competencies) for course in catalog] == [listed(row["competencies"]) for row in COURSES]


def test_at_least_120_gap_texts_are_judged() -> None:
    ids = [query["qid"] for query in QUERIES]
    assert len(ids) >= 120
    assert ids == sorted(set(ids))
    assert all(set(query) == {"qid", "text", "style"} and query["style"] in QUERY_STYLES for query in QUERIES)
    texts = [query["text"] for query in QUERIES]
    assert copies(texts, texts) == [(text, text) for text in texts]


def test_judgements_are_sorted_grades_of_known_texts_and_courses() -> None:
    assert {grade for _, _, grade in QRELS} == {"1", "2", "3"}
    assert {query for query, _, _ in QRELS} <= {query["qid"] for query in QUERIES}
    assert {course for _, course, _ in QRELS} <= {row["course_id"] for row in COURSES}
    assert sorted(QRELS, key=lambda row: (row[0], -int(row[2]), row[1])) == QRELS
    assert repeated([f"{query} {course}" for query, course, _ in QRELS]) == []


def test_only_texts_that_ask_for_nothing_taught_have_no_acceptable_course() -> None:
    answered = {query for query, _, grade in QRELS if grade in {"2", "3"}}
    for query in QUERIES:
        assert (query["qid"] in answered) != (query["style"] in {"no_answer", "unanswerable"}), query


def test_the_classifier_has_not_learnt_the_judged_texts() -> None:
    assert copies([query["text"] for query in QUERIES], phrases("train", "calibration") + titles()) == []


def test_the_vectors_of_all_texts_come_with_the_product_and_are_those_of_the_encoder() -> None:
    encoder = bundled_encoder()
    shipped = np.load(DATA / "encoder" / "vectors.npz")
    assert encoder
    assert str(shipped["encoder"]) == encoder.name
    rows_of = {key.tobytes(): row for key, row in zip(shipped["digests"], shipped["vectors"], strict=True)}
    texts = sorted(Sources.of().texts)
    assert [text for text in texts if digest(text) not in rows_of] == []
    some = texts[::1500]
    np.testing.assert_allclose(
        [rows_of[digest(text)] for text in some], encoder.encode([text[:LONGEST] for text in some]), atol=1e-3
    )


def test_the_sample_roster_holds_80_people_who_can_all_be_read(lexicon: Lexicon) -> None:
    reading = read_roster(read_sheets(DATA / "roster_sample.xlsx"), lexicon)
    assert (reading.read, reading.rejected) == (80, 0)
    assert len({person.id for person in reading.values}) == 80
    assert sum(bool(person.weaknesses) for person in reading.values) >= 60
    catalog, _ = read_catalog(read_sheets(DATA / "courses.csv"), lexicon)
    titles = TitleIndex(catalog)
    assert sum(bool(titles.resolve(person.completed)[0]) for person in reading.values) >= 40


def test_nothing_of_the_development_set_is_in_the_training_data(shared: Path) -> None:
    """The lexicon's own words (names, aliases, related terms, frameworks) are the field's and may be anybody's text."""
    lines = (shared / "judged_dev" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line)["text"] for line in lines]
    columns = product(("aliases", "related", "frameworks"), COMPETENCIES.values())
    terms = {
        *COMPETENCIES,
        *(part for column, row in columns for word in listed(row[column]) for part in word.split(":")),
    }
    texts = {
        *phrases(*SPLITS), *titles(), *roster_texts(), *(query["text"] for query in QUERIES),
        *(cell for file in sorted(DATA.glob("*.csv")) for row in rows(file.name) for cell in row.values()),
        *(word for file in sorted(DATA.glob("*.csv")) for row in rows(file.name) for cell in row.values() for word in listed(cell)),
    } - terms - {""}  # fmt: skip
    assert sorted(set(asked) & texts) == []
    assert copies([text for text in asked if len(text) >= 7], sorted(texts)) == []


def test_nothing_learnt_says_the_same_as_a_text_of_the_development_set_in_other_words(shared: Path) -> None:
    """Near-copies by meaning; the lexicon's own words are the field's and may be anybody's text."""
    sources, encoder = Sources.of(), bundled_encoder()
    assert encoder
    shipped = np.load(DATA / "encoder" / "vectors.npz")
    row_of = {key.tobytes(): row for row, key in enumerate(shipped["digests"])}
    lines = (shared / "judged_dev" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [text for line in lines if len(text := json.loads(line)["text"]) >= 7]
    written = {phrase.text for phrase in (*sources.phrases, *sources.calibration) if phrase.author != LEXICON}
    learnt = sorted(written | set(sources.judgements.texts.values()))
    vectors = shipped["vectors"][[row_of[digest(text)] for text in learnt]].astype(np.float32)
    near = encoder.encode(asked) @ vectors.T
    assert [(asked[row], learnt[column]) for row, column in np.argwhere(near >= SAME)] == []
    assert near.max() > SAME - 0.1, "the threshold would notice a paraphrase"
