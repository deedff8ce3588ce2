"""One cell of a planner's table -> one value. Pure functions; each names the forms it accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from model.domain import Restriction

NOTHING = re.compile(
    r"^(?:[(]?(?:暂|目前|尚|基本)?(?:无|没有)(?:明显|突出|其他)?(?:短板|不足|弱项|问题|需求)?[)]?。?|没|还行|不知道|(?:暂时?|目前)?(?:没有|未)发现(?:问题|短板|不足)?|未填|不详|暂缺|空|[-—–/\\.。、]+|n/?a|none|null)?$",
    re.IGNORECASE,
)
DITTO = re.compile(r"^(?:同上(?:一?[行格栏])?|〃|″|\"|同前)[。.]?$")

MINUTES_PER_HOUR = 45  # 一学时 as most platforms count it (domain rule H5); 学时 stated as 学时 are taken as they are.
HOURS_PER_HALF_DAY, HOURS_PER_DAY = 4.0, 8.0
MOST_HOURS, MOST_FIVE_YEAR_HOURS = 2_000, 10_000  # More in a year, or in five, is a slip of the pen.

_NUMBERING = re.compile(
    r"(?:^|(?<=[\s；;。？?！!]))\s*(?:[(（]\s*\d{1,2}\s*[)）]|\d{1,2}\s*[.．、)）](?!\d)|[①-⑳]|[一二三四五六七八九十]、)\s*"
)
_SEPARATOR = re.compile(r"[\n\r；;|｜┋]+|\s+[/／]\s*|[/／]\s+")
_ENCLOSED = re.compile(r"[（(][^（()）\n]{2,}[)）]|《[^》\n]{0,100}》|“[^”\n]{0,100}”")
_ONE_TO_TEN = "一二三四五六七八九十"
# How people number a list: ① 1. （1） 一、 （一） 一是 第一， — with the number left out.
_COUNTS: tuple[Callable[[int], str], ...] = (
    lambda n: chr(0x2460 + n - 1),
    lambda n: rf"(?<!\d){n}\s*[.．、)）](?!\d)",
    lambda n: rf"[(（]\s*{n}\s*[)）]",
    lambda n: rf"{_ONE_TO_TEN[n - 1]}、",
    lambda n: rf"[(（]{_ONE_TO_TEN[n - 1]}[)）]",
    lambda n: rf"{_ONE_TO_TEN[n - 1]}是",
    lambda n: rf"第{_ONE_TO_TEN[n - 1]}[，,、：:]",
)


def half_width(text: str) -> str:
    """Full-width digits, letters and brackets to half-width; blanks at the ends removed."""
    return unicodedata.normalize("NFKC", text).strip()


def is_nothing(text: str) -> bool:
    """Tell whether a cell says that there is nothing to say (无, /, -, blank)."""
    return bool(NOTHING.match(half_width(text)))


def is_ditto(text: str) -> bool:
    """Tell whether a cell repeats the one above (同上)."""
    return bool(DITTO.match(half_width(text)))


def several(text: str) -> tuple[str, ...]:
    """Split a cell into what the writer marked as separate: line breaks, ；, numbering, a slash beside a blank.

    ， 、 and a bare slash are left alone, because one lack is often written with them; :mod:`model.gaps` splits there by meaning.
    Nothing is split inside brackets, quotation marks and titles.
    """
    text = _NUMBERING.sub("\n", _counted(unicodedata.normalize("NFC", text)))
    hidden = _ENCLOSED.sub(lambda match: "※" * len(match[0]), text)
    edges = [0, *(edge for match in _SEPARATOR.finditer(hidden) for edge in match.span()), len(text)]
    parts = (text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    cleaned = (part.strip().strip("。.，,、 　").strip() for part in parts)
    return tuple(part for part in cleaned if part and not is_nothing(part))


_FIRST = re.compile(r"\s*(?:" + "|".join(count(1) for count in _COUNTS) + ")")


def _counted(text: str) -> str:
    """Begin a new line at each number of a cell that counts 1, 2, 3 from its start, even where no mark precedes the number."""
    for count in _COUNTS if _FIRST.match(text) else ():
        starts = [match] if (match := re.match(r"\s*" + count(1), text)) else []
        while starts and len(starts) < 10:
            following = re.compile(count(len(starts) + 1)).search(text, starts[-1].end())
            if following is None:
                break
            starts.append(following)
        if len(starts) > 1:
            edges = [match.start() for match in starts[1:]] + [len(text)]
            return "\n".join(text[match.end() : edge] for match, edge in zip(starts, edges, strict=True))
    return text


_HOURS = re.compile(
    r"^(?:约为?|大约|近|共|合计|总计|全年|本年|剩余|还剩|脱产|最多|至多|不超过|不少于|至少|[≥≤<>]=?)*\s*"
    r"(-?\d+(?:\.\d+)?)\s*(?:[-~—至到]\s*(\d+(?:\.\d+)?))?\s*([^\d(]*)(\d+(?:\.\d+)?)?"
)
_HOUR_UNITS = re.compile(r"(个)?(学时|课时|小时|h|节|学分|左右|以内|以上|以下|上下|多|余|[,，。;；+]?$)", re.IGNORECASE)


@lru_cache(maxsize=4_096)
def hours(text: str, most: float = MOST_HOURS) -> float | None:
    """Read 学时: 24, 24学时, 约30, 20学时左右, 90分钟, 0:45:00, 半天, 2天, 三天, 1.5h. None means not stated (blank, -, 不限, 14周).

    Raises ValueError where something is stated that is no number of hours, or a number below 0 or above ``most``.
    """
    text = half_width(text)
    if is_nothing(text) or re.search(r"不限|待定|自定|另行|周$|视情况", text):
        return None
    clock = re.fullmatch(r"(\d{1,3}):(\d{2}):(\d{2})", text)  # The length of a recording, as platforms export it.
    if clock:
        return round((int(clock[1]) * 60 + int(clock[2]) + int(clock[3]) / 60) / MINUTES_PER_HOUR, 2)
    match = _HOURS.match(_arabic(text))
    if not match:
        raise ValueError("不是学时数")
    number = float(match[1]) if match[2] is None else (float(match[1]) + float(match[2])) / 2
    unit = match[3].strip()
    if unit.startswith(("分", "min")):
        number /= MINUTES_PER_HOUR
    elif unit.startswith("小时") and match[4] and text.endswith(("分", "分钟")):
        number += float(match[4]) / 60
    elif unit.startswith("个半天"):
        number *= HOURS_PER_HALF_DAY
    elif unit.startswith(("天", "日")):
        number = number * HOURS_PER_DAY + (HOURS_PER_HALF_DAY if unit[1:2] == "半" else 0.0)
    elif not _HOUR_UNITS.match(unit) or (match[4] and not re.search(r"\w", unit)):
        raise ValueError("不是学时数")
    if not 0 <= number <= most:
        raise ValueError(f"学时应在 0 到 {most} 之间")
    return round(number, 2)


def hours_done(text: str, most: float = MOST_HOURS) -> float | None:
    """Read 已完成学时 as :func:`hours` does; here 无 means that there were none. None means not told (blank, -).

    Raises ValueError also for what is no number yet (待定, 2周).
    """
    if re.fullmatch("[暂尚]?(?:无|没有)|零", half_width(text)):
        return 0.0
    number = hours(text, most)
    if number is None and not is_nothing(text):
        raise ValueError("不是学时数")
    return number


ROOM, SCREEN = re.compile("线下|脱产|集中|面授"), re.compile("网络|网上|线上|在线|online")
WAY = re.compile(f"{ROOM.pattern}|{SCREEN.pattern}")
_BETWEEN_WAYS = re.compile(rf"[/、,;\n]\s*|\s+(?={WAY.pattern})")
_PLAIN_HOURS = re.compile(r"\d+(?:\.\d+)?(?:个?[学课]时)?")


def hours_by_way(text: str, screen_first: bool = False) -> tuple[float | None, float | None]:
    """Read hours done as (集中培训, 网络): 60/32, 60学时/-, 线下60、网络32, 网络：32；线下：60. A number alone is of the way that comes first.

    Raises ValueError as :func:`hours_done` does, and where it cannot be told which number is of which way.
    """
    text = half_width(text)
    named = WAY.search(text)
    if is_nothing(text) or not ("/" in text or named):
        alone = hours_done(text)
        return (None, alone) if screen_first else (alone, None)
    done: dict[bool, float | None] = {}
    for place, part in enumerate(_BETWEEN_WAYS.split(text) if named else text.split("/")):
        # 线下 or 网络 as the part says; where no part says it, the first is the one and the second the other.
        ways = {bool(SCREEN.match(word)) for word in WAY.findall(part)} if named else {bool(place) != screen_first}
        number = WAY.sub("", part).strip("():培训学习 ") if named else part.strip()
        known = _PLAIN_HOURS.fullmatch(number) or (is_nothing(number) and (number or not named))
        if len(ways) != 1 or ways & done.keys() or not known:
            raise ValueError("分不清各是多少学时")
        done[ways.pop()] = hours_done(number)
    return done.get(False), done.get(True)


_NUMBERED = dict(zip("半一二两三四五六七八九十", ("0.5", *map(str, (1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10))), strict=True))
_CHINESE_NUMBER = re.compile(
    r"(?<![\d年天个])(?:十([一二三四五六七八九])|([半一二两三四五六七八九十]))(?=个?(?:半天|天|日|年|月|学时|课时|小时))"
)


def _arabic(text: str) -> str:
    """Write the small Chinese numbers that people count days and years with as digits: 两天, 十年, 半天."""
    return _CHINESE_NUMBER.sub(lambda match: f"1{_NUMBERED[match[1]]}" if match[1] else _NUMBERED[match[2]], text)


def month(text: str) -> tuple[int, int] | None:
    """Read a date as (year, month): 2012-03-05, 2012.03, 201203, 2021年3月, 25年5月, 2024.3至今, 2019. None means not stated.

    Raises ValueError where something is stated that is no date.
    """
    text = re.sub(r"\s+", "", half_width(text))
    if is_nothing(text):
        return None
    match = re.match(r"^(\d{4})(?:[-./年](\d{1,2})|(\d{2})(?:\d{2})?(?!\d))?", text) or re.match(
        r"^(\d{2})[年.](\d{1,2})(?=月|$|-|\.)", text
    )
    if not match:
        raise ValueError("不是日期")
    year = int(match[1])
    if len(match[1]) == 2:
        year += 2000 if year <= 50 else 1900
    number = int(next((group for group in match.groups()[1:] if group), "1"))
    if not (1 <= number <= 12 and 1950 <= year <= 2100):
        raise ValueError("不是日期")
    return year, number


_DURATION = re.compile(
    r"(?:任职|任现职|约|近|满|已|刚|快)*(?:(\d{1,2}(?:\.\d+)?)年)?(半)?年?(?:[零又多]?(\d{1,2})个月)?(?:多|余|以上|左右|了)*"
)


@lru_cache(maxsize=4_096)
def years_since(text: str, today: tuple[int, int] | None) -> float | None:
    """Read how long somebody has held a post: a date (needs ``today`` as year and month), or 不足1年, 3年多, 半年, 8个月, 2.5.

    Raises ValueError as :func:`month` does, and for a date that is still to come.
    """
    plain = _arabic(re.sub(r"\s+", "", half_width(text)))
    if less := re.match(r"^(?:不足|不到|未满|不满)(\d{1,2})年|^(\d{1,2})年(?:以内|之内|以下)", plain):
        return float(less[1] or less[2]) - 0.5
    lasting = _DURATION.fullmatch(plain)
    if plain and lasting and any(lasting.groups()):
        years = float(lasting[1] or 0) + (0.5 if lasting[2] else 0.0) + int(lasting[3] or 0) / 12
        return round(years, 2)
    # 2.5 are years; 23.9 in such a column is September 2023.
    if re.fullmatch(r"\d{1,2}(?:\.\d+)?", plain) and not re.fullmatch(r"(?:19|[2-9]\d)\.(?:0?[1-9]|1[0-2])", plain):
        return float(plain)
    start = month(text)
    if start is None or today is None:
        return None
    years = (today[0] - start[0]) + (today[1] - start[1]) / 12
    if years < -1:
        raise ValueError("日期还没有到")
    return max(0.0, round(years, 2))


RESTRICTION_WORDS = {
    Restriction.ONLINE_ONLY: re.compile(
        r"(只能|仅能|只可|仅限|只限|只参加|仅参加).{0,4}(网络|线上|网上|在线)|online only", re.IGNORECASE
    ),
    Restriction.NOT_OFF_POST: re.compile(
        r"(不能|无法|不便|不宜|难以|不可)(长期|长时间)?(脱产|离岗|脱岗|离开岗位)|脱不开身|走不开|离不开岗|抽不开身|cannot leave post",
        re.IGNORECASE,
    ),
    Restriction.LIMITED_MOBILITY: re.compile(
        r"(?<![无非])(?<!没有)(行动|行走|腿脚?|左腿|右腿|出行).{0,2}(不便|不方便)|轮椅|卧床|骨折|limited mobility",
        re.IGNORECASE,
    ),
    Restriction.NO_TRAVEL: re.compile(
        r"(不能|不便|不宜|无法|不参加).{0,2}(外出|出差|长途|异地|出市|出县|出省|远行|出远门)|晕车|no travel",
        re.IGNORECASE,
    ),
}


@lru_cache(maxsize=4_096)
def restrictions(text: str) -> frozenset[Restriction]:
    """Read what keeps a person from some ways of teaching out of a free remark (年底前不能脱产; 左腿不便，请安排线上)."""
    text = half_width(text)
    return frozenset(rule for rule, words in RESTRICTION_WORDS.items() if words.search(text))


YES = {"是", "必修", "必学", "必修课", "y", "yes", "true", "1", "√", "✓", "✔", "☑", "必选", "必修课程", "required"}
NO = {"否", "选修", "选学", "选修课", "n", "no", "false", "0", "×", "✗", "自选", "选修课程", "非必修", "optional", ""}


def yes_no(text: str) -> bool:
    """Read 是/否, 必修/选修, True/False, √/×, with or without a remark in brackets; ValueError for anything else."""
    word = re.sub(r"[(][^)]*[)]$", "", half_width(text).lower()).strip()
    if word in YES or re.match("(全员|人人|一律)?必[修学]", word):
        return True
    if is_nothing(text):
        return False
    if word in NO:
        return False
    raise ValueError("应为 是/否 或 必修/选修")


GRADES = {
    "优": 95.0,
    "优秀": 95.0,
    "良": 82.0,
    "良好": 82.0,
    "较好": 80.0,
    "中": 70.0,
    "中等": 70.0,
    "合格": 70.0,
    "及格": 65.0,
    "一般": 65.0,
    "较差": 50.0,
    "差": 45.0,
    "不及格": 45.0,
    "不合格": 45.0,
}


def grade(text: str, of_five: bool = True) -> float | None:
    """Read a test result as 0 to 100: 55, 55分, 优良中差. ValueError for anything else, None for blank.

    Numbers up to 5 are points of five where ``of_five``; beside larger numbers in the same column they are not.
    """
    text = half_width(text).removesuffix("分")
    if is_nothing(text) or text in {"缺考", "未测"}:
        return None
    if text in GRADES:
        return GRADES[text]
    number = float(text)
    if not 0 <= number <= 100:
        raise ValueError("应在 0 到 100 之间")
    return number * 20 if of_five and number <= 5 else number
