"""Who changed or exported what: the audit log, page by page. What ``quebu audit export`` does, over HTTP."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE, fields

from service.shapes.fields import WHOLE, Door, between
from service.store import audit
from service.store.roles import Role
from service.wire.access import allows, by, store

bp = APIBlueprint("audit", __name__, url_prefix="/api/v1", tag="audit")

LAST = 2**53  # Up to here a number is the same in every reader of JSON.


class AfterIn(Door):
    """Which part of the log."""

    cursor = fields.Integer(
        load_default=0,
        error_messages={"invalid": WHOLE},
        validate=between(0, LAST),
        metadata={"description": "上一页的 next；不给则从头开始"},
    )
    # Each page read is one more row; pages of one row would never come to an end.
    limit = fields.Integer(load_default=100, error_messages={"invalid": WHOLE}, validate=between(10, 1000))


class DoneOut(Door):
    """One row of the log."""

    id = fields.Integer()
    at = fields.String()
    actor = fields.String(
        metadata={"description": "key:编号、account:用户名、command:系统用户 或 local；登录失败时为空"}
    )
    action = fields.String()
    object = fields.String()
    detail = fields.Dict()
    address = fields.String()
    request_id = fields.String()


class AuditOut(Door):
    """A page of the log, oldest first."""

    entries = fields.List(fields.Nested(DoneOut))
    next = fields.Integer(allow_none=True, metadata={"description": "下一页的 cursor；没有下一页时为 null"})


@bp.get("/audit")
@allows(Role.ADMIN)
@bp.input(AfterIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(AuditOut)
@bp.doc(summary="审计日志", description="每次读取本身也记入日志。", operation_id="audit", responses=[422])
def entries(query: dict[str, Any]) -> Any:
    """The rows after a number. That they were read is a row as well."""
    after, most = query["cursor"], query["limit"]
    with store().writing() as connection:
        found = audit.entries(connection, after, most + 1)
        page = found[:most]
        audit.record(store(), connection, by(), "audit.export", "audit", after=after, rows=len(page))
    return {"entries": [done._asdict() for done in page], "next": page[-1].id if len(found) > most else None}
