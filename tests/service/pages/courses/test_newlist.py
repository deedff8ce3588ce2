"""上传新课程表: dropped, checked by cell, corrected, compared with the active catalog, and trained; nothing of it is kept before."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse

from model.versions.registry import Registry
from service import create_app
from service.store import jobs, logins
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from tests.service.api.test_course_lists import as_csv, changed, rows, state
from tests.service.pages.consoleforms import followed, send, words, work

NEW = "/course-list/new"
DATA = Path(__file__).parents[3] / "data"
FAULTY = "课程编号,课程名称,学时,电话\n1,公文写作,两,13800000000\n2,,3,\n3,应急处突,4,\n".encode()


@pytest.fixture
def own(own: dict[str, Any], registry: Path, tmp_path: Path) -> dict[str, Any]:
    """The session's version in a registry of its own."""
    shutil.copytree(registry, tmp_path / "registry")
    return {**own, "REGISTRY": str(tmp_path / "registry")}


def give(client: FlaskClient, content: bytes, name: str = "新学期.csv", **form: Any) -> TestResponse:
    return send(client, NEW, courses=(io.BytesIO(content), name), **form)


def selected(page: TestResponse, header: str) -> str:
    """The name of the select of a header."""
    found = re.search(rf'name="(header-\d+)" aria-label="“{header}”读作"', page.get_data(as_text=True))
    assert found
    return found[1]


def test_a_list_is_checked_and_compared_and_nothing_is_kept(caller: FlaskClient, own: dict[str, Any]):
    before = state(own)
    page = followed(caller, give(caller, changed()))
    assert "核对：新学期.csv" in page
    assert "与现用目录（版本 v0001）比较" in page
    for words_ in ("新增（1）", "删除（1）", "改名（1）", "学时变化（1）", "扎口子工作实务", "（修订）", "更新率"):
        assert words_ in page
    assert state(own) == before
    assert not caller.get("/api/v1/jobs").get_json()["jobs"]


def test_every_fault_is_told_by_its_cell_and_in_the_annotated_workbook(caller: FlaskClient):
    page = followed(caller, give(caller, FAULTY))
    for told in ("新学期!C2", "新学期!B3", "有问题的单元格（2 处）", "没有读取的隐私列：电话"):
        assert told in page
    assert "13800000000" not in caller.get(NEW).get_data(as_text=True)
    book = caller.get(f"{NEW}/check.xlsx")
    names = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).sheet_names
    assert {"核对结果", "与现用目录比较"} <= set(names)


def test_what_a_header_means_and_where_a_label_belongs_is_said_on_the_page(caller: FlaskClient):
    give(caller, "课程名称,归口,备用名\n公文写作十讲,经信类,写材料\n".encode())
    page = caller.get(NEW)
    answer = send(caller, f"{NEW}/mended", **{selected(page, "归口"): "category"})
    page_words = followed(caller, answer)
    assert "认不出的课程类别（1 种）" in page_words
    assert "经信类" in page_words
    assert "（已说明）" not in page_words
    page_words = followed(caller, send(caller, f"{NEW}/mended", **{"label-0": "履职能力"}))
    assert "认不出的课程类别（0 种）" in page_words
    assert "已说明" in page_words
    # Taking the answer back asks again; what was said of the header still stands.
    page_words = followed(caller, send(caller, f"{NEW}/mended", **{"answered-0": ""}))
    assert "认不出的课程类别（1 种）" in page_words


def test_a_list_without_a_known_header_is_explained_and_not_lost(caller: FlaskClient):
    answer = give(caller, "讲什么,谁讲\n公文写作十讲,王老师\n".encode())
    assert answer.status_code == 422
    assert "表头认不出来？" in words(answer)
    assert "哪一列是课程名称，请在下面说明。" in words(answer)
    assert "map" not in words(answer)
    assert 'name="said-header-0" value="讲什么"' in answer.get_data(as_text=True)
    assert re.search(r'name="said-field-0">.*?<option value="title" selected>课程名称<', answer.get_data(as_text=True))
    said = {"said-header-0": "讲什么", "said-field-0": "title"}
    assert "读取 1 行" in followed(caller, send(caller, f"{NEW}/mended", **said))


def test_a_correction_that_does_not_fit_is_told_and_leaves_what_was_found(caller: FlaskClient):
    give(caller, FAULTY)
    answer = send(caller, f"{NEW}/mended", **{"said-header-0": "没有的表头", "said-field-0": "title"})
    page = followed(caller, answer)
    assert "表里没有表头“没有的表头”" in page
    assert "有问题的单元格（2 处）" in page
    assert "有问题的单元格（2 处）" in followed(caller, send(caller, f"{NEW}/mended"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("courses_pickle.xlsx", "courses_pickle.xlsx"),
        ("courses_no_title_column.csv", "课程名称"),
        ("courses_without_titles.csv", "缺少课程名称"),
        ("courses_cut_off.json", "courses_cut_off.json"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_cause(name: str, told: str, caller: FlaskClient):
    answer = give(caller, (DATA / name).read_bytes(), name)
    assert answer.status_code == 422
    assert told in words(answer)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "请给出课程表"),
        ({"year": "明年"}, "应为整数"),
        ({"source": "长" * 31}, "应为 1 到 30 个字"),
        ({"source": "甲/乙"}, "不能用"),
    ],
)
def test_what_is_asked_with_a_list_is_refused_with_what_would_be_right(
    form: dict[str, str], told: str, caller: FlaskClient
):
    file = {"courses": (io.BytesIO(FAULTY), "新学期.csv")} if form else {}
    answer = send(caller, NEW, **file, **form)
    assert answer.status_code == 422
    assert told in words(answer)


