"""Up to 20,000 profiles a request, as JSON or NDJSON; a record that cannot be used fails alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

from apiflask import APIBlueprint
from flask import Response, current_app, request
from marshmallow import RAISE, fields

from service.api.jobs import ACCEPTED, PreferIn, later, prefers_later
from service.api.recommendations import LimitsIn, limits_of, recommender_of
from service.batch import NDJSON, answers, as_lines, as_list, records_of, values_in
from service.cohorts import asked_of
from service.shapes.fields import Door
from service.shapes.listed import MOST_COUNTED, NotListed, TooLong
from service.store.pieces import SIZE
from service.store.roles import Role
from service.wire.access import allows
from service.wire.errors import problem
from service.wire.metrics import metrics_now

bp = APIBlueprint("batch", __name__, url_prefix="/api/v1", tag="recommendations")


class BatchOut(Door):
    """An answer for each record, in the order given."""

    model_version = fields.String()
    results = fields.List(fields.Raw())  # PlanOut or FailedOut; see service/wire/openapi.py.


@bp.post("/recommendations/batch")
@allows(Role.READER, cost=100, body="MAX_BATCH_MB", slow=True)
@bp.input(LimitsIn, location="query", arg_name="query", unknown=RAISE)
@bp.input(PreferIn, location="headers", arg_name="headers")
@bp.output(BatchOut)
@bp.doc(
    summary="为许多人推荐课程",
    description=(
        'application/json：`{"profiles": [...]}`，答复为 `{"model_version", "results": [...]}`；application/x-ndjson：每行一个人，答复也每行一条。'
        '读不懂的一条单独失败，写作 `{"index", "id", "error"}`，其余照常。请求体先完整收下再逐批计算，边算边答。带 Prefer: respond-async 时成为任务（202），需要 planner 角色。'
    ),
    operation_id="recommend_batch",
    responses={202: ACCEPTED, 422: {}, 503: {}},
)
def recommend_batch(query: dict[str, Any], headers: dict[str, Any]) -> Any:
    """One record out for each record in."""
    lines = request.mimetype == NDJSON
    if not lines and not request.is_json:
        return problem(415, f"请用 Content-Type: application/json 或 {NDJSON}，以 UTF-8 编码提交。")
    recommender, limits, most = recommender_of(query), limits_of(query), current_app.config["MAX_BATCH"]
    with ExitStack() as stack:
        # The answer is longer than the question: were it sent while the question still comes, both sides could wait for each other. The file
        # has no name, and is gone when the request ends, however it ends.
        file = stack.enter_context(TemporaryFile())
        while part := request.stream.read(1 << 16):
            file.write(part)
        # One person may be as long as the body of a request for one.
        longest = current_app.config["MAX_BODY_MB"] * 2**20
        try:
            count, values = values_in(file, longest, lines=lines)
        except UnicodeDecodeError:
            return problem(400, "请求内容不是 UTF-8 编码；请以 UTF-8 提交。")
        except ValueError as error:
            return problem(400, f"请求内容{error}。")
        except NotListed:
            return problem(422, '请求内容应为 {"profiles": [...]}，其中每一项是一个人。')
        except TooLong:
            return problem(413, f"其中有一人的内容超过 {longest // 2**20} MB；请检查这一条。")
        if not count:
            return problem(422, "没有一个人可以推荐；请填写 profiles，或每行写一个人。")
        if count > most:
            told = f"{count} 人" if count <= MOST_COUNTED else f"{MOST_COUNTED} 人以上"
            return problem(422, f"一次应提交 1 到 {most} 人，现为 {told}；请分几次提交。")
        if prefers_later():
            asked = asked_of(limits) | {"explain": query["explain"], "lines": lines, "longest": longest}
            file.seek(0)
            return later("batch", asked, recommender.version, count, {"people": iter(partial(file.read, SIZE), b"")})
        records = records_of(_read_once(file, values), recommender)
        found = metrics_now().counting(answers(records, recommender, limits, query["explain"]))
        stream = as_lines(found) if lines else as_list(found, recommender.version)
        response = Response(stream, mimetype=NDJSON if lines else "application/json")
        response.call_on_close(stack.pop_all().close)
        return response


def _read_once(file: IO[bytes], values: Iterator[Any]) -> Iterator[Any]:
    """The values of a file that is closed after the last of them, though a caller may never close the answer."""
    with file:
        yield from values
