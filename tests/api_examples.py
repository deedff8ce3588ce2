"""The exchanges shown in docs/api.md: read, asked of a service, shortened as they are shown.

``python tests/api_examples.py [REGISTRY]`` writes them anew, by a registry whose active version was trained on the bundled catalog.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flask.testing import FlaskClient

API = Path(__file__).parents[1] / "docs" / "api.md"
EXCHANGE = re.compile(
    r"```http\n(?P<asked>.*?)\n```\n\n`(?P<status>\d{3})[^`]*`\n\n```(?P<kind>\w+)\n(?P<answer>.*?)\n```", re.DOTALL
)
# What no two services answer alike: shown as …
OWN = {
    "request_id",
    "created_at",
    "started_at",
    "finished_at",
    "expires_at",
    "gone_by",
    "at",
    "seconds",
    "key",
    "model_version",
    "created",
    "catalog_fingerprint",
    "inputs_hash",
    "catalog_hash",
    "owner",
}
MORE = "…"
SHOWN = {"recommendations": 4}  # Of a long list the first is shown; here so many, for required courses come first.


class Exchange(NamedTuple):
    """A request, and what docs/api.md shows of its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    kind: str
    answer: str


def exchanges(text: str) -> Iterator[Exchange]:
    """The exchanges of a document in their order, which is the one they are asked in."""
    return map(_exchange, EXCHANGE.finditer(text))


def _exchange(found: re.Match[str]) -> Exchange:
    head, _, body = found["asked"].partition("\n\n")
    first, *rest = head.splitlines()
    method, path = first.split(" ", 1)
    headers = dict(line.split(": ", 1) for line in rest)
    return Exchange(method, path, headers, body, int(found["status"]), found["kind"], found["answer"])


def ask(client: FlaskClient, asked: Exchange, known: dict[str, str]) -> Any:
    """Ask; ``{id}`` in an address stands for the id an earlier answer gave, ``{plan}`` in a body for the last plan, ``{key}`` for a
    key."""
    path = asked.path.replace("{id}", known.get("id", ""))
    body = asked.body.replace("{plan}", known.get("plan", ""))
    headers = {name: value.replace("{key}", known.get("key", "")) for name, value in asked.headers.items()}
    answer = client.open(path, method=asked.method, headers=headers, data=body.encode(), buffered=True)
    if answer.is_json and answer.data and answer.status_code < 300:
        if re.fullmatch(r"[0-9a-f]{8,}", str(answer.json.get("id"))):
            known["id"] = answer.json["id"]
        if "inputs_hash" in answer.json:
            known["plan"] = answer.text
        known["key"] = answer.json.get("key", known.get("key", ""))
    return answer


def shown(value: Any, name: str = "") -> Any:
    """An answer as the document shows it: lists cut after their first entries, what differs from service to service left out."""
    if name in OWN and value is not None:
        return MORE
    if name == "id" and isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8,}", value):
        return MORE
    if isinstance(value, dict):
        return {key: shown(part, key) for key, part in value.items()}
    if isinstance(value, list):
        most = SHOWN.get(name, 1)
        return [shown(part) for part in value[:most]] + ([MORE] if len(value) > most else [])
    return value


def told(answer: Any, kind: str) -> Any:
    """What is to be seen of an answer in the document."""
    if kind == "json":
        return shown(answer.json)
    if kind == "ndjson":
        return [shown(json.loads(line)) for line in answer.text.splitlines()]
    return [line for line in answer.text.splitlines() if not re.search(r"\d{4}-\d\d-\d\d", line)][:5]


def parsed(kind: str, text: str) -> Any:
    """The same of what the document shows."""
    if kind == "json":
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()] if kind == "ndjson" else text.splitlines()


def written(kind: str, value: Any) -> str:
    """For the document."""
    if kind == "json":
        return _compact(value)
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in value) if kind == "ndjson" else "\n".join(value)


def _compact(value: Any, indent: str = "") -> str:
    """JSON whose short parts stand on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + len(indent) < 110 or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _compact(part, inner) for part in value) + f"\n{indent}]"
    parts = (f"{inner}{json.dumps(key, ensure_ascii=False)}: {_compact(part, inner)}" for key, part in value.items())
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


def main() -> None:
    """Write the answers of a service on the bundled catalog into the document."""
    from model import training  # noqa: PLC0415
    from model.versions.registry import Registry  # noqa: PLC0415
    from service import create_app  # noqa: PLC0415

    text = API.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        registry = Path(folder) / "registry"
        if len(sys.argv) > 1:
            shutil.copytree(sys.argv[1], registry)
        else:
            store = Registry(registry)
            catalog = training.knowledge().judgements.catalog
            card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": len(catalog), "metrics": {}}
            store.activate(store.save(lambda version: training.train(catalog, version), card))
        client = create_app({"REGISTRY": str(registry), "LOCAL": True}).test_client()
        known: dict[str, str] = {}

        def anew(found: re.Match[str]) -> str:
            answer = ask(client, _exchange(found), known)
            head = found[0][: found.start("status") - found.start() - 1]
            shown = written(found["kind"], told(answer, found["kind"]))
            return f"{head}`{answer.status_code}`\n\n```{found['kind']}\n{shown}\n```"

        text = EXCHANGE.sub(anew, text)
    API.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
