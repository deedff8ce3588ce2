"""One cell of a planner's table -> one value. Pure functions; each names the forms it accepts."""

from __future__ import annotations

import re
import unicodedata

from model.domain import Restriction

NOTHING = re.compile(r"^(?:无|暂无|没有|未填|不详|暂缺|[-—–/／\\.。、]+|n/?a|none|null)?$", re.IGNORECASE)
DITTO = re.compile(r"^(?:同上|〃|″|\"|同前)$")

MINUTES_PER_HOUR = 45  # 一学时 as most platforms count it (domain rule H5); 学时 stated as 学时 are taken as they are.
HOURS_PER_HALF_DAY, HOURS_PER_DAY = 4.0, 8.0

_NUMBERING = re.compile(
    r"(?:^|(?<=[\s；;。？?！!]))\s*(?:[(（]\s*\d{1,2}\s*[)）]|\d{1,2}\s*[.．、)）](?!\d)|[①-⑳]|[一二三四五六七八九十]、)\s*"
)
_SEPARATOR = re.compile(r"[\n\r；;|｜]+|\s+[/／]\s+")


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
    """Split a cell into what the writer marked as separate: line breaks, ；, numbering, a slash between blanks.

    ， 、 and a bare slash are left alone, because one lack is often written with them; :mod:`model.gaps` splits there by meaning.
    """
    text = unicodedata.normalize("NFC", text)
    parts = _SEPARATOR.split(_NUMBERING.sub("\n", text))
    cleaned = (part.strip().strip("。.，,、 　").strip() for part in parts)
    return tuple(part for part in cleaned if part and not is_nothing(part))


def hours(text: str) -> float | None:
    """Read 学时: 24, 24学时, 约30, 20学时左右, 90分钟, 半天, 2天, 1.5h. None means not stated (blank, -, 不限, 14周).

    Raises ValueError where something is stated that is no number of hours, or a number below 0 or above 2,000.
    """
    text = half_width(text)
    if is_nothing(text) or re.search(r"不限|待定|自定|另行|周$|视情况", text):
        return None
    if text.startswith("半天"):
        return HOURS_PER_HALF_DAY
    match = re.match(
        r"^(?:约|大约|共|总计|≥|不少于)?\s*(-?\d+(?:\.\d+)?)\s*(?:[-~—至到]\s*(\d+(?:\.\d+)?))?\s*([^\d(]*)", text
    )
    if not match:
        raise ValueError("不是学时数")
    number = float(match[1]) if match[2] is None else (float(match[1]) + float(match[2])) / 2
    unit = match[3].strip()
    if unit.startswith(("分", "min")):
        number /= MINUTES_PER_HOUR
    elif unit.startswith(("天", "日")):
        number *= HOURS_PER_DAY
    elif unit and not re.match(r"(个)?(学时|课时|小时|h|节|学分|左右|以内|上下|多|$)", unit, re.IGNORECASE):
        raise ValueError("不是学时数")
    if not 0 <= number <= 2000:
        raise ValueError("学时应在 0 到 2000 之间")
    return round(number, 2)


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
    year = int(match[1]) + (2000 if len(match[1]) == 2 else 0)
    number = int(next((group for group in match.groups()[1:] if group), "1"))
    if not (1 <= number <= 12 and 1950 <= year <= 2100):
        raise ValueError("不是日期")
    return year, number


def years_since(text: str, today: tuple[int, int] | None) -> float | None:
    """Read how long somebody has held a post: a date (needs ``today`` as year and month), or 不足1年, 3年多, 2.5.

    Raises ValueError as :func:`month` does.
    """
    plain = re.sub(r"\s+", "", half_width(text))
    if re.match(r"^(不足|不到|未满)(1|一)年", plain):
        return 0.5
    match = re.match(r"^(\d{1,2}(?:\.\d+)?)(?:年|$)(?!\d)(?:多|余|以上|半)?$", plain)
    if match:
        return float(match[1]) + (0.5 if plain.endswith("半") else 0.0)
    start = month(text)
    if start is None or today is None:
        return None
    return max(0.0, round((today[0] - start[0]) + (today[1] - start[1]) / 12, 2))


RESTRICTION_WORDS = {
    Restriction.ONLINE_ONLY: re.compile(r"(只能|仅能|只可|仅限).{0,4}(网络|线上|网上|在线)|online only", re.IGNORECASE),
    Restriction.NOT_OFF_POST: re.compile(
        r"(不能|无法|不便|不宜|难以|不可)(长期)?(脱产|离岗|脱岗)|cannot leave post", re.IGNORECASE
    ),
    Restriction.LIMITED_MOBILITY: re.compile(
        r"(行动|行走|腿脚?|左腿|右腿|出行).{0,2}(不便|不方便)|坐轮椅|卧床|limited mobility", re.IGNORECASE
    ),
    Restriction.NO_TRAVEL: re.compile(
        r"(不能|不便|不宜|无法|不参加).{0,2}(外出|出差|长途|异地|出市|远行)|晕车|no travel", re.IGNORECASE
    ),
}


def restrictions(text: str) -> frozenset[Restriction]:
    """Read what keeps a person from some ways of teaching out of a free remark (年底前不能脱产; 左腿不便，请安排线上)."""
    text = half_width(text)
    return frozenset(rule for rule, words in RESTRICTION_WORDS.items() if words.search(text))


YES = {"是", "必修", "必学", "必修课", "y", "yes", "true", "1", "√", "✓", "必选", "required"}
NO = {"否", "选修", "选学", "选修课", "n", "no", "false", "0", "×", "自选", "optional", ""}


def yes_no(text: str) -> bool:
    """Read 是/否, 必修/选修, True/False, √/×; ValueError for anything else."""
    word = half_width(text).lower()
    if word in YES or is_nothing(text):
        return word in YES
    if word in NO:
        return False
    raise ValueError("应为 是/否 或 必修/选修")


GRADES = {
    "优": 95.0,
    "优秀": 95.0,
    "良": 82.0,
    "良好": 82.0,
    "中": 70.0,
    "中等": 70.0,
    "合格": 70.0,
    "及格": 65.0,
    "差": 45.0,
    "不及格": 45.0,
    "不合格": 45.0,
}


def grade(text: str) -> float | None:
    """Read a test result as 0 to 100: 55, 55分, 优良中差, 1 to 5 points. ValueError for anything else, None for blank."""
    text = half_width(text).removesuffix("分")
    if is_nothing(text) or text in {"缺考", "未测"}:
        return None
    if text in GRADES:
        return GRADES[text]
    number = float(text)
    if not 0 <= number <= 100:
        raise ValueError("应在 0 到 100 之间")
    return number * 20 if number <= 5 else number
