"""A guided first run on the sample roster: what to look at on this page, and what to click next. It can be put away, and called back."""

from __future__ import annotations

from typing import NamedTuple

from flask import request, session, url_for
from flask_babel import gettext

from service.pages import desk
from service.wire.languages import marked

AWAY = "guide_away"
CLEARING = "roster.clear"


class Hint(NamedTuple):
    """What is said on one page: the step of the guide and what to look at; the words of a button and where it leads (blank where what is next is a
    button of the page itself), and whether it is sent there as a form."""

    step: int
    look: str
    next: str
    address: str
    sent: bool


# By the route of the page: the step, what to look at, what to click, and the route that this leads to; None where it is on the page itself.
HINTS: dict[str, tuple[int, str, str | None, str | None]] = {
    "roster.show": (
        1,
        marked(
            "这是样例名册读出来的样子。看三处：上面一行说读了多少行，下面写明哪些隐私列没有读；“表头读作什么”可以改选；最下面的表是读到的人。样例可以直接用，不必改。"
        ),
        marked("下一步：看缺什么"),
        "diagnosis.show",
    ),
    "diagnosis.show": (
        2,
        marked(
            "先看热力图：颜色越深，这个单位或层级的这项能力缺的人越多，点一个数字看是哪些人。再看“共性需求”，它们宜排进班次一起补。"
        ),
        marked("下一步：排方案"),
        "plan.show",
    ),
    "diagnosis.people": (
        2,
        marked("点一个姓名，看这个人缺什么、推荐学什么、为什么。"),
        marked("下一步：排方案"),
        "plan.show",
    ),
    "diagnosis.person": (
        2,
        marked(
            "每门课都写明理由：“岗位”是干什么学什么，“短板”是缺什么补什么；条形越长，这条理由占的分越多。可以采纳、不采纳或换课。"
        ),
        marked("下一步：排方案"),
        "plan.show",
    ),
    "plan.show": (
        3,
        marked("班次和学时已按常用条件填好。点下面的“开始排”，几秒钟就有一个方案；以后再按您的要求改。"),
        None,
        None,
    ),
    "variant.show": (
        3,
        marked(
            "看三处：补上了多少，谁漏下了、为什么，“缺课清单”里目录没有的课。可以移出、排入一门课，看少补、多补多少。满意了就点“保存方案”；样例方案随时可以删除。"
        ),
        None,
        None,
    ),
    "saved.show": (
        4,
        marked("方案已经留存。点“下载 Excel”，到这里就走完了一遍。各单位名单、A4 打印也在这里。换成您自己的名册，再来一次。"),
        marked("清空样例，换成自己的名册"),
        CLEARING,
    ),
    "saved.listed": (
        4,
        marked("保存的方案都在这里。点一个，可以下载 Excel、打印、抹去姓名或删除。换成您自己的名册，再来一次。"),
        marked("清空样例，换成自己的名册"),
        CLEARING,
    ),
}  # fmt: skip


def begin() -> None:
    """Guide whoever takes the sample, also one who put the guide away before."""
    session.pop(AWAY, None)


def put_away() -> None:
    """Guide nobody in this browser any more, until the sample is taken anew."""
    session[AWAY] = True


def hint() -> Hint | None:
    """What the guide says on the page that is asked for; None where the sample does not lie on the desk, or the guide was put away."""
    told = HINTS.get(request.endpoint or "")
    if told is None or session.get(AWAY):
        return None
    roster = desk.take("roster")
    if not (roster and roster.get("sample")):
        return None
    step, look, following, endpoint = told
    if following is None or endpoint is None:
        return Hint(step, gettext(look), "", "", sent=False)
    return Hint(step, gettext(look), gettext(following), url_for(endpoint), sent=endpoint == CLEARING)
