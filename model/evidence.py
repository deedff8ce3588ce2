"""Gap texts x Catalog -> what speaks for each course: four kinds of evidence, independent of each other and each between 0 and 1.

*lexical*: shared characters. *competency*: text and course are probably about the same competencies. *expansion*: shared characters
with the words the lexicon knows for those competencies. *semantic*: nearness of sentence vectors, where an encoder is at hand. Beside them *lack*: how
surely the text names a lack at all, the same for every course.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from model.competence import CompetencyClassifier
from model.curation import Curation
from model.domain import Catalog, Course
from model.lexicon import Lexicon
from model.text import PackedNgrams, character_ngrams, topic
from model.vectors import product

WORDS_ALONE = ("lack", "lexical", "competency", "expansion")
FEATURES = (*WORDS_ALONE, "semantic")
ALIKE = ("lexical", "semantic")  # What speaks of any matter alike, known or not.
CURATED = (1.0, 0.8, 0.6)  # How surely a curated course teaches its first, second and third competency.
# Shares of familiar courses at which a catalog is not familiar at all, and wholly so; in ours it is about 0.95 by definition of the word.
FOREIGN, MOSTLY = 0.5, 0.9
SAMPLE = 1000  # Courses looked at to tell whether a catalog is familiar.
HARDLY = 0.2  # Length of a row of competency probabilities below which nothing much is recognised.
STRONGEST = 3  # Competencies of a text whose words are sought in the courses.


def course_text(course: Course) -> str:
    """What is read of a course: its title twice, because a title promises, then its summary and its category."""
    return f"{course.title}。{course.title}。{course.summary}" + (f"。{course.category}" if course.category else "")


def descriptions(course: Course) -> list[str]:
    """The texts a course is understood by: its title alone and, where there is more, title with category and summary."""
    more = [part for part in (course.category, course.summary) if part]
    return [course.title, "。".join([course.title, *more])] if more else [course.title]


class Evidence:
    """One catalog, made ready to be compared with gap texts. Row *i* of every matrix is ``catalog.courses[i]``.

    Attributes
    ----------
    teaches : tuple of str or None
        For each course the competency it most probably teaches; None where none is recognised.
    taught : array of float32, shape (courses, competencies)
        Probability that each course teaches each competency.
    familiar : float
        How far the catalog is about what the phrases know, 0 to 1.
    """

    def __init__(self, catalog: Catalog, classifier: CompetencyClassifier, lexicon: Lexicon) -> None:
        self.classifier = classifier
        self.features = FEATURES if classifier.vectors else WORDS_ALONE
        texts = [course_text(course) for course in catalog]
        known = [" ".join([c.name, *c.aliases, *c.related]) for c in lexicon.competencies]
        # The lexicon's words join the catalog's for document frequencies, so that a catalog of ten courses has sensible weights.
        self._vectorizer = PackedNgrams(character_ngrams().fit(texts + known))
        self._courses = self._vectorizer.transform(texts).T.tocsr()
        self._vocabulary = self._vectorizer.transform(known)
        self._described = [text for course in catalog for text in descriptions(course)]
        counts = np.array([len(descriptions(course)) for course in catalog], dtype=np.intp)
        self._starts = np.cumsum(counts) - counts
        if classifier.vectors:
            classifier.vectors.learn(self._described)
            self._vectors = classifier.vectors.of(self._described)
        self._teach(self._taught(catalog))
        self.familiar = self._familiarity(catalog)

    def _teach(self, taught: NDArray[np.floating]) -> None:
        self.taught = taught.astype(np.float32)
        self._competencies = _unit(taught).T
        names = self.classifier.classes_
        self.teaches = tuple(names[row.argmax()] if row.max() >= HARDLY else None for row in taught)

    def under(self, curation: Curation, catalog: Catalog) -> Evidence:
        """The same with what was said of single courses, and of words in their titles, in the place of what was read from them."""
        column = {name: number for number, name in enumerate(self.classifier.classes_[:-1])}
        taught = np.array(self.taught, dtype=np.float64)
        for row, course in enumerate(catalog):
            if course.id in curation.taught:
                taught[row] = 0
                for name, sure in zip(curation.taught[course.id][0], CURATED, strict=False):
                    # A version trained before a competency was known cannot tell of it.
                    if name in column:
                        taught[row, column[name]] = sure
            else:
                for name in curation.meant(course.title):
                    if name in column:
                        taught[row, column[name]] = max(CURATED[0], taught[row, column[name]])
        other = copy(self)
        other._teach(taught)
        return other

    @property
    def course_texts(self) -> list[str]:
        """The texts whose vectors the catalog needs."""
        return self._described

    def _best(self, values: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
        """For each course the best value of its descriptions."""
        best: NDArray[np.floating] = np.maximum.reduceat(values, self._starts, axis=axis)
        return best

    def _taught(self, catalog: Catalog) -> NDArray[np.float64]:
        """Probability that each course teaches each competency: curated where a planner said so, else read from its texts."""
        column = {name: number for number, name in enumerate(self.classifier.classes_[:-1])}
        taught = self._best(self.classifier.predict_proba(self._described)[:, :-1], axis=0).astype(np.float64)
        for row, course in enumerate(catalog):
            for name, sure in zip(course.competencies, CURATED, strict=False):
                taught[row, column[name]] = max(sure, taught[row, column[name]])
        return taught

    def _familiarity(self, catalog: Catalog) -> float:
        """How far the catalog is about what the phrases know, 0 to 1: where it is not, recognised competencies are chance."""
        some = [catalog.courses[row] for row in range(0, len(catalog), max(1, -(-len(catalog) // SAMPLE)))]
        texts = [text for course in some for text in descriptions(course)]
        known = dict(zip(texts, self.classifier.familiar(texts), strict=True))
        share = np.mean([any(known[text] for text in descriptions(course)) for course in some])
        return round(float(np.clip((share - FOREIGN) / (MOSTLY - FOREIGN), 0, 1)), 4)

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Evidence for each text and course, shape (texts, courses, features); raises EncoderUnavailable."""
        topics = self._vectorizer.transform([topic(text) for text in texts])
        probabilities = self.classifier.predict_proba(texts)
        meant = _unit(probabilities[:, :-1])
        least = np.sort(meant, axis=1)[:, [-min(STRONGEST, meant.shape[1])]]
        expanded = normalize(sp.csr_matrix(np.where(meant >= least, meant, 0.0)) @ self._vocabulary)
        found = {
            "lexical": (topics @ self._courses).toarray(),
            "competency": product(meant, self._competencies),
            "expansion": (expanded @ self._courses).toarray(),
        }
        found["lack"] = np.broadcast_to(1 - probabilities[:, -1:], found["lexical"].shape)
        if self.classifier.vectors:
            nearness = self._best(product(self.classifier.vectors.of(texts), self._vectors.T), axis=1)
            found["semantic"] = np.maximum(nearness, 0.0)
        return np.stack([found[name] for name in self.features], axis=2).astype(np.float32)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1, but shorter where hardly any competency is recognised: what is about nothing in particular is near nothing."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, HARDLY), dtype=np.float32)
