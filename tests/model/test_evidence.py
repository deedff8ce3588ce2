"""Three competencies, a handful of phrases, and an encoder whose vectors can be computed by hand: it counts the words of three fields."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from world import KNITTING, LEXICON, NAMES, PHRASES

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.domain import Catalog, Course
from model.errors import EncoderUnavailable
from model.evidence import ALIKE, CURATED, FEATURES, SAMPLE, WORDS_ALONE, Evidence, course_text, descriptions
from model.lexicon import Lexicon
from model.vectors import Vectors

CALIBRATION = {
    "请示报告分不清": "公文写作",
    "现场指挥没有底": "应急处突",
    "不知道红线在哪": "党纪学习教育",
    "没什么要补": UNANSWERABLE,
    # Four that mislead, so that probabilities do not all end at 0 and 1.
    "材料一大堆": UNANSWERABLE,
    "现场气氛不错": UNANSWERABLE,
    "会写能说没底线": "应急处突",
    "突发奇想": "公文写作",
}
CATALOG = Catalog(
    (
        Course("c1", "公文写作十讲", "讲请示、报告、纪要怎样立意和改稿。"),
        Course("c2", "突发事件现场指挥", "讲先期处置、信息报告和协同。", "应急"),
        Course("c3", "《纪律处分条例》逐条读"),
        Course("c4", "插花与茶艺", "学习家庭插花。"),
    )
)
ODD = ["", " ", "，。；", "😀", "\ud800", "\x00\n", "写" * 5000, "weak at project management"]


class Fields:
    """Three values: how often a text speaks of writing (笔 文), of emergencies (险 急), of neither (1). A 反 turns the vector around."""

    name, ready = "fields/1", True

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = [
            [sum(map(text.count, "笔文")), sum(map(text.count, "险急")), not any(map(text.count, "笔文险急"))]
            for text in texts
        ]
        rows = np.array(counts, dtype=np.float32).reshape(-1, 3)
        turned = np.array([-1.0 if "反" in text else 1.0 for text in texts], dtype=np.float32)[:, None]
        return np.asarray(turned * rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def fitted(vectors: Vectors | None = None) -> CompetencyClassifier:
    phrases = [Phrase(text, (name,), "paraphrase", "a") for text, name in PHRASES.items()]
    calibration = [Phrase(text, (name,), "paraphrase", "b") for text, name in CALIBRATION.items()]
    return CompetencyClassifier(vectors).fit([*phrases, *definitions(LEXICON)], calibration, NAMES)


@cache
def classifier(with_vectors: bool) -> CompetencyClassifier:
    return fitted(Vectors(Fields()) if with_vectors else None)


@cache
def evidence(catalog: tuple[Course, ...] = CATALOG.courses, with_vectors: bool = True) -> Evidence:
    return Evidence(Catalog(catalog), classifier(with_vectors), LEXICON)


def found(feature: str, text: str, *courses: Course, with_vectors: bool = True) -> dict[str, float]:
    """One kind of evidence for one text, by course."""
    made = evidence(courses or CATALOG.courses, with_vectors)
    row = made.of([text])[0, :, made.features.index(feature)]
    ids = sorted(course.id for course in courses or CATALOG)
    return dict(zip(ids, row.tolist(), strict=True))


@pytest.mark.parametrize(("with_vectors", "features"), [(False, WORDS_ALONE), (True, FEATURES)])
def test_the_features_are_those_that_can_be_had(with_vectors: bool, features: tuple[str, ...]):
    made = evidence(with_vectors=with_vectors)
    assert made.features == features
    table = made.of(["写材料没有观点", "红线"])
    assert (table.shape, table.dtype) == ((2, len(CATALOG), len(features)), np.float32)
    assert ("semantic" in features) is with_vectors


@settings(max_examples=30)
@given(
    texts=st.lists(st.text(max_size=30) | st.sampled_from([*ODD, "公文写作", "笔急", "反文"]), min_size=1, max_size=3)
)
def test_all_evidence_lies_between_0_and_1_whatever_the_text(texts: list[str]):
    for with_vectors in (False, True):
        table = evidence(with_vectors=with_vectors).of(texts)
        assert table.shape[:2] == (len(texts), len(CATALOG))
        assert ((table >= 0) & (table <= 1 + 1e-3)).all(), "vectors are rounded to half precision"


def test_a_text_has_the_same_evidence_alone_and_in_company():
    texts = [*PHRASES, *CALIBRATION, *ODD]
    alone = np.concatenate([evidence().of([text]) for text in texts])
    np.testing.assert_allclose(evidence().of(texts), alone, atol=1e-6)


def test_the_order_in_which_courses_are_handed_over_means_nothing():
    texts = ["写材料没有观点", "险情处置"]
    expected = evidence().of(texts)
    for order in itertools.permutations(CATALOG.courses):
        np.testing.assert_allclose(Evidence(Catalog(order), classifier(True), LEXICON).of(texts), expected, atol=1e-6)


def test_shared_characters_speak_for_a_course_and_only_they_are_lexical():
    lexical = found("lexical", "现场指挥")
    assert max(lexical, key=lexical.__getitem__) == "c2"
    assert found("lexical", "龙舟") == dict.fromkeys(lexical, 0.0)


def test_words_that_merely_say_that_something_is_lacking_are_no_lexical_evidence():
    courses = Course("c1", "公文写作"), Course("c2", "能力不足怎么办")
    lexical = found("lexical", "公文写作能力不足", *courses)
    assert lexical == found("lexical", "公文写作", *courses)
    assert lexical["c2"] == 0
    assert found("lexical", "能力", *courses)["c2"] > 0, "where nothing else is said, they are read"


def test_a_course_literally_asked_for_shares_all_its_characters():
    alone = Course("c1", "插花")
    assert found("lexical", course_text(alone), alone)["c1"] == pytest.approx(1)


def test_a_text_and_a_course_about_the_same_competency_find_each_other():
    for text, best in [("材料写不出来", "c1"), ("出了事手忙脚乱", "c2"), ("条例没读过", "c3")]:
        competency = found("competency", text, with_vectors=False)
        assert max(competency, key=competency.__getitem__) == best


def test_words_of_the_lexicon_reach_a_course_that_shares_no_character_with_the_text():
    course, other = Course("c1", "请示报告"), Course("c2", "插花茶艺")
    assert found("lexical", "写材料", course, other)["c1"] == 0
    expansion = found("expansion", "写材料", course, other)
    assert expansion["c1"] > 0.2
    assert expansion["c2"] < 0.02


def test_what_a_course_is_understood_by_is_its_title_alone_and_its_title_with_all_that_is_said_of_it():
    assert descriptions(Course("c", "题")) == ["题"]
    assert descriptions(Course("c", "题", "述")) == ["题", "题。述"]
    assert descriptions(Course("c", "题", "", "类")) == ["题", "题。类"]
    assert descriptions(Course("c", "题", "述", "类")) == ["题", "题。类。述"]


@pytest.mark.parametrize(
    ("text", "nearness"),
    [
        ("文", 1),  # The title alone is about nothing else; with its summary it would be at 1/sqrt(10).
        ("急", 3 / 10**0.5),  # The title with category and summary: (1, 3, 0).
        ("文急", 4 / 20**0.5),  # Between them: the whole is nearer, 4/sqrt(20) against 1/sqrt(2).
        ("茶", 0),
    ],
)
def test_a_course_counts_by_the_description_that_is_nearest(text: str, nearness: float):
    course = Course("c1", "文", "险险", "急")
    assert found("semantic", text, course, Course("c2", "茶"))["c1"] == pytest.approx(nearness, abs=1e-3)


def test_of_courses_with_one_description_and_with_two_each_has_its_own():
    courses = Course("c1", "茶", "文"), Course("c2", "急"), Course("c3", "急", "文", "急"), Course("c4", "文")
    assert found("semantic", "文", *courses) == pytest.approx({"c1": 1, "c2": 0, "c3": 1 / 5**0.5, "c4": 1}, abs=1e-3)
    assert found("semantic", "急", *courses) == pytest.approx({"c1": 0, "c2": 1, "c3": 1, "c4": 0}, abs=1e-3)


def test_a_text_that_points_away_from_a_course_is_no_evidence_rather_than_negative_evidence():
    assert found("semantic", "反文", Course("c1", "文"), Course("c2", "急"))["c1"] == 0


def test_nearness_of_sentence_vectors_reaches_a_course_that_shares_no_character_with_the_text():
    course = Course("c1", "笔笔")
    assert found("lexical", "文", course)["c1"] == 0
    assert found("semantic", "文", course)["c1"] == pytest.approx(1, abs=1e-3)


def cosine(*rows: NDArray[np.floating]) -> float:
    first, second = rows
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize("with_vectors", [False, True])
def test_the_competency_of_a_course_is_read_from_its_title_too_however_much_else_is_said(with_vectors: bool):
    """Each competency counts as it is surest read: a summary about something else takes nothing from what the title promises."""
    course = Course("c1", "请示报告", "突发事件处置，现场指挥，应急处突。" * 5)
    title, whole = classifier(with_vectors).predict_proba(descriptions(course))[:, :3]
    assert title[0] > whole[0] + 0.1, "by the whole text alone some of it would have been lost"
    assert whole[1] > title[1] + 0.1
    meant = classifier(with_vectors).predict_proba(["写材料"])[0, :3]
    best = cosine(np.maximum(title, whole), meant)
    assert found("competency", "写材料", course, with_vectors=with_vectors)["c1"] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("feature", ["lexical", "competency", "expansion"])
@pytest.mark.parametrize("with_vectors", [False, True])
def test_the_category_of_a_course_is_read(feature: str, with_vectors: bool):
    plain, filed = Course("c1", "周四下午的课"), Course("c2", "周四下午的课", category="突发事件处置")
    values = found(feature, "突发事件处置", plain, filed, with_vectors=with_vectors)
    assert values["c2"] > values["c1"] + 0.1


def test_the_category_of_a_course_is_encoded():
    plain, filed = Course("c1", "茶"), Course("c2", "茶", category="急")
    assert found("semantic", "急", plain, filed) == pytest.approx({"c1": 0, "c2": 1}, abs=1e-3)


@pytest.mark.parametrize("with_vectors", [False, True])
def test_a_course_without_a_summary_has_evidence_by_its_title(with_vectors: bool):
    bare = [Course(course.id, course.title) for course in CATALOG]
    for feature in evidence(with_vectors=with_vectors).features[1:4]:
        values = found(feature, "突发事件现场指挥", *bare, with_vectors=with_vectors)
        assert max(values, key=values.__getitem__) == "c2"


def test_what_a_planner_says_a_course_teaches_counts_by_its_place():
    taught = [("公文写作",), ("应急处突", "公文写作"), ("应急处突", "党纪学习教育", "公文写作"), ("应急处突",), ()]
    courses = [Course(f"c{place}", "周四下午的课", competencies=names) for place, names in enumerate(taught)]
    first, second, third, other, unsaid = found("competency", "写材料", *courses, with_vectors=False).values()
    assert first > second > third > other
    assert first > unsaid > other


def test_a_competency_that_is_curated_and_nothing_else_points_where_the_text_points():
    """By hand: taught (1, p, p) against meant m; the curated value replaces what was read of the title, the others stay."""
    course = Course("c1", "周四的课", competencies=("公文写作",))
    reader = classifier(False)
    read, meant = reader.predict_proba(["周四的课", "写材料"])[:, :3]
    taught = np.array([CURATED[0], *read[1:]])
    competency = found("competency", "写材料", course, with_vectors=False)
    assert competency["c1"] == pytest.approx(cosine(taught, meant), abs=1e-6)


def test_curating_never_lowers_what_the_title_says_already():
    plain = Course("c1", "公文写作")
    read = classifier(False).predict_proba([plain.title])[0, 0]
    assert read > CURATED[2], "else this test tests nothing"
    third = Course("c2", "公文写作", competencies=("应急处突", "党纪学习教育", "公文写作"))
    taught = np.array([read, CURATED[0], CURATED[1]])
    meant = classifier(False).predict_proba(["写材料"])[0, :3]
    competency = found("competency", "写材料", plain, third, with_vectors=False)
    assert competency["c2"] == pytest.approx(cosine(taught, meant), abs=1e-6)


def test_more_than_three_curated_competencies_do_no_harm():
    names = ("应急处突", "党纪学习教育", "公文写作", "公文写作")
    competency = found("competency", "写材料", Course("c1", "周四的课", competencies=names), with_vectors=False)
    assert 0 < competency["c1"] < 1


@pytest.mark.parametrize("with_vectors", [False, True])
def test_how_surely_a_text_names_a_lack_is_the_same_for_every_course_and_every_catalog(with_vectors: bool):
    nothing = classifier(with_vectors).predict_proba(["一切都好", "材料写不出来", ""])[:, -1]
    for courses in (CATALOG.courses, CATALOG.courses[:1]):
        table = evidence(courses, with_vectors).of(["一切都好", "材料写不出来", ""])[:, :, 0]
        np.testing.assert_allclose(table, np.repeat(1 - nothing[:, None], len(courses), axis=1), atol=1e-6)
    assert WORDS_ALONE[0] == FEATURES[0] == "lack"


def test_a_text_that_names_no_lack_says_so():
    assert found("lack", "一切都好", with_vectors=False)["c1"] < 0.5 < found("lack", "写材料", with_vectors=False)["c1"]


@pytest.mark.parametrize("feature", ["competency", "semantic"])
def test_what_a_course_means_does_not_hang_on_the_other_courses(feature: str):
    alone = found(feature, "急写材料", CATALOG.courses[1])
    assert found(feature, "急写材料")["c2"] == pytest.approx(alone["c2"], abs=1e-6)


def test_a_lexicon_of_one_competency_is_enough():
    lexicon = Lexicon(LEXICON.competencies[:1], (), (), (), ())
    first, second = Phrase("写材料", NAMES[:1], "idiom", "a"), Phrase("一切都好", (UNANSWERABLE,), "survey", "a")
    reader = CompetencyClassifier().fit(definitions(lexicon), [first, second], NAMES[:1])
    table = Evidence(CATALOG, reader, lexicon).of(["写材料", ""])
    assert table.shape == (2, 4, 4)
    assert np.isfinite(table).all()


def familiar(titles: Sequence[str], with_vectors: bool = False) -> float:
    courses = tuple(Course(f"c{number:04}", title) for number, title in enumerate(titles))
    return Evidence(Catalog(courses), classifier(with_vectors), LEXICON).familiar


MATTERS = [*PHRASES, *CALIBRATION, *NAMES]
OTHERS = [course.title for course in KNITTING]


@pytest.mark.parametrize("with_vectors", [False, True])
@given(titles=st.lists(st.sampled_from(MATTERS), min_size=1, max_size=12))
def test_a_catalog_of_what_the_phrases_are_about_is_wholly_familiar(with_vectors: bool, titles: list[str]):
    assert familiar(titles, with_vectors) == 1


def test_a_catalog_about_quite_other_matters_is_not_familiar_at_all():
    assert Evidence(KNITTING, classifier(False), LEXICON).familiar == 0
    assert familiar(["反反", "反"], with_vectors=True) == 0, "vectors that point away from every phrase"
    assert familiar(["反反", "笔", "笔", "笔"], with_vectors=True) == pytest.approx((0.75 - 0.5) / 0.4, abs=1e-4)


@given(known=st.integers(0, 12), strange=st.integers(0, 12))
def test_a_catalog_is_familiar_by_the_share_of_its_courses_and_nine_in_ten_are_enough(known: int, strange: int):
    titles = [MATTERS[number] for number in range(known)] + (OTHERS * 3)[:strange]
    if titles:
        assert familiar(titles) == pytest.approx(min(1, max(0, (known / len(titles) - 0.5) / 0.4)), abs=1e-4)


@settings(max_examples=30)
@given(
    titles=st.lists(st.text(max_size=20) | st.sampled_from([*MATTERS, *OTHERS, *ODD]), min_size=1, max_size=6),
    summary=st.sampled_from(["", "写材料", "平针"]),
    with_vectors=st.booleans(),
)
def test_how_familiar_a_catalog_is_lies_between_0_and_1_whatever_it_says(
    titles: list[str], summary: str, with_vectors: bool
):
    courses = tuple(Course(f"c{number}", title, summary) for number, title in enumerate(titles))
    assert 0 <= Evidence(Catalog(courses), classifier(with_vectors), LEXICON).familiar <= 1


@settings(max_examples=20)
@given(order=st.permutations([*MATTERS[:4], *OTHERS]), with_vectors=st.booleans())
def test_how_familiar_a_catalog_is_does_not_depend_on_the_order_of_its_courses(order: list[str], with_vectors: bool):
    """The ids follow the order, so that the rows do too."""
    assert familiar(order, with_vectors) == familiar([*MATTERS[:4], *OTHERS], with_vectors)


def test_a_course_is_familiar_if_one_of_its_descriptions_is():
    strange, title, more = (
        Course("c1", "绞花", "毛衣"),
        Course("c2", "写材料", "毛衣" * 50),
        Course("c3", "绞花", "写材料"),
    )
    for course, expected in [(strange, 0), (title, 1), (more, 1)]:
        assert evidence((course,), with_vectors=False).familiar == expected


def test_of_a_large_catalog_a_sample_from_everywhere_is_looked_at():
    """The first half is about one thing and the second about another; neither end speaks for the whole."""
    half = SAMPLE + 1
    assert familiar(["写材料"] * 3 * half + ["绞花"] * half) == pytest.approx((0.75 - 0.5) / 0.4, abs=0.01)


def test_whether_a_text_is_familiar_is_told_by_the_best_voice():
    """笔笔 shares no character with a phrase, but has the vector of writing; 反文 shares one, but its vector points away."""
    texts = ["笔笔", "反文"]
    assert classifier(True).familiar(texts).tolist() == [True, False]
    assert classifier(True).without_vectors().familiar(texts).tolist() == [False, True]


def test_what_speaks_of_any_matter_alike_is_among_the_features():
    assert set(ALIKE) < set(FEATURES)
    assert set(ALIKE) & set(WORDS_ALONE), "else nothing would be left where there is no encoder"


class Counting(Fields):
    """Counts what it is asked; can be switched off."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return super().encode(texts)


