"""Who of many lacks what, before anything is recommended or planned: heat maps, common and individual needs, where the evidence comes from."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE, fields

from model.cohort.diagnosis import COMMON_SHARE
from model.domain import Cause
from model.errors import InputError
from service.api.body import documents_body
from service.api.cohorts import UPLOADED, PeopleIn, as_job, is_large, people_alone, reading_out, refused
from service.api.jobs import ACCEPTED, PreferIn
from service.api.recommendations import LimitsIn, limits_of, recommender_of
from service.api.uploads import read_body
from service.cohorts import JSON, asked_of, diagnosis_as_json
from service.shapes.diagnosis import AXES
from service.shapes.fields import Door, Number, between, both, one_of
from service.shapes.schemas import GapOut
from service.store.roles import Role
from service.wire.access import allows
from service.wire.metrics import metrics_now

bp = APIBlueprint("lacking", __name__, url_prefix="/api/v1", tag="cohorts")
bp.before_request(read_body)


class LackingIn(LimitsIn):
    """Query parameters of a diagnosis: no list is asked for, so none is cut short."""

    class Meta:
        """Settings of marshmallow."""

        exclude = ("top", "explain")

    common = Number(
        load_default=COMMON_SHARE,
        validate=between(0, 1),
        metadata={"description": "占多少人以上（且不少于 3 人）算共性需求，0 到 1"},
    )
    as_of = fields.Date(
        load_default=None,
        error_messages={"invalid": both("应为日期，如 2026-11-01", "Must be a date.")},
        metadata={"description": "名册中任职年限算到何时；默认取名册的填报日期"},
    )


class RowOut(Door):
    """A row of a heat map."""

    name = fields.String()
    people = fields.Integer()
    total = fields.Integer()
    counts = fields.List(fields.Integer(), metadata={"description": "按 columns 的次序"})


class MapOut(Door):
    """Gaps by unit or level and competency."""

    axis = fields.String(validate=one_of(AXES))
    columns = fields.List(fields.String())
    rows = fields.List(fields.Nested(RowOut))


class NeedOut(Door):
    """What several people lack."""

    need = fields.String()
    people = fields.Integer()
    share = fields.Float(metadata={"description": "占全部人数的比例，0 到 1"})
    units = fields.Integer()
    served = fields.Integer(metadata={"description": "其中有课可上的人数"})
    lacks = fields.Integer(metadata={"description": "短板（缺什么补什么）的条数"})
    duties = fields.Integer(metadata={"description": "岗位需要（干什么学什么）的条数"})
    common = fields.Boolean(metadata={"description": "true 共性需求，false 个性需求"})
    step = fields.String(metadata={"description": "可以怎么办"})
    texts = fields.List(fields.String())


class EvidenceSourceOut(Door):
    """Where evidence comes from."""

    source = fields.String()
    gaps = fields.Integer()
    people = fields.Integer()


class LackOut(GapOut):
    """A gap, and why no course would close it."""

    kind = fields.String(allow_none=True)
    cause = fields.String(
        allow_none=True,
        validate=one_of(tuple(cause.value for cause in Cause)),
        metadata={"description": "有课可上时为 null"},
    )


class LackingPersonOut(Door):
    """One person and what they lack."""

    id = fields.String()
    name = fields.String()
    unit = fields.String()
    post = fields.String()
    level = fields.String()
    gaps = fields.List(fields.Nested(LackOut))


class LackingOut(Door):
    """Who lacks what. The sums of the maps, the needs and the sources are those of the gaps."""

    model_version = fields.String()
    reading = reading_out()
    people = fields.Integer()
    gaps = fields.Integer()
    silent = fields.List(fields.String(), metadata={"description": "没有任何短板依据的人（编号），只能按岗位推荐"})
    maps = fields.List(fields.Nested(MapOut))
    needs = fields.List(fields.Nested(NeedOut))
    sources = fields.List(fields.Nested(EvidenceSourceOut))
    results = fields.List(fields.Nested(LackingPersonOut))


@bp.post("/cohorts/gaps")
@allows(Role.PLANNER, cost=100, body="MAX_BATCH_MB", slow=True)
@bp.input(LackingIn, location="query", arg_name="query", unknown=RAISE)
@bp.input(PreferIn, location="headers", arg_name="headers")
@documents_body(bp, PeopleIn)
@bp.output(LackingOut)
@bp.doc(
    summary="一批人缺什么",
    description="单位、层级与能力的热力图，共性和个性需求，依据的来源，每个人的短板。"
    + UPLOADED.format(others="", more="").replace("Accept 为 xlsx 的类型时，答复是与命令行相同的工作簿。", ""),
    operation_id="diagnose_cohort",
    responses={202: ACCEPTED, 422: {}, 503: {}},
)
def diagnose(query: dict[str, Any], headers: dict[str, Any]) -> Any:
    """Who lacks what."""
    recommender, limits = recommender_of(query), limits_of(query)
    try:
        sent, month = people_alone(recommender.lexicon, query["as_of"])
    except InputError as error:
        return refused(error)
    if is_large(sent):
        asked = asked_of(limits) | {"common": query["common"], "month": month}
        return as_job("gaps", asked, recommender.version, sent)
    metrics_now().count(len(sent.reading.values))
    content = diagnosis_as_json(recommender, sent.reading, limits, query["common"], from_file=sent.from_file)
    return Response(content, mimetype=JSON)
