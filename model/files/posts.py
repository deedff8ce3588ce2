"""单位及职务 in one cell -> unit and post: the grammar of how posts are written at the end of a line."""

from __future__ import annotations

import re

# A post as it ends 单位及职务: what qualifies it, the party or mass organ it is held in, the title, remarks in brackets.
_RANKED = "(?:[正副]?(?:厅局|县处|乡科|厅|处|科|股)级)?(?:[一二三四五六七八九十]级|正高级|副高级|高级|中级|初级)?"
# 县纪委 and 市人大 are units; 镇纪委 and 乡人大 are organs within one.
_ORGAN = (
    "(?:党委|党组|党工委|党总支|总支|党支部|支部|(?<=政府)[县市区省州]委|(?<![县市省州旗盟总])(?<![^社]区)"
    "(?:纪委|纪检组|纪检|纪工委|团委|工会|妇联|机关|行政|人大|政协|组织|宣传|宣统|统战|政法|武装|青年|妇女))"
)
_TITLE = (
    "(?:书记|主任委员|主委|主任|[局科处镇乡县市区省州部校院所站股组馆社台厂会园班村关庭行司厅]长|[支大中总小]?队长|秘书长|干事长|理事长|董事长|检察长|"
    "护士长|主席|主编|总编辑|编辑|编审|记者|理事|监事|董事|总经理|经理|总监|(?:巡视|巡察|监察|警务)?专员|督学|督察|政委|政治委员|"
    "委员|常委|代表|干事|文员|文书|秘书|主任科员|[科职警队馆教]员|(?:司法助理|驻村工作队|[一-龥][^科职警队馆教级委成人党学])员|"
    "警长|民警|法警|辅警|法官|检察官|教师|教授|讲师|(?:主任|主治|全科)?医师|护师|护士|技师|主办|主管|会计|出纳|"
    "[总副]*(?:高级|助理)?(?:工程|会计|经济|统计|农艺|规划|审计)师|负责人|负责同志|专干|班子成员|成员|驻村干部|包村干部|干部|"
    "选调生|大学生村官|社工|工作者|(?:工作|执法|窗口|聘用|编外|管理|财务)人员)(?:助理)?"
)
_REMARKS = r"(?:（[^）]*）|\([^)]*\)|主持(?:全面)?工作|试用期)*"
_ONE_POST = (
    rf"(?:挂职|挂任|代理|代|原|拟任)?{_RANKED}(?:(?:党委|党工委|党总支|支部)[一-龥]{{0,6}}委员|"
    rf"{_ORGAN}*(?:专职|兼职|常务|第一|驻村|执行|首席)*副?{_RANKED}{_TITLE}){_REMARKS}"
)
_POST_AT_END = re.compile(
    rf"{_ONE_POST}(?:(?<=成员|委员|书记|常委){_ONE_POST}|[兼及和][^、，,；;（(]{{0,20}}?{_TITLE}{_REMARKS})*$"
)
_LONGEST_POST, _LONGEST_TEXT = 80, 500
_UNIT_END = re.compile("[局科处所股站部院馆队厅县镇乡村区市省州办会委府室社司行厂团校]$|中心|集团|街道|大学")
# A blank inside a justified word (局  长) separates nothing.
_JUSTIFIED = re.compile(r"(?<=[一-龥])[ \u3000]+(?=[长任记员](?:$|[^一-龥]))")
_BRACKETED = re.compile(r"[（(][^）)]*[)）]")


def split_unit_post(text: str) -> tuple[str | None, str | None]:
    """Split 青石镇党委书记 into (青石镇, 党委书记). A blank before a post decides; without any title all of it is the unit."""
    text = _JUSTIFIED.sub("", text.strip())
    if not text or len(text) > _LONGEST_TEXT:
        return text or None, None
    blanks = list(re.finditer(r"\s+", _BRACKETED.sub(_hidden, text)))
    if blanks:
        # 县委组织部 干部科 科长: the first blank before what is nothing but posts; where there is none, the first.
        parts = [(text[: blank.start()], re.sub(r"\s+", "、", text[blank.end() :])) for blank in blanks]
        plain = (text[: blanks[0].start()], text[blanks[0].end() :])
        unit, post = next(((unit, post) for unit, post in parts if _post_begins(post) == 0), plain)
        return re.sub(r"\s+", "", unit), post.strip("、，, ")
    begin = _post_begins(text)
    if begin is None:
        return text, None
    unit, post = text[:begin], text[begin:].strip("、，, ")
    # 县财政局长 shares one character between unit and post.
    shared = re.match("副?([局科处所股站部院馆队厅县镇乡])长", post)
    if shared and unit and not _UNIT_END.search(_BRACKETED.sub("", unit)):
        unit += shared[1]
    if sent := re.match("挂职|挂任", unit):
        unit, post = unit[sent.end() :].lstrip("任"), post + "（挂职）"
    return unit or None, post


def _post_begins(text: str) -> int | None:
    """Where the first post begins: in the earliest part, up to a mark outside brackets, that ends in a post."""
    for end in [*(match.start() for match in re.finditer(r"[、，,；;/]", _BRACKETED.sub(_hidden, text))), len(text)]:
        found = _POST_AT_END.search(text, max(0, end - _LONGEST_POST), end)
        if found:
            # One character is no unit: 县纪委书记 belongs to 县纪委.
            organ = re.match(_ORGAN, found[0]) if found.start() == 1 else None
            return found.start() + (organ.end() if organ else 0)
    return None


def _hidden(match: re.Match[str]) -> str:
    return "※" * len(match[0])