def test_the_descriptions_of_a_catalog_are_encoded_once_and_learnt_and_gap_texts_are_not():
    encoder = Counting()
    reader = fitted(Vectors(encoder))
    encoder.asked.clear()
    made = Evidence(CATALOG, reader, LEXICON)
    assert made.course_texts == [text for course in CATALOG for text in descriptions(course)]
    assert sorted(encoder.asked) == sorted(made.course_texts)
    Evidence(CATALOG, reader, LEXICON)
    made.of(["笔头不行"])
    assert encoder.asked[len(made.course_texts) :] == ["笔头不行"]
    assert reader.vectors is not None
    assert len(reader.vectors.known) == len(made.course_texts)


def test_without_its_encoder_a_text_not_seen_before_cannot_be_read_and_says_so():
    reader = fitted(Vectors(Fields()))
    made = Evidence(CATALOG, reader, LEXICON)
    expected = made.of(["笔头不行"])
    assert reader.vectors is not None
    reader.vectors.encoder = None
    assert made.of(["笔头不行"]).tolist() == expected.tolist()
    with pytest.raises(EncoderUnavailable):
        made.of(["笔头不行", "没见过险情"])


def test_the_same_classifier_by_spelling_alone_goes_on_without_an_encoder():
    made = Evidence(CATALOG, classifier(True).without_vectors(), LEXICON)
    assert made.features == WORDS_ALONE
    competency = made.of(["材料写不出来"])[0, :, WORDS_ALONE.index("competency")]
    assert competency.argmax() == 0
