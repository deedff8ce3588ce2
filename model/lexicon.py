"""What the product knows before it sees a roster or a course list: competencies, levels, post families and their duties.

Loaded from ``training_data/``, whose card (its README.md) tells the source and the status of every file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.errors import KnowledgeError
from model.files.categories import UNSORTED, Categories, load_categories
from model.files.tables import read_knowledge

TRAINING_DATA = Path(__file__).resolve().parent.parent / "training_data"

BANDS = {
    "科员级": (0,),
    "乡科级": (10, 20),
    "县处级": (30, 40),
    "厅局级": (50, 60),
    "省部级": (70, 80),
    "国家级": (90, 100),
}
EVERYBODY = "全部"

TITLE_KIND = (
    "职务推断"  # A title from which a level is only guessed; the other kinds of words in levels.csv name a rank.
)
RANK_KINDS = frozenset({"领导职务", "职级", "警务职级", "职员等级", "口语"})

# A duty that the post family and the level both name is one duty, with the larger weight; more than these few would bury the lacks.
MOST_DUTIES = 4


@dataclass(frozen=True, slots=True)
class Competency:
    """Something a cadre can be trained in. Its standard term is its identity."""

    name: str
    branch: str
    area: str
    definition: str
    frameworks: tuple[str, ...]
    aliases: tuple[str, ...]
    related: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostFamily:
    """A family of posts (岗位族), with the substrings of unit and post names that point to it."""

    name: str
    code: str
    units: tuple[str, ...]
    titles: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the duty of a post asks for: a competency with its weight (0 to 1), for one family and level band."""

    family: str
    band: str
    competency: str
    weight: float


# Who leads a county or a city belongs to no single family (the office beside them does): their duties are those of the level.
_LEADERS = re.compile(
    r"^(?:[县市区州]委)?(?:副?书记|常委)(?:$|[、,，])|副?[县市区州]长(?:$|[、,，])|副?主席$|^(?:人大)?(?:常委会)?副?主任$"
)
_SEATS = re.compile(
    "[县市区州](?:委(?!.*[办部室会局组])|(?:人民)?政府(?!.*[办室])|(?:人大|政协)(?!.*(?:办公室|委员会|工委))|长)"
)

# Where no pattern knows the unit, its own last character still may: 王庄村, 大孟镇.
_UNIT_ENDINGS = {
    "村社区": re.compile("(村|社区)(两委|党支部|党总支|村委会)?$"),
    "乡镇街道": re.compile("(镇|乡|街道)(党委|政府|人大)?$"),
}


_PLACE_ENDING = re.compile("(?:村|社区|镇|乡|街道|学院)$")


