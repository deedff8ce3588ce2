"""What the command line says when a command was misused, or failed on purpose: in the words of the people who read it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from model.errors import QuebuError, TableError

MOST_FAULTS_SHOWN = 50


class Failure(click.ClickException):
    """The command could not do its work; the message says what to put right. Exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to stderr."""
        click.echo(f"错误：{self.message}", err=True)


class Misuse(click.UsageError):
    """The command was not called as it must be. Exit code 2."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message and where the usage is told to stderr."""
        command = self.ctx.command_path if self.ctx else "quebu"
        click.echo(f"用法错误：{self.message}\n查看用法：{command} --help", err=True)


class Planners(click.Group):
    """A group of commands that never ends in a traceback for a fault of the input or of the machine."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the words before the command."""
        with _explained():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Parse the words of the command and run it."""
        with _explained():
            return super().invoke(ctx)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise Misuse(_in_chinese(error), error.ctx) from error
    except TableError as error:
        head, *faults = str(error).splitlines()
        raise Failure("\n".join([head, *few(faults)])) from error
    except QuebuError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        # A full disk, a missing right. Without a file name it is no such thing, and a closed pipe (| head) is click's to end.
        if error.filename is None or error.errno == errno.EPIPE:
            raise
        raise Failure(
            f"无法读写 {error.filename}（{error.strerror}）。请检查权限和磁盘空间；若正用 Excel 打开着，请先关闭。"
        ) from error


def few(lines: list[str]) -> list[str]:
    """The first lines of many, each marked, and how many there are besides."""
    shown = [f"! {line}" for line in lines[:MOST_FAULTS_SHOWN]]
    rest = len(lines) - len(shown)
    return [*shown, f"! ……另有 {rest} 处。"] if rest else shown


def _in_chinese(error: click.UsageError) -> str:
    """Say what click says. A message of our own is Chinese already."""
    match error:
        case click.MissingParameter(param=click.Argument() as param):
            return f"缺少 {param.metavar or param.name}。"
        case click.MissingParameter(param=click.Parameter() as param):
            return f"缺少 {param.opts[-1]}。"
        case click.BadParameter(param=click.Parameter() as param):
            return f"{param.opts[-1]} 的值不对，应为{_wanted(param.type)}。"
        case click.NoSuchOption():
            return f"没有选项 {error.option_name}{_perhaps(error.possibilities)}"
        case click.exceptions.NoSuchCommand():
            return f"没有命令 {error.command_name}{_perhaps(error.possibilities)}"
        case click.BadOptionUsage():
            return f"选项 {error.option_name} 的写法不对，检查它后面是否少了或多了一个值。"
    return "参数的个数或写法不对；含空格的参数请加引号。" if error.message.isascii() else error.message


def _perhaps(near: list[str] | None) -> str:
    return f"，是否想写 {'、'.join(near)}？" if near else "。"


def _wanted(kind: click.ParamType[Any]) -> str:
    match kind:
        case click.IntRange():
            return f" {kind.min} 到 {kind.max} 的整数"
        case click.FloatRange():
            return f"不小于 {kind.min:g} 的数" if kind.max is None else f" {kind.min:g} 到 {kind.max:g} 的数"
        case click.Choice():
            return f" {'、'.join(map(str, kind.choices))} 之一"
        case click.DateTime():
            return " 2026-03 或 2026-03-01 这样的日期"
        case click.Path():
            return "文件，不能是目录"
    return "另一种写法"
