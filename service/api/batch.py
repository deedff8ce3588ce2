"""Up to 20,000 profiles a request, as JSON or NDJSON; a record that cannot be used fails alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Any

from apiflask import APIBlueprint
from flask import Response, current_app, request
from marshmallow import RAISE, fields

from service.api.recommendations import LimitsIn, limits_of, recommender_of
from service.batch import answers, as_lines, as_list, lines_in, lines_of, records_of
from service.errors import problem
from service.fields import Door
from service.jsonl import parse

bp = APIBlueprint("batch", __name__, url_prefix="/api/v1", tag="recommendations")

NDJSON = "application/x-ndjson"


class BatchOut(Door):
    """An answer for each record, in the order given."""

    model_version = fields.String()
    results = fields.List(fields.Raw())  # PlanOut or FailedOut; see service/openapi.py.


@bp.post("/recommendations/batch")
@bp.input(LimitsIn, location="query", arg_name="query", unknown=RAISE)
@bp.output(BatchOut)
@bp.doc(
    summary="为许多人推荐课程",
    description=(
        'application/json：`{"profiles": [...]}`，答复为 `{"model_version", "results": [...]}`；application/x-ndjson：每行一个人，答复也每行一条。'
        '读不懂的一条单独失败，写作 `{"index", "id", "error"}`，其余照常。请求体先完整收下再逐批计算，边算边答。'
    ),
    operation_id="recommend_batch",
    responses=[422, 503],
)
def recommend_batch(query: dict[str, Any]) -> Any:
    """One record out for each record in."""
    request.max_content_length = current_app.config["MAX_BATCH_MB"] * 2**20
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
        file.seek(0)
        values: Iterable[Any]
        if lines:
            # A line may be as long as the body of a request for one person.
            longest = current_app.config["MAX_BODY_MB"] * 2**20
            count = sum(1 for _ in lines_in(file, longest))
            file.seek(0)
            values = _read_once(file, longest)
        else:
            try:
                body = parse(file.read().decode("utf-8-sig"))
            except UnicodeDecodeError:
                return problem(400, "请求内容不是 UTF-8 编码；请以 UTF-8 提交。")
            except ValueError as error:
                return problem(400, f"请求内容{error}。")
            if not (isinstance(body, dict) and set(body) == {"profiles"} and isinstance(body["profiles"], list)):
                return problem(422, '请求内容应为 {"profiles": [...]}，其中每一项是一个人。')
            file.close()
            values, count = body["profiles"], len(body["profiles"])
        if not count:
            return problem(422, "没有一个人可以推荐；请填写 profiles，或每行写一个人。")
        if count > most:
            return problem(422, f"一次应提交 1 到 {most} 人，现为 {count} 人；请分几次提交。")
        found = answers(records_of(values, recommender), recommender, limits, query["explain"])
        stream = as_lines(found) if lines else as_list(found, recommender.version)
        response = Response(stream, mimetype=NDJSON if lines else "application/json")
        response.call_on_close(stack.pop_all().close)
        return response


def _read_once(file: IO[bytes], longest: int) -> Iterator[Any]:
    """The values of a file that is closed after the last of them, though a caller may never close the answer."""
    with file:
        yield from lines_of(file, longest)
