"""The rankers that Quebu has to beat: chance, BM25 over words, TF-IDF over characters, a sentence encoder, the last two added up."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

from model.domain import Catalog
from model.evidence import course_text
from model.text import character_ngrams, words
from model.vectors import Vectors


def baselines(
    catalog: Catalog, texts: Sequence[str], vectors: Vectors | None = None
) -> dict[str, NDArray[np.floating]]:
    """Scores of each baseline, shape (texts, courses); only their order means anything. Those of an encoder need ``vectors``."""
    found = {"bm25": bm25(catalog, texts), "tfidf": tfidf(catalog, texts), "random": chance(catalog, texts)}
    if vectors:
        courses = vectors.of([f"{course.title}。{course.summary}" for course in catalog])
        found["encoder"] = vectors.of(texts) @ courses.T
        # The weights with which the sum was best on the development set before this matcher existed.
        found["tfidf + encoder"] = 0.3 * found["tfidf"] + 0.7 * found["encoder"]
    return dict(found)


def bm25(catalog: Catalog, texts: Sequence[str]) -> NDArray[np.float32]:
    """BM25 over the words of title and summary (bm25s, its default variant)."""
    index = bm25s.BM25()
    index.index([words(course_text(course)) or [""] for course in catalog], show_progress=False)
    nothing = np.zeros(len(catalog), dtype=np.float32)
    # bm25s refuses a query without words; such a text is equally far from every course.
    return np.array(
        [index.get_scores(found) if (found := words(text)) else nothing for text in texts], dtype=np.float32
    )


def tfidf(catalog: Catalog, texts: Sequence[str]) -> NDArray[np.float32]:
    """Cosine of character TF-IDF vectors (one to three characters)."""
    vectorizer = character_ngrams()
    courses = vectorizer.fit_transform([course_text(course) for course in catalog])
    return np.asarray((vectorizer.transform(texts) @ courses.T).toarray(), dtype=np.float32)


def chance(catalog: Catalog, texts: Sequence[str]) -> NDArray[np.float32]:
    """A fixed random order for each text."""
    return np.random.default_rng(0).random((len(texts), len(catalog)), dtype=np.float32)