def test_a_file_of_another_kind_is_refused(caller: FlaskClient):
    answer = give(caller, b"\x80\x04.", "课程表.pkl")
    assert (answer.status_code, "文件名的后缀应为" in words(answer)) == (422, True)


def test_a_list_of_its_own_name_is_put_beside_the_others_and_can_be_cleared(caller: FlaskClient):
    page = followed(caller, give(caller, "课程名称\n扎口子工作实务\n".encode(), source="省网院", year="2026"))
    assert "（来源 省网院）" in page
    assert f"{len(rows())} {len(rows()) + 1} {len(rows())} 1 0" in page
    assert "新目录由这些来源组成" in page
    followed(caller, send(caller, f"{NEW}/clear"))
    assert "把课程表拖到这里" in words(caller.get(NEW))


def test_a_training_is_watched_left_found_again_and_ends_in_a_version(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    give(caller, changed())
    begun = send(caller, f"{NEW}/train")
    page = caller.get(begun.location)
    assert "读取课程表 （排队中）" in words(page)
    assert f'hx-get="{begun.location}/progress"' in page.get_data(as_text=True)
    again = send(caller, f"{NEW}/train")
    told = followed(caller, again)
    assert "已有一个训练在排队或进行" in told
    assert "有一个训练正在进行" in told
    assert begun.location in caller.get("/versions").get_data(as_text=True)
    work(own_app)
    done = caller.get(f"{begun.location}/progress")
    assert "hx-get" not in done.get_data(as_text=True)
    assert "训练完成" in done.get_data(as_text=True)
    version = send(caller, f"{begun.location}/seen")
    assert version.location == "/versions/v0002"
    assert "版本 v0002 未启用" in followed(caller, version)
    assert "有一个训练正在进行" not in words(caller.get("/versions"))
    assert "把课程表拖到这里" in words(caller.get(NEW)), "the list has served"
    assert Registry(Path(own["REGISTRY"])).pointer() == "v0001"


def test_a_training_that_is_cancelled_leaves_the_list_where_it_was(
    caller: FlaskClient, own_app: APIFlask, own: dict[str, Any]
):
    before = state(own)
    give(caller, changed())
    begun = send(caller, f"{NEW}/train")
    assert "核对：新学期.csv" in followed(caller, send(caller, f"{begun.location}/cancel"))
    work(own_app)
    assert "没有完成：已取消" in words(caller.get(begun.location))
    assert state(own) == before
    assert send(caller, f"{NEW}/train").location.startswith("/course-list/trainings/"), "the next may begin"


def test_a_training_that_fails_tells_its_cause(caller: FlaskClient, own_app: APIFlask, own_store: Database):
    asked = {"file": "x.csv", "source": None, "without": [], "map": None, "categories": None, "year": None}
    order = {**asked, "activate": False, "reason": None}
    job = jobs.create(own_store, By("local"), "training", order, "v0001", 7, {"courses": [b"\x80\x04."]}, alone=True)
    work(own_app)
    page = words(caller.get(f"/course-list/trainings/{job.id}"))
    assert "没有完成：" in page
    assert "系统内部错误" not in page


def test_without_a_checked_list_nothing_is_trained(caller: FlaskClient):
    assert send(caller, f"{NEW}/train").location == NEW
    assert caller.get(f"{NEW}/check.xlsx").location == NEW
    assert caller.get("/course-list/trainings/nowhere").status_code == 404
    assert not caller.get("/api/v1/jobs").get_json()["jobs"]


def test_another_curator_sees_that_somebody_trains_and_not_more(
    own: dict[str, Any], cheap_passwords: None, tmp_path: Path
):
    app = create_app({**own, "LOCAL": False})
    store: Database = app.extensions["quebu.store"]
    browsers = {}
    for name in ("zhang.wei", "li.na"):
        logins.create(store, By("test"), name, Role.CURATOR, "一句好记的话，比符号安全")
        browsers[name] = app.test_client()
        send(browsers[name], "/login", account=name, password="一句好记的话，比符号安全")
    give(browsers["zhang.wei"], changed())
    begun = send(browsers["zhang.wei"], f"{NEW}/train").location
    other = browsers["li.na"]
    assert "有一个训练正在进行" in words(other.get("/versions"))
    assert "zhang.wei 开始" in words(other.get("/versions"))
    assert begun not in other.get("/versions").get_data(as_text=True)
    assert other.get(begun).status_code == 404
    assert "把课程表拖到这里" in words(other.get(NEW)), "each has a desk of their own"


def test_the_first_list_of_all_is_checked_where_there_is_nothing_to_compare_with(untrained: FlaskClient):
    page = followed(untrained, give(untrained, as_csv(rows()[:30])))
    assert "还没有可比较的目录" in page
    assert "新增（30）" in page
