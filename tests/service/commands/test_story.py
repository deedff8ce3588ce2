from __future__ import annotations

from model.domain import Candidate, Cause, Course, Gap, Part, Plan, Profile, Reason, Unmet
from model.explanation import explain
from service.commands.story import story

SPEECH = Gap("怕讲话", "当众讲话", Reason.LACK, "能力弱项", "组织评价", 1.0)
WRITING = Gap("公文写作", "公文写作", Reason.DUTY, None, "岗位要求", 0.5)
SECRETS = Gap("保密工作", "保密工作", Reason.DUTY, None, "岗位要求", 0.4)

REQUIRED = (
    Candidate(Course("K1", "理论通讲", hours=2.0, required=True), ()),
    Candidate(Course("K2", "保密必修", hours=1.5, required=True), (Part(SECRETS, 0.9),)),
)
RANKED = Candidate(Course("K3", "讲话训练", mode="线下讲授", hours=3.0), (Part(SPEECH, 0.8),))


def plan(*candidates: Candidate, gaps: tuple[Gap, ...] = (), unmet: tuple[Unmet, ...] = ()) -> Plan:
    person = Profile("P1", "韩立秋", "青溪镇政府", "副镇长")
    return Plan(person, gaps, tuple(map(explain, candidates)), unmet, {}, "v0001")


def test_the_required_courses_of_a_person_share_one_paragraph():
    lines = story(plan(*REQUIRED, RANKED, gaps=(SPEECH, WRITING, SECRETS))).splitlines()
    assert lines[:5] == [
        "■ 韩立秋（青溪镇政府 副镇长）",
        "  短板：怕讲话（归入“当众讲话”）",
        "  岗位需要：公文写作、保密工作",
        "  ▸ 必修 2 门（3.5 学时）：《理论通讲》、《保密必修》",
        "      其中《保密必修》也对应“保密工作”。",
    ]
    assert lines[5] == "  ▸ 《讲话训练》（线下讲授，3 学时）"
    assert lines[6].strip() == explain(RANKED).reasons[0].text


def test_a_gap_that_stays_open_says_why_and_what_to_do():
    (line,) = [
        line
        for line in story(plan(gaps=(WRITING,), unmet=(Unmet(WRITING, Cause.NO_COURSE),))).splitlines()
        if "✕" in line
    ]
    assert line.startswith("  ✕ 公文写作：目录无课。")
    assert "缺课清单" in line


def test_hours_that_nobody_stated_are_not_counted_as_none():
    open_ended = Candidate(Course("K4", "自学", required=True), ())
    assert "必修 3 门（3.5 学时，另有学时待定）" in story(plan(*REQUIRED, open_ended))
    assert "《自学》（学时待定）" in story(plan(Candidate(Course("K5", "自学"), (Part(SPEECH, 0.8),))))


def test_a_title_within_a_title_takes_the_inner_marks():
    course = Candidate(Course("K6", "通读《准则》", hours=1.0), (Part(SPEECH, 0.8),))
    assert "▸ 《通读〈准则〉》（1 学时）" in story(plan(course))


def test_a_person_of_whom_nothing_is_known_is_asked_for_more():
    assert "请补充后再推荐" in story(plan())
    assert story(Plan(Profile("P1"), (), (), (), {}, "v0001")).startswith("■ P1\n")
