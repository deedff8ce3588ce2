"""Falling back from an endpoint that fails: who answers in its place, what the log says, and how it comes back."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from endpoint import (
    KEY,
    SECRET,
    Answer,
    Server,
    Tiny,
    another_model,
    fewer_values,
    rested,
    silent,
    status,
    vectors,
)
from threadpoolctl import threadpool_limits
from world import CATALOG, LEXICON, NAMES, PHRASES

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.encoder import bundled_encoder
from model.errors import EncoderUnavailable
from model.judgements import Judgements
from model.matcher import Matcher
from model.recommender import Recommender
from model.vectors import SentenceEncoder, Vectors
from model.versions.registry import Registry
from service import create_app
from service.cli import main
from service.embeddings import EndpointEncoder

CALIBRATION = {
    "请示报告分不清": "公文写作",
    "现场指挥没有底": "应急处突",
    "不知道红线在哪": "党纪学习教育",
    "没什么要补": UNANSWERABLE,
    "材料一大堆": UNANSWERABLE,
}
JUDGEMENTS = Judgements(
    CATALOG,
    {
        "q1": "写材料没有观点", "q2": "突发事件现场乱成一团", "q3": "纪律红线说不清", "q4": "请示报告写得像流水账",
        "q5": "不会现场指挥处置", "q6": "条例只听过名字", "q7": "一切都好",
    },
    {},
    {("q1", "c1"): 3, ("q2", "c2"): 3, ("q3", "c3"): 3, ("q4", "c1"): 2, ("q5", "c2"): 3, ("q6", "c3"): 2},
)  # fmt: skip
UNSEEN = {"公文写作能力不足": "c1", "不会处置突发事件": "c2", "纪律处分条例没学透": "c3", "请示报告不会写": "c1"}


def matcher_by(*wanted: SentenceEncoder) -> Matcher:
    """A matcher with a classifier for each encoder, the best first, and one by spelling alone."""
    phrases = [Phrase(text, (name,), "paraphrase", "a") for text, name in PHRASES.items()]
    calibration = [Phrase(text, (name,), "paraphrase", "b") for text, name in CALIBRATION.items()]
    classifiers = [
        CompetencyClassifier(known).fit([*phrases, *definitions(LEXICON)], calibration, NAMES)
        for known in (*(Vectors(encoder) for encoder in wanted), None)
    ]
    return Matcher(tuple(classifiers), LEXICON).fit(CATALOG, JUDGEMENTS)


def best(matcher: Matcher, text: str) -> str:
    (row,) = matcher.relevance([text])
    assert np.isfinite(row).all()
    return CATALOG.courses[int(row.argmax())].id


def changes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "model.matcher"]


def test_while_the_endpoint_answers_the_matcher_reads_by_it(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "endpoint/tiny"
    assert [text for asked in server.asked for text in asked.body["input"]][-len(UNSEEN) :] == list(UNSEEN)
    assert caplog.records == []


def test_when_the_endpoint_fails_the_encoder_at_hand_answers_and_the_log_says_so_once(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    learnt = len(server.asked)
    server.answer = status(500)
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "local/1"
    assert len(server.asked) == learnt + 1, "one failure, then it is left alone"
    assert changes(caplog) == ["sentence vectors now by local/1"]
    assert [record.name for record in caplog.records] == ["service.embeddings", "model.matcher"]
    assert not any(text in caplog.text for text in UNSEEN)


def test_answers_in_its_place_are_those_of_a_matcher_that_never_had_the_endpoint(
    server: Server, endpoint: EndpointEncoder
):
    matcher = matcher_by(endpoint, Tiny())
    server.answer = status(500)
    expected = matcher_by(Tiny())
    np.testing.assert_allclose(matcher.relevance(list(UNSEEN)), expected.relevance(list(UNSEEN)), atol=1e-6)
    np.testing.assert_allclose(matcher.predict_proba(list(UNSEEN)), expected.predict_proba(list(UNSEEN)), atol=1e-6)


def test_without_any_encoder_spelling_answers_and_the_log_calls_it_degraded(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    matcher.take([endpoint])
    server.answer = status(500)
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder is None
    assert changes(caplog) == ["sentence vectors now by none: matching without an encoder (degraded)"]
    expected = matcher_by()
    np.testing.assert_allclose(matcher.relevance(list(UNSEEN)), expected.relevance(list(UNSEEN)), atol=1e-6)


def test_when_the_endpoint_is_well_again_it_answers_again(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    matcher = matcher_by(endpoint, Tiny())
    first, second, third, fourth = UNSEEN
    server.answer = status(500)
    assert best(matcher, first) == UNSEEN[first]
    rested(endpoint)
    assert matcher.predict_proba([]).shape == (0, len(NAMES) + 1), "which takes no encoder, and says nothing of it"
    assert best(matcher, second) == UNSEEN[second], "tried again, and failed again"
    assert matcher.encoder == "local/1"
    server.answer = vectors
    rested(endpoint)
    assert matcher.encoder == "endpoint/tiny"
    assert [best(matcher, text) for text in (third, fourth, first)] == [UNSEEN[third], UNSEEN[fourth], UNSEEN[first]]
    assert matcher.encoder == "endpoint/tiny"
    assert changes(caplog) == ["sentence vectors now by local/1", "sentence vectors now by endpoint/tiny"]


def test_a_text_asked_before_the_failure_does_not_make_the_log_waver(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    """While the endpoint is left alone, texts it answered lately and new ones come by turns."""
    matcher = matcher_by(endpoint, Tiny())
    before, *new = UNSEEN
    best(matcher, before)
    server.answer = status(500)
    for text in new:
        best(matcher, text)
        best(matcher, before)
    assert matcher.encoder == "local/1"
    assert changes(caplog) == ["sentence vectors now by local/1"]


def test_an_endpoint_whose_model_was_exchanged_beneath_its_name_is_no_reason_not_to_answer(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture
):
    """Another number of values a vector: nothing of it can be compared with what was learnt."""
    matcher = matcher_by(endpoint, Tiny())
    server.asked.clear()
    server.answer = fewer_values
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "local/1"
    assert changes(caplog) == ["sentence vectors now by local/1"]
    assert len(server.asked) == 1, "then it is left alone"


@pytest.mark.parametrize("exchanged", [another_model, fewer_values])
def test_a_version_read_again_takes_no_vectors_of_another_model_until_it_is_read_anew(
    server: Server, endpoint: EndpointEncoder, caplog: pytest.LogCaptureFixture, exchanged: Answer
):
    matcher = pickle.loads(pickle.dumps(matcher_by(endpoint, Tiny())))
    matcher.take([endpoint, Tiny()])
    server.asked.clear()
    server.answer = exchanged
    assert {text: best(matcher, text) for text in UNSEEN} == UNSEEN
    assert matcher.encoder == "local/1"
    assert len(server.asked) == 1, "then it is left alone"
    told, change = caplog.messages
    assert "endpoint/tiny is another model than at training" in told
    assert change == "sentence vectors now by local/1"
    server.answer = vectors
    matcher.take([endpoint, Tiny()])
    assert best(matcher, "现场指挥没有底") == "c2"
    assert matcher.encoder == "endpoint/tiny"


def test_a_model_exchanged_during_an_outage_is_noticed_when_the_endpoint_is_back(
    server: Server, endpoint: EndpointEncoder
):
    matcher = matcher_by(endpoint, Tiny())
    first, *others = UNSEEN
    server.answer = status(500)
    best(matcher, first)
    rested(endpoint)
    server.answer = another_model
    assert [best(matcher, text) for text in others] == [UNSEEN[text] for text in others]
    assert matcher.encoder == "local/1"


def test_what_was_learnt_by_another_model_is_not_made_ready_for_a_catalog_even_if_all_its_courses_are_known(
    server: Server, endpoint: EndpointEncoder
):
    """Else a training would take it over, and what it saves could not be used."""
    matcher = pickle.loads(pickle.dumps(matcher_by(endpoint)))
    matcher.take([endpoint])
    server.answer = another_model
    with pytest.raises(EncoderUnavailable):
        matcher.for_catalog(CATALOG)
    again = pickle.loads(pickle.dumps(matcher))
    again.take([endpoint])
    server.answer = vectors
    assert best(again.for_catalog(CATALOG), SECRET + "公文写作") == "c1"


@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_a_training_whose_endpoint_fails_midway_goes_on_without_it_and_says_so(
    server: Server, registry: Path, tmp_path: Path
):
    """The session's version goes before, so that nothing is learnt anew by the bundled encoder."""

    def failing_later(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        (vectors if len(server.asked) < 6 else status(500))(handler, body)

    server.answer = failing_later
    shutil.copytree(registry, tmp_path / "registry")
    (tmp_path / "课程表.csv").write_text("课程编号,课程名称\nK1,公文写作实务\nK2,突发事件应急处置\n", encoding="utf-8")
    trained = CliRunner().invoke(
        main,
        ["train", "--courses", str(tmp_path / "课程表.csv"), "--registry", str(tmp_path / "registry")],
        env={"QUEBU_EMBEDDINGS_URL": server.url, "QUEBU_EMBEDDINGS_MODEL": "tiny"},
    )
    assert trained.exit_code == 0, trained.output
    assert len(server.asked) == 6
    (note,) = [line for line in trained.stderr.splitlines() if line.startswith("· ")]
    assert "嵌入服务在训练途中停止应答" in note
    card = json.loads(trained.stdout)
    bundled = bundled_encoder()
    assert bundled is not None
    assert (card["version"], card["encoder"], card["courses"]) == ("v0003", bundled.name, 2), "a number is given once"


def test_many_requests_during_an_outage_are_all_answered_and_wait_for_one_timeout_at_most(server: Server):
    endpoint = EndpointEncoder(server.url, "tiny", timeout=5.0)
    matcher = matcher_by(endpoint, Tiny())
    endpoint._timeout = 0.4
    server.answer = silent
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: best(matcher, text), [*UNSEEN] * 4))
    assert found == [*UNSEEN.values()] * 4
    assert time.monotonic() - start < 5
    assert matcher.encoder == "local/1"


