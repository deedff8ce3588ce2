"""Chinese text -> features: one normal form, character n-grams, words."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer

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
