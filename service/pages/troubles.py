"""A problem on a page is a page: what happened and the way on, in words for whoever sits there, in place of JSON for systems."""

from __future__ import annotations

import json

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask_babel import gettext

from service.pages.addresses import page_of_form
from service.store.roles import ROLE_NAMES
from service.wire.access import needed
from service.wire.cookies import STALE
from service.wire.errors import PROBLEMS
from service.wire.languages import marked

PROBLEM = "application/problem+json"

# What happened, and what to do where nothing more is known, in words for people: those of the interface name members and headers.
WORDS = {
    400: (marked("这一页已经失效"), STALE),
    403: (marked("权限不够"), marked("请向管理员申请相应的角色。")),
    404: (marked("没有这一页"), marked("地址可能写错了，或这一页已经不在。请从上面的菜单进入。")),
    405: (marked("这一页不能这样打开"), marked("它只在提交表单时才有。请从上面的菜单重新进入。")),
    409: (marked("没有做成"), marked("情况已经变了；请返回上一页，刷新后再看。")),
    413: (marked("文件太大"), marked("请分成几份，一份一份地来。")),
    415: (marked("没有做成"), marked("浏览器送来的内容看不懂；请返回上一页，刷新后重试。")),
    422: (marked("没有做成"), marked("填写的内容有误；请返回上一页，改好再试。")),
    429: (marked("操作太频繁"), marked("请稍等一会儿再试。")),
    500: (marked("系统出了问题"), marked("请稍后重试；若仍然出现，请联系管理员。")),
    503: (marked("暂时不能使用"), marked("请稍后重试。")),
    507: (marked("存储空间不足"), marked("服务器的磁盘已满，没有保存；请联系管理员。")),
}
OTHER = (marked("没有做成"), marked("请返回上一页，刷新后重试。"))
# What is no longer there belongs to a page that lists what is; by the part of the console.
ABOVE = {
    "plan": ("plan.show", marked("补什么")),
    "variant": ("plan.show", marked("补什么")),
    "saved": ("saved.listed", marked("保存的方案")),
    "waiting": ("roster.show", marked("花名册")),
    "courselist": ("courselist.show", marked("课程目录")),
    "curating": ("curating.said", marked("人工调整")),
    "trainings": ("versions.listed", marked("版本")),
    "versions": ("versions.listed", marked("版本")),
}
GONE = marked("没有找到")  # A page that exists, of something that does not.


def init_troubles(app: Flask) -> None:
    """Answer who asked for a page with one, and a part of a page with its words. What asks for JSON, and every address of the interface, gets the
    problem as it is."""

    @app.after_request
    def _as_page(response: Response) -> Response:
        if response.mimetype != PROBLEM or request.path.startswith("/api/"):
            return response
        if "HX-Request" in request.headers:
            title, detail = _in_words(response)
            response.set_data(json.dumps(response.get_json() | {"title": title, "detail": detail}, ensure_ascii=False))
            return response
        if request.accept_mimetypes.best_match([PROBLEM, "text/html"], default=PROBLEM) != "text/html":
            return response
        title, detail = _in_words(response)
        page = render_template("trouble.html", title=title, detail=detail, back=_back(response), number=g.request_id)
        response.set_data(page)
        response.mimetype = "text/html"
        return response


def _in_words(response: Response) -> tuple[str, str]:
    """What is told of a problem: its own sentence where a page or the model wrote one, else what people can do about its kind."""
    status, told = response.status_code, response.get_json()["detail"]
    title, remedy = WORDS.get(status, OTHER)
    known = PROBLEMS.get(status)
    if status == 403 and request.endpoint:
        role, _ = needed(current_app, request.endpoint)  # type: ignore[arg-type]
        if role is not None and not (g.principal and g.principal.role.covers(role)):
            told = gettext("打开这一页需要“%(role)s”角色；请向管理员申请。", role=gettext(ROLE_NAMES[role]))
            return gettext(title), told
    if status == 413:
        most = (request.max_content_length or 0) // 2**20
        return gettext(title), gettext("最多 %(most)s MB。", most=most) + gettext(remedy)
    if known is None or told == known.remedy:
        return gettext(title), gettext(remedy)
    return gettext(GONE if status == 404 else title), gettext(told)


def _back(response: Response) -> tuple[str, str] | None:
    """Where to go on, and in what words; None where the first page alone is left."""
    if response.status_code == 404 and request.blueprint in ABOVE:
        endpoint, words = ABOVE[request.blueprint]
        return url_for(endpoint), gettext("回到“%(page)s”", page=gettext(words))
    page = page_of_form() if request.method == "POST" or response.status_code == 405 else url_for("landing.index")
    return (page, gettext("回到填写的那一页")) if page != url_for("landing.index") else None