def test_a_matcher_asked_for_nothing_answers_nothing(endpoint: EndpointEncoder):
    assert matcher_by(endpoint).relevance([]).shape == (0, len(CATALOG))


def test_the_service_says_by_which_encoder_it_answers_and_when_by_none(server: Server, tmp_path: Path):
    """Trained with the endpoint, written, read by the application, which hands the endpoint over."""
    given = {"EMBEDDINGS_URL": server.url, "EMBEDDINGS_MODEL": "tiny", "EMBEDDINGS_KEY": KEY, "REGISTRY": str(tmp_path)}
    matcher = matcher_by(EndpointEncoder(server.url, "tiny", KEY))
    matcher.relevance([SECRET])
    store = Registry(tmp_path)
    card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": 4, "metrics": {}}
    store.activate(store.save(lambda version: Recommender(version, LEXICON, matcher, CATALOG, 0.5), card))
    assert (store.card("v0001")["encoder"], store.card("v0001")["degraded"]) == ("endpoint/tiny", False)
    assert store.card("v0001")["familiar"] == matcher.familiar
    written = (tmp_path / "v0001" / "model.joblib").read_bytes()
    assert not any(secret.encode() in written for secret in (KEY, SECRET, server.url))

    client = create_app({**given, "TESTING": True, "LOCAL": True}).test_client()
    server.asked.clear()

    def health() -> dict[str, Any]:
        return client.get("/api/v1/health/ready").get_json()  # type: ignore[no-any-return]

    def recommend(text: str) -> list[str]:
        body = {"id": "P1", "weaknesses": [{"text": text}]}
        return [
            one["course_id"] for one in client.post("/api/v1/recommendations", json=body).get_json()["recommendations"]
        ]

    assert health() == {
        "status": "ready", "model_version": "v0001", "courses": 4, "encoder": "endpoint/tiny", "degraded": False,
    }  # fmt: skip
    assert recommend("公文写作能力不足")[0] == "c1"
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    server.answer = status(500)
    assert recommend("不会处置突发事件")[0] == "c2"
    assert (health()["encoder"], health()["degraded"]) == (None, True)


