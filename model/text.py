"""Chinese text -> features: one normal form, character n-grams, words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import rjieba
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

_MARKS = re.compile(r"[^\w%+#]+|_")

# Words that say "I lack" but not what; they would match every other gap and no course.
_LACKING = re.compile(
    r"(还|仍|比较|相对|较为|普遍|有些|不太|尚)?"
    r"(能力不足|能力不强|能力较弱|能力偏弱|能力弱|本领不强|有待(进一步)?(加强|提高|提升|增强|改进)|需要?(进一步)?(加强|提高|提升|增强)|"
    r"不足|薄弱|欠缺|缺乏|缺少|不强|不够|不熟悉|不熟练|不熟|生疏|不了解|不懂|不清楚|不掌握|没底(?!线)|办法不多|短板|弱项|偏低|较差|不及格|不理想)"
)


def plain(text: str) -> str:
    """The normal form of a text: half-width, lower case, marks as single blanks."""
    return _MARKS.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()


def topic(text: str) -> str:
    """What a gap text is about: its normal form without the words for lacking (不足, 薄弱 …), unless nothing would remain."""
    stripped = _LACKING.sub(" ", text)
    return plain(stripped) if len(plain(stripped)) >= 2 else plain(text)


def words(text: str) -> list[str]:
    """The words of a text of two characters or more, as the segmenter cuts them for searching."""
    return [word for word in rjieba.cut_for_search(plain(text)) if len(word) > 1]


def character_ngrams(dtype: type[np.floating] = np.float64) -> TfidfVectorizer:
    """TF-IDF over character n-grams of one to three characters: no segmentation to go wrong, short texts to gain."""
    return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, preprocessor=plain, dtype=dtype)


class PackedNgrams:
    """A fitted :func:`character_ngrams`, its vocabulary as numbers in order. It gives the same values.

    A dictionary of a quarter of a million n-grams takes 40 MB in each process that serves; arrays are mapped, and all processes share them.
    """

    def __init__(self, fitted: TfidfVectorizer) -> None:
        numbers = np.array([_number(gram) for gram in fitted.vocabulary_], dtype=np.int64)
        columns = np.fromiter(fitted.vocabulary_.values(), dtype=np.int32)
        order = np.argsort(numbers)
        self._numbers, self._columns, self._idf = numbers[order], columns[order], fitted.idf_

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """TF-IDF rows of length 1, shape (texts, n-grams)."""
        columns, values = zip(*(self._row(plain(text)) for text in texts), strict=True)
        starts = np.cumsum([0, *map(len, columns)], dtype=np.int32)
        shape = len(texts), len(self._idf)
        return normalize(sp.csr_matrix((np.concatenate(values), np.concatenate(columns), starts), shape), copy=False)

    def _row(self, text: str) -> tuple[NDArray[np.int32], NDArray[np.floating]]:
        """The columns of the n-grams of a text that are known, in order, and their values."""
        numbers, counts = np.unique(_numbers(text), return_counts=True)
        places = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        known = self._numbers[places] == numbers
        columns = self._columns[places[known]]
        order = np.argsort(columns)
        columns, counts = columns[order], counts[known][order]
        return columns, (np.log(counts.astype(self._idf.dtype)) + 1) * self._idf[columns]


def _number(gram: str) -> int:
    """One to three characters as one number; characters have 21 bits, and none of them is 0."""
    number = 0
    for character in gram:
        number = number << 21 | ord(character)
    return number


def _numbers(text: str) -> NDArray[np.int64]:
    """The numbers of all n-grams of a text."""
    one = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    two = one[:-1] << 21 | one[1:]
    return np.concatenate([one, two, two[:-1] << 21 | one[2:]])
