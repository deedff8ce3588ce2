"""Roster sheets -> Profiles. The columns of a 花名册, and what makes two rows one person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from marshmallow import Schema

from model.domain import LONGEST_TEXT, Profile, Reading, Weakness
from model.files import cells
from model.files.headers import SCRUBBED, Cell, Column, Row, Table
from model.files.posts import split_unit_post
from model.files.rows import Account, CellField, load_row, tables_in, text_of
from model.files.tables import Sheet
from model.lexicon import RANK_KINDS, Lexicon, bare

COLUMNS = (
    Column("person_id", ("工号", "工作证号", "学工号", "学号", "人员编号", "员工编号", "职工号", "id")),
    Column("serial", ("序号", "编号", "no.", "no")),
    Column("name", ("姓名", "参训人员姓名", "学员姓名", "name")),
    Column("unit_post", ("单位及职务", "所在单位及职务", "时任单位及职务", "工作单位及职务", "单位职务", "现任单位及职务")),
    Column("post", ("职务", "岗位", "岗位名称", "现任职务", "时任职务", "行政职务", "post")),
    Column("unit", ("单位", "所在单位", "工作单位", "任职机构", "单位名称", "参训单位", "unit")),
    Column("section", ("部门", "所在部门", "科室", "所在科室", "内设机构", "处室")),
    Column("level", ("职务层次", "行政级别", "岗位级别", "干部级别", "职务级别", "岗位等级", "级别", "职务属性", "层级", "level")),
    Column("rank", ("职级", "现任职级", "职务职级", "职级层次")),
    Column("duty", ("分管工作", "分工", "岗位职责", "工作内容", "职责", "duty")),
    Column("party_post", ("党内职务", "党内任职", "参训人身份", "参训人员身份")),
    Column("branch_secretary", ("是否支部书记", "是否党支部书记")),
    Column(
        "since",
        ("任现职时间", "现职务始任时间", "任职日期", "任现职务时间", "任职时间", "任现职年限", "任职年限", "任职年月", "现职务始任年限",
         "现任职务时间", "years_in_post"),
    ),
    Column(
        "weakness",
        ("短板", "能力弱项", "能力短板", "薄弱环节", "知识空白", "经验盲区", "培训需求", "需要提升", "存在不足", "不足", "弱项",
         "主要短板", "本人自评短板", "自评短板", "组织评价短板", "学习需求", "希望学习", "希望提升", "主要问题", "最需要提升", "需提升", "希望参加的培训", "weaknesses"),
        many=True,
    ),
    Column("completed", ("已参训课程", "已学课程", "已修课程", "培训情况", "参训情况", "已完成课程", "完成课程", "参加过", "已参加", "培训经历", "completed"), many=True),
    # Kept apart from the hours a person has left; which kind each column holds is told by its whole header.
    Column(
        "done_hours",
        ("已完成学时", "已修学时", "已学学时", "已获学时", "完成学时", "已完成", "集中培训学时", "脱产培训学时", "脱产学时", "线下培训学时", "线下学时", "网络培训学时",
         "网络学习学时", "网络学时", "线上学时", "网上学时", "在线学习学时", "在线学时", "五年累计学时", "五年学时", "累计学时", "hours_done"),
        many=True,
    ),
    Column("hours", ("可用学时", "可安排学时", "剩余学时", "可参训学时", "计划学时", "hours_available")),
    Column("note", ("备注", "说明", "特殊情况", "restrictions"), many=True),
    Column("restricted", ("不能脱产", "行动不便", "只能网络", "不能外出"), many=True),
)  # fmt: skip
NEEDED = (frozenset({"name", "person_id"}), frozenset({"post", "unit_post", "unit", "weakness"}))

# Legal values of a 层级 column that hold no rank of the civil service.
_UNRANKED = re.compile(
    "未确定|未定级|其他|无级别|专业技术|职称|教师|企业|中层|工勤|聘用|合同制|编外|工程师|教授|讲师|医师|研究员|技师|技工|[高中初]级"
)
_DUTY_IN_BRACKETS = re.compile(r"[（(]([^（()）]*(?:分管|负责|联系|主管|协管)[^（()）]*)[)）]")
_BRACKETS = re.compile(r"[（(]([^（()）]*)[)）]")
# Their 县委书记 is none of the Party's.
_NOT_THE_PARTY = re.compile("共青团|^团|民[革盟建进]|九三学社|致公党|农工党|台盟")
_NO_POST = {"双肩挑", "党员", "中共党员", "预备党员", "群众", "是", "否"}

# What a column of hours done holds: the fields of a profile that it tells. A bare 已完成学时 is counted as 集中培训, and a note says so.
_HELD: dict[str, tuple[str, ...]] = {
    "": (),
    "hours_done": ("hours_done",),
    "online_hours_done": ("online_hours_done",),
    "five_year_hours_done": ("five_year_hours_done",),
    "hours_by_way": ("hours_done", "online_hours_done"),
    "hours_by_way_turned": ("hours_done", "online_hours_done"),
    "hours_untold": ("hours_done",),
}
_BY_WAY = ("hours_by_way", "hours_by_way_turned", "hours_untold")
_OF_HOURS = re.compile(rf"[学课]时|hours|已完成(?:\W*(?:{cells.WAY.pattern}))+\W*$")
_NOT_DONE = re.compile("应|须|需|未|可|剩余|差|欠|任务|计划|要求|标准|目标|指标|规定|率|比|达标|是否|排名|课程")
_FIVE_YEARS = re.compile(r"五年|(?<!\d)5年|five_year")
_NOT_THIS_YEAR = re.compile(r"(?<!\d)[2-46-9]年|[二两三四六七八九十]年|20\d\d\D{1,3}20\d\d|上一?年|去年|往年|历年")


def read_roster(
    sheets: Sequence[Sheet],
    lexicon: Lexicon,
    today: tuple[int, int] | None = None,
    corrected: Mapping[str, str] = MappingProxyType({}),
) -> Reading[Profile]:
    """Read the people of a roster. ``corrected`` are headers and the fields a planner says they are (see :mod:`model.files.mapping`).

    ``today`` (year, month) turns 任现职时间 into years; without it the 填报日期 around the table is taken, and without that the
    years stay unknown, because the same file must give the same answer tomorrow. Raises TableError where there is no roster.
    """
    account = Account()
    endings = ("", "成绩", "得分", "分数", "测试", "测试成绩", "考试成绩")
    scores = {word + ending: f"score:{name}" for word, name in lexicon.named.items() for ending in endings}
    tables = tables_in(sheets, COLUMNS, NEEDED, account, "名册", scores, corrected=corrected)
    people: dict[tuple[str, ...], Profile] = {}
    places: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    guessed = 0
    for table in tables:
        reader = _RowReader(lexicon, account, today or _stated_date(table))
        reader.of_five = _of_five(table)
        reader.done = _columns_of_hours_done(table, account)
        for number, row in table.rows:
            profile = reader.profile(row)
            if profile is None:
                account.rejected += 1
                continue
            given = text_of(row, "person_id")
            given = "" if SCRUBBED in given else given  # An ID card or a phone number is nobody's 工号 here.
            key = ("id", bare(given)) if given else ("name", profile.name or "", profile.unit or "", profile.post or "")
            known = people.get(key)
            if known is None:
                people[key] = replace(
                    profile, id=_identity(given or text_of(row, "serial"), table.sheet, number, taken)
                )
                places[key] = f"{table.sheet}!{number}"
                taken.add(people[key].id)
            elif known.name and profile.name and known.name != profile.name:
                account.rejected += 1
                account.fault(row["person_id"][0], f"工号与 {places[key]} 行重复，但姓名不同", "请核对两人的工号")
            else:
                # One person over several rows (one lack a row, or listed on two sheets) is one profile.
                people[key] = _merge(known, profile)
                account.skipped["同一人的其他行"] += 1
        guessed += reader.guessed
    if people and not any(person.weaknesses or person.scores for person in people.values()):
        account.notes.append("没有读到任何人的短板，只能按岗位推荐；短板一列的表头可写“短板”“培训需求”“存在不足”等。")
    unranked = sum(person.level is None for person in people.values())
    if unranked:
        account.notes.append(f"{unranked} 人看不出层级，未按层级筛选课程；可补一列“职务层次”。")
    if guessed:
        account.notes.append(f"{guessed} 人未填层级，已按职务推断。")
    return account.reading(tuple(people.values()), sheets)


class _RowReader:
    """Reads the rows of one table; keeps the row above for 同上."""

    def __init__(self, lexicon: Lexicon, account: Account, today: tuple[int, int] | None) -> None:
        self.lexicon, self.account = lexicon, account
        self.above: dict[tuple[str, str], str] = {}
        self.lacks_above: dict[str, tuple[str, ...]] = {}
        self.guessed = 0
        self.of_five: dict[str, bool] = {}
        self.done: dict[tuple[str, str], str] = {}
        number = ("不是学时数", "可写“60”或“60学时”，没有参加的写“0”")
        numbers = ("看不出各是多少学时", "可写“60/32”（线下/网络）或“线下60，网络32”")
        self.schema = Schema.from_dict(
            {
                "level": CellField(self._level, "不认识的层级", "可写“县处级正职”“乡科级副职”“四级主任科员”等"),
                "rank": CellField(self._level, "不认识的职级", "可写“三级调研员”“四级主任科员”等"),
                "since": CellField(
                    lambda text: cells.years_since(text, today), "不是日期或年限", "可写“2023.03”“2023年3月”或“3年”"
                ),
                "hours": CellField(cells.hours, "不是学时数", "可写“24”或“24学时”，不限可写“不限”"),
                "hours_done": CellField(cells.hours_done, *number),
                "online_hours_done": CellField(cells.hours_done, *number),
                "five_year_hours_done": CellField(
                    lambda text: cells.hours_done(text, cells.MOST_FIVE_YEAR_HOURS), *number
                ),
                "hours_by_way": CellField(cells.hours_by_way, *numbers),
                "hours_by_way_turned": CellField(lambda text: cells.hours_by_way(text, screen_first=True), *numbers),
                "hours_untold": CellField(cells.hours_by_way, *numbers),
            }
        )()

    def _level(self, text: str) -> int | None:
        if cells.is_nothing(text):
            return None
        level = self.lexicon.level_of(text)
        if level is None and _UNRANKED.search(text):
            return None
        if level is None:
            raise ValueError(text)
        return level

    def profile(self, row: Row) -> Profile | None:
        """Turn one row into a profile (its id is given later); None where nobody is named."""
        row = {field: tuple(self._not_ditto(field, cell) for cell in found) for field, found in row.items()}
        name = re.sub(r"(?<=[㐀-鿿])\s+(?=[㐀-鿿])", "", text_of(row, "name"))
        if not name and not text_of(row, "person_id"):
            cell = row.get("name", row.get("person_id", ()))[0]
            self.account.fault(cell, "缺少姓名（或工号），这一行没有读取", "请补上姓名；若是说明文字，请移到表格之外")
            return None
        done = {self.done.get((cell.header, cell.written), ""): (cell,) for cell in row.get("done_hours", ())}
        loaded = load_row(self.schema, {**row, **done}, self.account)
        in_room, on_screen = next((loaded[name] for name in _BY_WAY if loaded.get(name)), (None, None))
        unit, post = self._unit_and_post(row)
        level = self._level_stated(loaded, unit, post)
        stated_duty = _DUTY_IN_BRACKETS.search(post or "")
        duties = [text_of(row, "duty"), stated_duty[1] if stated_duty else ""]
        scores, score_rows = [], [field for field in row if field.startswith("score:")]
        for field in score_rows:
            value = self._score(row[field][0], self.of_five.get(field, True))
            if value is not None:
                scores.append((field.removeprefix("score:"), value))
        ticked = [cell.header for cell in row.get("restricted", ()) if cells.half_width(cell.text).lower() in cells.YES]
        remarks = "；".join([text_of(row, "note"), text_of(row, "hours"), *ticked])
        return Profile(
            id="",
            name=name or None,
            unit=unit,
            post=post,
            level=level,
            duty="；".join(filter(None, duties)) or None,
            years_in_post=loaded.get("since"),
            weaknesses=self._weaknesses(row),
            scores=tuple(sorted(scores)),
            completed=tuple(
                dict.fromkeys(part for cell in row.get("completed", ()) for part in cells.several(cell.text))
            ),
            hours_available=loaded.get("hours"),
            hours_done=loaded.get("hours_done", in_room),
            online_hours_done=loaded.get("online_hours_done", on_screen),
            five_year_hours_done=loaded.get("five_year_hours_done"),
            restrictions=cells.restrictions(remarks),
        )

    def _not_ditto(self, field: str, cell: Cell) -> Cell:
        """Resolve a cell that only says 同上; remember the text for the row below."""
        if field == "weakness":
            return cell
        if cells.is_ditto(cell.text):
            return replace(cell, text=self.above.get((field, cell.written), ""))
        self.above[field, cell.written] = cell.text
        return cell

    def _unit_and_post(self, row: Row) -> tuple[str | None, str | None]:
        unit, post = split_unit_post(text_of(row, "unit_post"))
        unit, section = text_of(row, "unit") or unit or "", text_of(row, "section")
        if section and not cells.is_nothing(section) and section not in unit:
            unit += section
        posts = [text_of(row, "post") or post or "", text_of(row, "party_post")]
        if cells.half_width(text_of(row, "branch_secretary")) == "是":
            posts.append("支部书记")
        stated = (text for text in dict.fromkeys(posts) if not cells.is_nothing(text) and text not in _NO_POST)
        return (None if cells.is_nothing(unit) else unit), "、".join(stated) or None

    def _level_stated(self, loaded: dict[str, object], unit: str | None, post: str | None) -> int | None:
        """The 层级 column first, then 职级, then a rank in brackets of the post, then what the title itself tells.

        A post held for a time (挂职) tells nothing of the rank its holder brought along.
        """
        for field in ("level", "rank"):
            level = loaded.get(field)
            if isinstance(level, int):
                return level
        for bracket in _BRACKETS.findall(post or ""):
            level = self.lexicon.level_of(bracket)
            if level:
                return level
        own = "、".join(part for part in re.split("[、，,；;]", post or "") if not re.search("挂职|挂任", part))
        kinds = RANK_KINDS if _NOT_THE_PARTY.search(unit or "") else None
        level = self.lexicon.level_of(own, kinds, unit or "") if own or not post else None
        self.guessed += level is not None
        return level

    def _score(self, cell: Cell, of_five: bool) -> float | None:
        try:
            return cells.grade(cell.text, of_five)
        except ValueError:
            self.account.fault(cell, "不是成绩", "可写 0 到 100 的分数，或 优、良、中、差")
            return None

    def _weaknesses(self, row: Row) -> tuple[Weakness, ...]:
        stated: list[Weakness] = []
        for cell in row.get("weakness", ()):
            kind = next((kind for kind in ("知识空白", "经验盲区", "能力弱项") if kind in cell.header), None)
            texts: list[str] = []
            for text in cells.several(cell.text):
                if not cells.is_ditto(text):
                    texts.append(text)
                elif cell.written in self.lacks_above:
                    texts += self.lacks_above[cell.written]
                else:
                    self.account.fault(cell, "“同上”之上没有内容", "请写出具体的短板")
            if any(len(text) > LONGEST_TEXT for text in texts):
                self.account.fault(
                    cell, f"有一条短板过长（超过 {LONGEST_TEXT} 字），已略去", "请每条写一件事，用分号或换行分开"
                )
                texts = [text for text in texts if len(text) <= LONGEST_TEXT]
            self.lacks_above[cell.written] = tuple(texts)
            stated += [Weakness(text, kind, _source(cell.header, text)) for text in texts]
        return tuple({weakness.text: weakness for weakness in stated}.values())


def _source(header: str, text: str) -> str:
    if re.search(r"测试|测评|考试|得分|不及格", header + text):
        return "测试"
    return "本人自评" if re.search(r"自评|本人|需求|希望", header) else "组织评价"


def _stated_date(table: Table) -> tuple[int, int] | None:
    """The 填报日期 above or below the table, as (year, month)."""
    for line in table.around:
        match = re.search(r"(?:日期|时间|截至|截止)\D{0,3}(\d{4})\D(\d{1,2})(?!\d)", re.sub(r"\s+", "", line))
        if match and 1 <= int(match[2]) <= 12:
            return int(match[1]), int(match[2])
    return None


def _of_five(table: Table) -> dict[str, bool]:
    """Which score columns hold points of five: those without a larger number."""
    largest: dict[str, float] = {}
    for _, row in table.rows:
        for field, found in row.items():
            if field.startswith("score:") and re.fullmatch(r"\d+(?:\.\d+)?分?", found[0].text):
                largest[field] = max(largest.get(field, 0.0), float(found[0].text.removesuffix("分")))
    return {field: number <= 5 for field, number in largest.items()}


def _columns_of_hours_done(table: Table, account: Account) -> dict[tuple[str, str], str]:
    """Which columns tell hours done, by header, and what each holds. One that does not say is not read, nor two that say the same."""
    found = table.rows[0][1].get("done_hours", ()) if table.rows else ()
    held = [((cell.header, cell.written), _hours_held(cell)) for cell in found]
    if any("hours_done" in _HELD[kind] for _, kind in held if kind != "hours_untold"):
        # Beside 集中培训学时 a bare 已完成学时 is a sum.
        held = [(head, "" if kind == "hours_untold" else kind) for head, kind in held]
    told = Counter(name for _, kind in held for name in _HELD[kind])
    clear = {head: kind for head, kind in held if kind and all(told[name] == 1 for name in _HELD[kind])}
    unread = "”“".join(header for (header, written), _ in held if (header, written) not in clear)
    if unread:
        account.notes.append(
            f"“{unread}”列没有读作已完成学时，因为不是，或看不出是哪一种、哪一段时间的，或另有一列相同；"
            "请分列写“集中培训学时”“网络学时”（本年）和“五年累计学时”，每种一列。"
        )
    bare_ones = [header for (header, _), kind in clear.items() if kind == "hours_untold"]
    if bare_ones:
        account.notes.append(
            f"“{bare_ones[0]}”列没有写明集中培训还是网络，只写一个数的按本年集中培训学时计；可写“60/32”（线下/网络），或分成两列。"
        )
    return clear


def _hours_held(cell: Cell) -> str:
    """What a column of hours holds, a key of ``_HELD``; blank where it holds no hours done (应完成学时) or does not say which."""
    written = bare(cell.written)
    said = f"{cell.header} {written}"
    if not _OF_HOURS.search(said) or _NOT_DONE.search(cell.header[max(0, cell.header.rfind("已")) :]):
        return ""
    # The bare header first: 线下学时（含直播） is of one kind, and 已完成学时（线下/网络） tells its two in brackets only.
    ways = cell.header if cells.WAY.search(cell.header) else written
    room, screen = cells.ROOM.search(ways), cells.SCREEN.search(ways)
    if _FIVE_YEARS.search(said):
        return "" if screen else "five_year_hours_done"
    if _NOT_THIS_YEAR.search(said) or ("累计" in said and "年" not in said):
        return ""
    if room and screen:
        return "hours_by_way" if room.start() < screen.start() else "hours_by_way_turned"
    return "hours_done" if room else "online_hours_done" if screen else "hours_untold"


def _identity(given: str, sheet: str, number: int, taken: set[str]) -> str:
    """工号, or 序号 where there is none; the sheet's name or the row number makes it unique."""
    candidates = (given, f"{sheet}-{given}") if given else ()
    return next((identity for identity in candidates if identity not in taken), f"{sheet}!{number}")


def _merge(first: Profile, second: Profile) -> Profile:
    """Join two rows about one person: all that either tells; where both tell the same thing otherwise, the first."""
    weaknesses = {weakness.text: weakness for weakness in (*first.weaknesses, *second.weaknesses)}
    missing = {
        name: getattr(second, name)
        for name in (
            "name", "unit", "post", "level", "duty", "years_in_post", "hours_available", "hours_done", "online_hours_done", "five_year_hours_done",
        )
        if getattr(first, name) is None
    }  # fmt: skip
    return replace(
        first,
        **missing,
        weaknesses=tuple(weaknesses.values()),
        scores=tuple(sorted({**dict(second.scores), **dict(first.scores)}.items())),
        completed=tuple(dict.fromkeys((*first.completed, *second.completed))),
        restrictions=first.restrictions | second.restrictions,
    )