def answer_in_a_fork() -> None:
    """For a process of its own: match by the bundled encoder, fork, and tell whether the child answers like its parent."""
    encoder = bundled_encoder()
    assert encoder is not None
    with threadpool_limits(1):  # Fast on a busy machine; from here on as many threads as there are.
        matcher = matcher_by(encoder)
    seen, unseen = "一上台讲话就冒汗", "请示报告不会写"
    matcher.relevance([seen])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # It ends a child that hangs, whatever it hangs in.
        told = 1
        try:
            os.write(writing, matcher.relevance([seen, unseen]).tobytes())
            told = int(matcher.encoder != encoder.name)
        finally:
            os._exit(told)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = np.frombuffer(pipe.read(), dtype=np.float32)
    _, end = os.waitpid(child, 0)
    own = matcher.relevance([seen, unseen]).ravel()
    print(json.dumps([end, found.size == own.size and bool(np.allclose(found, own, atol=1e-6))]))  # noqa: T201


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here")
@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_a_matcher_used_before_a_fork_answers_the_same_in_the_child():
    """As in a server that loads before it forks; with several threads of linear algebra, which do not survive a fork."""
    here = Path(__file__).parent
    program = "import sys; sys.path[:0] = sys.argv[1:]; from test_fallback import answer_in_a_fork; answer_in_a_fork()"
    answer = subprocess.run(
        [sys.executable, "-c", program, str(here), str(here.parents[1]), str(here.parent)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"}, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert json.loads(answer.stdout) == [0, True]
