"""审计日志: who changed or exported what, the newest first, and whether the log is whole. What ``quebu audit`` does, on a page."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext

from service.store import audit
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.languages import marked

bp = Blueprint("auditing", __name__)

SHOWN = 100  # Rows on a page.
CHECKED_UNASKED = 20_000  # Up to so many rows the log is checked whenever it is opened: that takes a moment.

ACTIONS = {
    "account.create": marked("建立账号"),
    "account.disable": marked("停用账号"),
    "account.enable": marked("启用账号"),
    "account.password": marked("重设密码"),
    "audit.export": marked("查看或导出审计日志"),
    "feedback.add": marked("记下反馈"),
    "feedback.export": marked("导出反馈"),
    "gap_state.export": marked("查看短板的状态"),
    "job.cancel": marked("取消任务"),
    "job.create": marked("提交任务"),
    "job.export": marked("取走任务结果"),
    "job.forget": marked("删除任务和结果"),
    "key.create": marked("发放密钥"),
    "key.revoke": marked("吊销密钥"),
    "model.activate": marked("启用版本"),
    "model.rollback": marked("退回版本"),
    "model.roster": marked("更换核对名册"),
    "login": marked("登录"),
    "login.local": marked("开始本机会话"),
    "login.refused": marked("登录失败"),
    "logout": marked("退出登录"),
    "override.add": marked("添加调整"),
    "override.revert": marked("撤销调整"),
    "person.erase": marked("抹去一个人"),
    "plan.delete": marked("删除方案"),
    "plan.erase_names": marked("抹去方案中的姓名"),
    "plan.expire": marked("方案到期删除"),
    "plan.read": marked("打开方案"),
    "plan.save": marked("保存方案"),
}


@bp.get("/admin/audit")
@allows(Role.ADMIN, cost=10)
def show() -> str:
    """A page of the log. That it was read is a row as well, as it is over the interface."""
    told = request.args.get("before", "")
    with store().writing() as connection:
        mark = audit.last(connection) or "0"
        end = int(mark.partition(":")[0])
        before = min(int(told), end + 1) if told.isdecimal() and len(told) < 16 else end + 1
        # The rows are numbered without a hole, so that those before a number are those after another.
        found = audit.entries(connection, max(0, before - 1 - SHOWN), min(SHOWN, max(0, before - 1)))
        audit.record(
            store(), connection, by(), "audit.export", "audit", after=max(0, before - 1 - SHOWN), rows=len(found)
        )
    checked = end <= CHECKED_UNASKED or "check" in request.args
    return render_template(
        "admin/audit.html",
        entries=found[::-1],
        words={action: gettext(words) for action, words in ACTIONS.items()},
        older=found[0].id if found and found[0].id > 1 else None,
        newest=before > end,
        total=end,
        checked=checked,
        broken=audit.broken(store()) if checked else None,
        mark=mark,
    )