def bare(text: str) -> str:
    """Bring a word to a form in which equal words are equal: half-width, lower case, no blanks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def _word_or_title(word: str, kind: str) -> str:
    """A pattern for a level word. A title that only suggests a level must stand as one: no 县长 in 县长江路, no 区长 in 社区长者."""
    if kind != TITLE_KIND:
        # 十三级职员 is no 三级职员.
        return (r"(?<!十)" if word[0] in "一二三四五六七八九十" else "") + re.escape(word)
    return rf"(?<![社校园片矿库林副团]){re.escape(word)}(?=$|[^一-龥]|[兼及和])"


@dataclass(frozen=True)
class Lexicon:
    """The knowledge of ``training_data/`` as values."""

    competencies: tuple[Competency, ...]
    false_friends: tuple[tuple[str, str], ...]
    level_words: tuple[tuple[str, int, str], ...]
    families: tuple[PostFamily, ...]
    requirements: tuple[Requirement, ...]
    categories: Categories = UNSORTED

    @cached_property
    def by_name(self) -> dict[str, Competency]:
        """Competencies by their standard term."""
        return {competency.name: competency for competency in self.competencies}

    @cached_property
    def named(self) -> dict[str, str]:
        """Every exact word for a competency (name, alias, framework member) to its standard term."""
        words: dict[str, str] = {}
        for competency in self.competencies:
            members = [member.split(":", 1)[-1] for member in competency.frameworks]
            for word in (*competency.aliases, *members):
                words.setdefault(bare(word), competency.name)
        return words | {bare(competency.name): competency.name for competency in self.competencies}

    @cached_property
    def level_names(self) -> dict[int, str]:
        """The display word of each level code."""
        return {code: word for word, code, kind in self.level_words if kind == "领导职务"}

    @cached_property
    def _level_patterns(self) -> list[tuple[str, re.Pattern[str], int, str]]:
        words = [(bare(word), code, kind) for word, code, kind in self.level_words]
        words.sort(key=lambda row: (-len(row[0]), row[0]))
        return [(word, re.compile(_word_or_title(word, kind)), code, kind) for word, code, kind in words]

    def level_of(self, text: str, kinds: Iterable[str] | None = None, unit: str = "") -> int | None:
        """Read a level out of a cell; None where there is none.

        The longest rank word tells (正科级, 四级调研员); without one the highest title (县委副书记、县长 is a 县长); without one
        a word of the lowest level (选调生). ``kinds`` narrows the words: without 职务推断, a bare 镇长 is not taken for a level.
        ``unit`` stands before a post; a level word may begin in it (街道 + 党工委书记), but not lie within it (科级干部科 + 科员).
        """
        before, text = len(bare(unit)), bare(unit + text)
        allowed = None if kinds is None else set(kinds)
        titles, lowest = [], None
        for word, pattern, code, kind in self._level_patterns:
            if word not in text or (allowed is not None and kind not in allowed):
                continue
            if not any(match.end() > before for match in pattern.finditer(text)):
                continue
            if kind == TITLE_KIND:
                titles.append(code)
            elif code:
                return code
            else:
                lowest = code
            text = pattern.sub(lambda match: "※" * len(match[0]), text)  # 科级以下 is not also 科级.
        return max(titles, default=lowest)

    def levels_in(self, text: str) -> frozenset[int]:
        """Read an audience (“县处级、乡科级正职”, “科级及以下”, “处级以上干部”) as level codes; empty means no level is named."""
        text = bare(text)
        codes: set[int] = set()
        for match in self._audience_pattern.finditer(text):
            word, bound = match["word"], match["bound"] or ""
            known = self._audience_words[word]
            codes |= known
            if "上" in bound:
                codes |= {code for code in self.level_names if code > max(known)}
            elif "下" in bound:
                codes |= {code for code in self.level_names if code < min(known)}
        return frozenset(codes)

    @cached_property
    def _audience_words(self) -> dict[str, set[int]]:
        words = {bare(word): {code} for word, code, kind in self.level_words if kind != TITLE_KIND}
        spoken = {
            "厅级": "厅局级",
            "局级": "厅局级",
            "处级": "县处级",
            "科级": "乡科级",
            "县级": "县处级",
            "新录用公务员": "科员级",
            "初任": "科员级",
        }
        words |= {band: set(codes) for band, codes in BANDS.items()}
        return words | {word: set(BANDS[band]) for word, band in spoken.items()}

    @cached_property
    def _audience_pattern(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, sorted(self._audience_words, key=len, reverse=True)))
        return re.compile(rf"(?P<word>{words})(?:干部|公务员|领导干部|人员)?(?P<bound>[及(]?以[上下])?")

    @cached_property
    def _family_words(self) -> tuple[dict[str, str], dict[str, str]]:
        titles = {bare(word): family.name for family in self.families for word in family.titles}
        units = {bare(word): family.name for family in self.families for word in family.units}
        return titles, units

    def family_of(self, unit: str | None, post: str | None) -> str | None:
        """Tell the post family (岗位族): the longest title pattern in the post, else the longest unit pattern in unit or post.

        A title may begin in the unit (李家庄村 + 党支部书记 is a 村党支部书记); what a post says in brackets (分管安全生产) is no title.
        """
        titles, units = self._family_words
        unit, post = bare(unit or ""), re.sub(r"[(][^)]*[)]", "", bare(post or ""))
        if _LEADERS.search(post) and _SEATS.search(unit + post):
            return None
        place = _PLACE_ENDING.search(unit) if post else None
        held = [word for word in titles if place and word in place[0] + post]
        for text, words in ((post, titles), (unit, units), (unit + post, units), (unit, titles)):
            hits = [word for word in words if word in text] + (held if text is post else [])
            if hits:
                return words[max(hits, key=lambda word: (len(word), word))]
        return next((family for family, ending in _UNIT_ENDINGS.items() if ending.search(unit)), None)

    def families_in(self, text: str) -> frozenset[str]:
        """Read the post families that an audience names, by family name or title (辅导员、村党组织书记)."""
        text = bare(text)
        titles, _ = self._family_words
        named = {family.name for family in self.families if bare(family.name) in text}
        for name in sorted(named, key=len, reverse=True):
            text = text.replace(
                bare(name), "、"
            )  # 高校组织党务 names one family, not also the one that 组织党务 points to.
        text += "、" + re.sub(r"[()]", "", text)  # 村（社区）党组织书记
        return frozenset(named | {family for word, family in titles.items() if word in text})

    def duties_of(self, family: str | None, level: int | None) -> tuple[tuple[str, float], ...]:
        """What the post asks for (干什么学什么): at most ``MOST_DUTIES`` competencies with weights, heaviest first."""
        if family is None and level is None:
            return ()
        return self._duties.get((family, band_of(level))) or self._duties[None, band_of(level)]

    @cached_property
    def _duties(self) -> dict[tuple[str | None, str | None], tuple[tuple[str, float], ...]]:
        families = [None, *(family.name for family in self.families)]
        return {(family, band): self._heaviest(family, band) for family in families for band in (None, *BANDS)}

    def _heaviest(self, family: str | None, band: str | None) -> tuple[tuple[str, float], ...]:
        weights: dict[str, float] = {}
        for need in self.requirements:
            if need.family not in {EVERYBODY, family} or need.band not in {EVERYBODY, band}:
                continue
            # What the own family asks for comes before what the level asks of everybody.
            weight = need.weight * (0.6 if need.family == EVERYBODY else 1.0)
            weights[need.competency] = max(weight, weights.get(need.competency, 0.0))
        return tuple(sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST_DUTIES])


def band_of(level: int | None) -> str | None:
    """The level band (科员级 … 国家级) of a level code."""
    return next((band for band, codes in BANDS.items() if level in codes), None)


def split_words(text: str) -> tuple[str, ...]:
    """Split a cell of the training data that lists words with 、."""
    return tuple(word.strip() for word in text.split("、") if word.strip())


def load_lexicon(folder: Path = TRAINING_DATA) -> Lexicon:
    """Load and check ``competencies.csv``, ``false_friends.csv``, ``levels.csv``, ``posts.csv``, ``post_requirements.csv`` and ``categories.csv``."""
    competencies = tuple(
        Competency(
            row["name"], row["branch"], row["area"], row["definition"],
            split_words(row["frameworks"]), split_words(row["aliases"]), split_words(row["related"]),
        )
        for row in read_knowledge(
            folder / "competencies.csv", ["name", "branch", "area", "definition", "frameworks", "aliases", "related"]
        )
    )  # fmt: skip
    lexicon = Lexicon(
        competencies=competencies,
        false_friends=tuple(
            (r["a"], r["b"]) for r in read_knowledge(folder / "false_friends.csv", ["a", "b", "difference"])
        ),
        level_words=tuple(
            (r["word"], int(r["code"]), r["kind"])
            for r in read_knowledge(folder / "levels.csv", ["word", "code", "kind"])
        ),
        families=tuple(
            PostFamily(r["family"], r["code"], split_words(r["units"]), split_words(r["titles"]), r["note"])
            for r in read_knowledge(folder / "posts.csv", ["family", "code", "units", "titles", "note"])
        ),
        requirements=tuple(
            Requirement(r["family"], r["band"], r["competency"], float(r["weight"]))
            for r in read_knowledge(folder / "post_requirements.csv", ["family", "band", "competency", "weight"])
        ),
        categories=load_categories(folder, ((one.branch, one.area) for one in competencies)),
    )
    strangers = {need.competency for need in lexicon.requirements} - set(lexicon.by_name)
    if strangers:
        raise KnowledgeError(f"post_requirements.csv 里有不认识的能力：{'、'.join(sorted(strangers))}。")
    return lexicon
