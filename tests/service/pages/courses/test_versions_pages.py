"""版本: listed with their numbers in words, compared, activated through the gate or with a reason, gone back from in one click."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from tests.service.api.test_models import active, audited, made, mover, moving  # noqa: F401 (fixtures)
from tests.service.pages.consoleforms import followed, send, words

VERSIONS = "/versions"


def test_versions_are_listed_newest_first_with_what_their_numbers_mean(client: FlaskClient):
    page = words(client.get(VERSIONS))
    told = client.get("/api/v1/models").get_json()["models"][0]
    assert f"{told['version']} ✓ 启用中" in page
    assert f"{told['metrics']['full']['ndcg@10']:.3f}" in page
    assert f"{told['metrics']['phrases']['top1']:.3f}" in page
    assert "匹配质量" in page
    assert "退回 v" not in page, "there is nothing to go back to"


def test_a_card_that_is_damaged_hides_no_other_version(moving: APIFlask, mover: FlaskClient):  # noqa: F811
    folder: Path = moving.extensions["quebu"].registry.folder
    (folder / "v0002" / "card.json").write_text("{", encoding="utf-8")
    page = words(mover.get(VERSIONS))
    assert "v0003" in page
    assert "v0002" not in page
    assert mover.get(f"{VERSIONS}/v0009").status_code == 404


def test_a_version_is_compared_with_the_active_one_as_the_interface_compares(mover: FlaskClient):  # noqa: F811
    told = mover.get("/api/v1/models/v0002/comparison").get_json()
    shell = mover.get(f"{VERSIONS}/v0002").get_data(as_text=True)
    assert 'hx-get="/versions/v0002/comparison"' in shell
    part = mover.get(f"{VERSIONS}/v0002/comparison", headers={"HX-Request": "true"}).get_data(as_text=True)
    whole = mover.get(f"{VERSIONS}/v0002/comparison").get_data(as_text=True)
    assert "<main" not in part
    assert "<main" in whole
    for page in (part, whole):
        assert told["findings"][0]["told"] in page
        assert f"{told['people']['changed']} / {told['people']['all']}" in page
        assert f"{told['quality']['difference']['mean']:.3f}" in page
        for one in told["people"]["largest"]:
            assert f"第 {one['row']} 行" in page


def test_two_versions_of_choice_are_compared_and_filed_as_a_workbook(mover: FlaskClient):  # noqa: F811
    page = words(mover.get(f"{VERSIONS}/v0001/comparison?with=v0002"))
    assert "由 v0002 换成 v0001" in page
    book = mover.get(f"{VERSIONS}/v0001/comparison.xlsx?with=v0002")
    assert "变更报告" in CalamineWorkbook.from_filelike(io.BytesIO(book.data)).sheet_names
    for address in ("comparison?with=v9", "comparison.xlsx?with=..", "comparison?with=active"):
        assert mover.get(f"{VERSIONS}/v0001/{address}").status_code == 404


def test_a_version_is_activated_and_gone_back_from_in_one_click(moving: APIFlask, mover: FlaskClient):  # noqa: F811
    page = followed(mover, send(mover, f"{VERSIONS}/v0003/activate"))
    assert "已启用 v0003（此前是 v0001）" in page
    assert "退回 v0001" in page
    assert active(moving) == "v0003"
    page = followed(mover, send(mover, f"{VERSIONS}/rollback"))
    assert "已退回 v0001（此前是 v0003）" in page
    assert active(moving) == "v0001"
    assert "没有可以退回的" in followed(mover, send(mover, f"{VERSIONS}/rollback"))
    assert [row[0] for row in audited(moving.extensions["quebu.store"])][-1] == "model.rollback"


def test_a_version_the_gate_holds_up_is_shown_with_why_and_let_through_with_a_reason(
    moving: APIFlask,  # noqa: F811
    mover: FlaskClient,  # noqa: F811
):
    refused = send(mover, f"{VERSIONS}/v0002/activate")
    assert refused.status_code == 409
    assert "没有通过启用前的检查，仍使用 v0001" in words(refused)
    assert "变成没有课" in words(refused)
    assert active(moving) == "v0001"
    assert send(mover, f"{VERSIONS}/v0002/activate", reason="   ").status_code == 409
    assert send(mover, f"{VERSIONS}/v0002/activate", reason="长" * 501).status_code == 422
    assert active(moving) == "v0001"
    page = followed(mover, send(mover, f"{VERSIONS}/v0002/activate", reason="应急课程另行组织"))
    assert "已启用 v0002" in page
    assert "应急课程另行组织" in page, "the reason stands in the history"
    assert active(moving) == "v0002"


def test_a_damaged_version_is_not_activated_and_the_one_before_goes_on(moving: APIFlask, mover: FlaskClient):  # noqa: F811
    path = moving.extensions["quebu"].registry.folder / "v0003" / "model.joblib"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])
    refused = send(mover, f"{VERSIONS}/v0003/activate", reason="无论如何")
    assert refused.status_code == 409
    assert "model.joblib" in words(refused)
    assert active(moving) == "v0001"


@pytest.mark.parametrize("path", ["v0009/activate", "..%2fv0001/activate"])
def test_an_unknown_version_is_not_activated(path: str, moving: APIFlask, mover: FlaskClient):  # noqa: F811
    assert send(mover, f"{VERSIONS}/{path}").status_code == 404
    assert active(moving) == "v0001"


def test_without_the_token_of_a_page_no_form_moves_anything(moving: APIFlask, mover: FlaskClient):  # noqa: F811
    assert mover.post(f"{VERSIONS}/v0003/activate").status_code == 400
    assert mover.post(f"{VERSIONS}/rollback").status_code == 400
    assert active(moving) == "v0001"


def test_where_nothing_was_trained_the_way_to_the_first_version_is_shown(untrained: FlaskClient):
    assert "还没有版本" in words(untrained.get(VERSIONS))
