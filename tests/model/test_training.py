from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from numpy.typing import NDArray

from model import learning, training
from model.comparison import compare
from model.domain import Catalog, Course
from model.errors import InputError, UnreadableFile
from model.evidence import descriptions
from model.feedback import Kind, Piece
from model.judgements import Judgements, read_judgements
from model.lexicon import TRAINING_DATA
from model.matcher import Judged
from model.recommender import Recommender
from model.training import ACCEPTED, Sources, knowledge, measure, summarise, train
from model.vectors import digest

FILES = {
    "competencies.csv": """name,branch,area,definition,frameworks,aliases,related
公文写作,履职能力,文稿,会写公文。,,写材料,请示报告
应急处突,履职能力,应急,会处置突发事件。,,突发事件处置,现场指挥
党纪学习教育,党性教育,党纪,懂纪律。,,党规党纪,纪律处分条例
""",
    "false_friends.csv": "a,b,difference\n审批,审计,两件事。\n",
    "levels.csv": "word,code,kind\n科员级,0,领导职务\n",
    "posts.csv": "family,code,units,titles,note\n党政综合,P01,政府办公室,秘书,办文办会。\n",
    "post_requirements.csv": "family,band,competency,weight\n全部,全部,党纪学习教育,0.5\n",
    "categories.csv": "scheme,label,branch,area,mode\n县师资库五方向,现代经济,履职能力,,\n",
    "courses.csv": """course_id,title,summary,competencies
k1,公文写作十讲,讲请示、报告、纪要怎样立意和改稿。,公文写作
k2,突发事件现场指挥,讲先期处置、信息报告和协同。,应急处突
k3,纪律处分条例逐条读,讲六大纪律和常见违纪情形。,党纪学习教育
k4,插花与茶艺,学习家庭插花。,
""",
    "phrases/train/pass_a.csv": """text,competencies,style
材料写不出来,公文写作,complaint
出了事手忙脚乱,应急处突,idiom
条例没读过,党纪学习教育,canonical
一切都好,unanswerable,survey
""",
    "phrases/train/pass_b.csv": """text,competencies,style
请示报告分不清,公文写作,question
现场指挥没有底,应急处突,duty
不知道红线在哪,党纪学习教育,paraphrase
没什么要补,unanswerable,survey
""",
    "phrases/calibration/pass_c.csv": """text,competencies,style
材料没有观点,公文写作,complaint
突发事件信息报得慢,应急处突,test
处分条例不熟,党纪学习教育,canonical
样样都好,unanswerable,survey
""",
    "pairs/train/pass_q.csv": """text,title,competencies,style
一提笔就头疼,从提纲到成稿,公文写作,idiom
火烧眉毛还在开会,先期处置十分钟,应急处突,idiom
""",
    "phrases/validation/pass_v.csv": """text,competencies,style
写材料没思路,公文写作,complaint
现场指挥一团乱,应急处突,idiom
条例的红线说不清,党纪学习教育,test
都好，没什么,unanswerable,survey
""",
    "judgements/queries.jsonl": """{"qid": "A1", "text": "写材料没有观点", "style": "idiom"}
{"qid": "A2", "text": "突发事件现场乱成一团", "style": "duty"}
{"qid": "A3", "text": "纪律红线说不清", "style": "idiom"}
{"qid": "A4", "text": "请示报告写得像流水账", "style": "test"}
{"qid": "A5", "text": "不会现场指挥处置", "style": "duty"}
{"qid": "A6", "text": "一切都好", "style": "unanswerable"}
""",
    "judgements/qrels.tsv": "A1\tk1\t3\nA2\tk2\t3\nA2\tk1\t1\nA3\tk3\t3\nA4\tk1\t2\nA5\tk2\t3\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three competencies, four courses, six judged texts: a whole training_data/ that is fitted in a moment."""
    folder = tmp_path_factory.mktemp("training_data")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


class Spelled:
    """A tiny encoder: a text's vector counts its characters by code, so that texts of like characters are near."""

    name, ready = "spelled", True

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        counts = np.array([np.bincount([ord(mark) % 31 for mark in text] or [0], minlength=31) for text in texts])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


CATALOG = Catalog((Course("n1", "怎样写好请示报告"), Course("n2", "突发事件处置案例"), Course("n3", "书法入门")))


def test_a_catalog_nobody_judged_becomes_a_recommender(folder: Path) -> None:
    recommender = train(CATALOG, "v0042", folder)
    assert (recommender.version, recommender.catalog, recommender.accepted) == ("v0042", CATALOG, ACCEPTED)
    assert recommender.answer(["请示报告写不好"])[0].matches[0].course.id == "n1"
    assert recommender.answer(["突发事件"])[0].matches[0].course.id == "n2"


def test_training_twice_gives_the_same_relevances_to_the_bit(folder: Path) -> None:
    first, second = (train(CATALOG, "v1", folder).matcher.relevance(["请示", "现场", ""]) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_knowledge_is_fitted_once_a_process_however_it_is_asked_for(folder: Path, trained: Recommender) -> None:
    assert knowledge(folder) is knowledge(folder)
    assert knowledge() is knowledge(TRAINING_DATA)


def test_a_second_training_takes_over_what_the_first_learnt_and_the_vectors_of_unchanged_courses(folder: Path) -> None:
    encoder = Spelled()
    before = train(CATALOG, "v1", folder, [encoder])
    stored = pickle.loads(pickle.dumps(before))
    stored.matcher.take([encoder])
    encoder.asked = []
    grown = Catalog((*CATALOG.courses, Course("n4", "新任秘书的第一课")))
    after = train(grown, "v2", folder, [encoder], before=stored)
    assert encoder.asked == ["能力", "新任秘书的第一课"]
    assert after.metrics == before.metrics
    fresh = train(grown, "v2", folder, [Spelled()])
    asked = ["请示报告写不好", "现场乱"]
    np.testing.assert_array_equal(after.matcher.relevance(asked), fresh.matcher.relevance(asked))


def test_what_was_learnt_from_other_data_is_not_taken_over(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "data")
    before = train(CATALOG, "v1", folder, [Spelled()])
    phrases = tmp_path / "data" / "phrases" / "train" / "pass_a.csv"
    phrases.write_text(phrases.read_text(encoding="utf-8") + "讲话稿念不顺,公文写作,complaint\n", encoding="utf-8")
    after = train(CATALOG, "v2", tmp_path / "data", [Spelled()], before=before)
    assert after.learnt != before.learnt
    assert Sources.of(folder, [Spelled()]).fingerprint == before.learnt


AT = datetime(2026, 3, 1, tzinfo=UTC)
SAID = {
    f"{how}{what}": fits
    for how in ("不会写", "写不好", "怕写", "没写过", "不想写")
    for what, fits in (("请示", "n1"), ("纪要", "n1"))
}
SPOKEN = tuple(
    Piece(text, course.id, Kind.ACCEPTED if course.id == fits else Kind.REJECTED, planner, AT)
    for text, fits in SAID.items()
    for course in CATALOG
    for planner in "甲乙"
)


def weights(recommender: Recommender) -> list[bytes]:
    """All that is learnt, of each ranker."""
    return [
        b"".join(
            np.asarray(part).tobytes() for part in (one.learnt.weights_.coef_, one.learnt.offset, one.plain.offset)
        )
        for one in (ranker.weights for ranker in recommender.matcher.rankers_)
    ]


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this small world nobody knows of calligraphy, and five judged texts tell little."""
    monkeypatch.setattr(learning, "KNOWN_MATTERS", 0.0)
    monkeypatch.setattr(learning, "TOLERANCE", {"ndcg@10": 1.0, "brier_top10": 1.0})


@pytest.mark.usefixtures("lenient")
def test_a_training_asked_to_learns_from_feedback_and_its_card_says_what_changed(folder: Path) -> None:
    plain = train(CATALOG, "v1", folder, [Spelled()])
    taught = train(CATALOG, "v1", folder, [Spelled()], feedback=SPOKEN)
    told = taught.metrics["feedback"]
    assert told["taken"]
    assert (told["pairs"], told["planners"]) == (len(SPOKEN) // 2, 2)
    assert told["shipped"] == {name: plain.metrics[name] for name in ("full", "titles")}
    assert weights(taught)[0] != weights(plain)[0]
    assert "feedback" not in plain.metrics
    assert json.loads(json.dumps(taught.metrics, allow_nan=False)) == taught.metrics
    again = train(CATALOG, "v1", folder, [Spelled()], feedback=reversed(SPOKEN))
    assert weights(again) == weights(taught)


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("said", [None, ()])
def test_switched_off_or_with_nothing_said_the_weights_are_those_shipped_to_the_bit(
    folder: Path, said: tuple[Piece, ...] | None
) -> None:
    plain = train(CATALOG, "v1", folder, [Spelled()])
    encoder = Spelled()
    taught = pickle.loads(pickle.dumps(train(CATALOG, "v1", folder, [encoder], feedback=SPOKEN)))
    taught.matcher.take([encoder])
    off = train(CATALOG, "v2", folder, [encoder], before=taught, feedback=said)
    assert weights(off) == weights(plain)
    assert {name: off.metrics[name] for name in plain.metrics} == plain.metrics
    assert ("feedback" in off.metrics) == (said is not None)
    asked = ["请示写不好", "现场乱"]
    assert off.matcher.relevance(asked).tobytes() == plain.matcher.relevance(asked).tobytes()


@pytest.mark.usefixtures("lenient")
def test_learning_on_from_an_earlier_version_is_learning_from_the_beginning(folder: Path) -> None:
    encoder = Spelled()
    before = pickle.loads(
        pickle.dumps(train(CATALOG, "v1", folder, [encoder], feedback=SPOKEN[: len(SPOKEN) // 2 + 3]))
    )
    before.matcher.take([encoder])
    after = train(CATALOG, "v2", folder, [encoder], before=before, feedback=SPOKEN)
    assert weights(after) == weights(train(CATALOG, "v2", folder, [Spelled()], feedback=SPOKEN))
    stored = after.matcher.classifiers[0].vectors
    assert stored
    assert set(stored.known) == {digest(text) for course in CATALOG for text in descriptions(course)}


def test_without_any_encoder_a_version_is_trained_and_says_so(folder: Path) -> None:
    recommender = train(CATALOG, "v1", folder, [])
    assert recommender.matcher.encoder is None
    assert recommender.answer(["请示报告写不好"])[0].matches[0].course.id == "n1"


def test_the_measures_tell_of_ranking_calibration_and_phrases_and_are_plain_json(folder: Path) -> None:
    known = knowledge(folder)
    found = measure(known, Judged.of(known.judgements, known.classifiers[0], known.lexicon), folder)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["texts"] == 6
    assert set(found["full"]) == set(found["titles"]) == {
        "ndcg@10", "ndcg@10_by_style", "recall@10", "precision@5", "ece", "ece_top10", "brier", "answerable_auc",
    }  # fmt: skip
    assert found["full"]["ndcg@10"] > 0.9
    assert found["phrases"] == {"texts": 3, "top1": 1.0, "top3": 1.0, "unanswerable_auc": 1.0}


def perfect(judgements: Judgements) -> np.ndarray:
    return judgements.accepted().astype(np.float32)


def test_a_ranker_that_knows_the_answers_has_perfect_values(folder: Path) -> None:
    judgements = knowledge(folder).judgements
    found = summarise(judgements, perfect(judgements))
    by_style = found.pop("ndcg@10_by_style")
    assert set(by_style.values()) == {1.0}
    assert found == {
        "ndcg@10": 1.0, "recall@10": 1.0, "precision@5": 0.2, "ece": 0.0, "ece_top10": 0.0, "brier": 0.0, "answerable_auc": 1.0,
    }  # fmt: skip


def test_the_means_are_over_the_texts_that_have_an_answer(folder: Path) -> None:
    judgements = knowledge(folder).judgements
    relevance = perfect(judgements)
    relevance[-1] = 1.0  # Wrong only for the text that has none.
    assert summarise(judgements, relevance)["ndcg@10"] == 1.0
    assert summarise(judgements, relevance)["answerable_auc"] == 0.5


def test_where_every_text_has_an_answer_nothing_is_said_of_answerability(folder: Path) -> None:
    judged = knowledge(folder).judgements
    texts = {query: text for query, text in judged.texts.items() if query != "A6"}
    some = Judgements(judged.catalog, MappingProxyType(texts), judged.styles, judged.grades)
    assert summarise(some, perfect(some))["answerable_auc"] is None


def test_the_product_stands_beside_the_baselines_over_all_texts_and_by_style(folder: Path) -> None:
    judgements = knowledge(folder).judgements
    report = compare(train(judgements.catalog, "v1", folder), judgements, knowledge(folder))
    assert (report["texts"], report["courses"]) == (6, 4)
    ablations = {f"without {part}" for part in ("semantic", "competency", "expansion", "lexical", "lack")}
    baselines = {"bm25", "tfidf", "random", "encoder", "tfidf + encoder"}
    assert set(report["rankers"]) == {"quebu", "quebu without any encoder"} | ablations | baselines
    for ranker in report["rankers"].values():
        assert set(ranker["ndcg@10_by_style"]) == {"idiom", "duty", "test"}
    assert report["rankers"]["quebu"]["ndcg@10"] > report["rankers"]["random"]["ndcg@10"]
    assert {"ece", "brier", "answerable_auc"} <= set(report["rankers"]["quebu"])


def judged(folder: Path, tmp_path: Path, queries: bytes, qrels: bytes) -> Judgements:
    (tmp_path / "q.jsonl").write_bytes(queries)
    (tmp_path / "r.tsv").write_bytes(qrels)
    return read_judgements(knowledge(folder).judgements.catalog, tmp_path / "q.jsonl", tmp_path / "r.tsv")


ASKED = '{"qid": "1", "text": "写材料"}\n'


def test_judgements_are_read_in_any_encoding_with_blank_lines_and_numbers_for_ids(folder: Path, tmp_path: Path) -> None:
    queries = '\n{"qid": "1", "text": "写材料", "style": null}\n\n{"qid": "2", "text": "闲聊", "style": "duty"}\n'
    found = judged(folder, tmp_path, queries.encode("gb18030"), b"1\tk1\t3\n\n1\tk2\t0\n")
    assert dict(found.texts) == {"1": "写材料", "2": "闲聊"}
    assert dict(found.styles) == {"1": "", "2": "duty"}
    assert dict(found.grades) == {("1", "k1"): 3, ("1", "k2"): 0}


@pytest.mark.parametrize(
    ("queries", "qrels", "message"),
    [
        ("{", "1\tk1\t3", "格式不对"),
        ("[1]", "1\tk1\t3", "格式不对"),
        ('{"qid": "1"}', "1\tk1\t3", "q.jsonl:1"),
        ('{"qid": "1", "text": null}', "1\tk1\t3", "q.jsonl:1"),
        ("[" * 100_000, "1\tk1\t3", "q.jsonl:1"),
        (ASKED + ASKED, "1\tk1\t3", "重复"),
        (ASKED, "1\tk1", "格式不对"),
        (ASKED, "1 k1 3", "格式不对"),
        (ASKED, "1\tk1\t三级", "格式不对"),
        (ASKED, "1\tk9\t3\n1\tk8\t2", "r.tsv:1.*k9"),
        (ASKED, "1\tk1\t1", "没有一条短板有可用的课程"),
        (ASKED, "7\tk1\t3", "没有 qid “7”"),
        (ASKED, "1\tk1\t9", "等级（0 到 3）"),
        ("", "", "没有一条短板有可用的课程"),
    ],
)
def test_judgements_that_cannot_be_used_are_refused(
    folder: Path, tmp_path: Path, queries: str, qrels: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        judged(folder, tmp_path, queries.encode(), qrels.encode())


def test_a_missing_file_of_judgements_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none\.jsonl"):
        read_judgements(knowledge(folder).judgements.catalog, tmp_path / "none.jsonl", tmp_path / "none.tsv")


def test_the_bundled_judgements_are_those_of_the_bundled_catalog(trained: Recommender) -> None:
    judgements = training.knowledge().judgements
    assert judgements.catalog == trained.catalog
    assert len(judgements.texts) >= 120
