from __future__ import annotations

import pytest
from click.testing import CliRunner

from model.errors import InputError
from service import create_app
from service.cli import main
from service.settings import SETTINGS, load_settings


def test_without_variables_every_setting_has_its_default():
    assert load_settings({}) == {setting.name: setting.default for setting in SETTINGS}


def test_a_variable_overrides_the_default_and_keeps_its_type():
    given = {"QUEBU_TOP": "3", "QUEBU_REGISTRY": "/srv/quebu"}
    assert load_settings(given) == load_settings({}) | {"TOP": 3, "REGISTRY": "/srv/quebu"}


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_counts_as_not_set(blank: str):
    assert load_settings({f"QUEBU_{setting.name}": blank for setting in SETTINGS}) == load_settings({})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("TOP", "0"),
        ("TOP", "101"),
        ("TOP", "八"),
        ("TOP", "8.0"),
        ("TOP", "-1"),
        ("LEVEL_WINDOW", "11"),
        ("MAX_BODY_MB", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_variable_value_and_range(name: str, given: str):
    setting = next(setting for setting in SETTINGS if setting.name == name)
    with pytest.raises(InputError) as refused:
        load_settings({f"QUEBU_{name}": given})
    assert all(word in str(refused.value) for word in (f"QUEBU_{name}", given, f"{setting.least} 到 {setting.most}"))


def test_every_setting_says_what_it_means_and_every_number_has_a_range_that_holds_its_default():
    assert all(setting.help.endswith(".") for setting in SETTINGS)
    numbers = [setting for setting in SETTINGS if isinstance(setting.default, int)]
    assert all(setting.least <= setting.default <= setting.most for setting in numbers)


def test_the_application_takes_variables_first_from_the_caller_then_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("QUEBU_TOP", "5")
    monkeypatch.setenv("QUEBU_MAX_BODY_MB", "2")
    app = create_app({"TOP": 4})
    assert (app.config["TOP"], app.config["MAX_BODY_MB"], app.config["MAX_CONTENT_LENGTH"]) == (4, 2, 2 * 2**20)


@pytest.mark.parametrize("command", [["recommend", "--roster", "x.xlsx"], ["serve"], ["demo"]])
def test_a_wrong_variable_ends_a_command_with_a_sentence(command: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUEBU_TOP", "many")
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "QUEBU_TOP" in result.stderr
    assert "1 到 100 的整数" in result.stderr
