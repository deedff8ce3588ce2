"""Keys for systems: given out, listed, revoked. What ``quebu keys`` does, over HTTP."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import g
from marshmallow import fields

from service.api.body import documents_body, read_json
from service.shapes.fields import WHOLE, Door, between, one_of, stored
from service.store import keys
from service.store.roles import Role
from service.wire.access import allows, by, store
from service.wire.errors import problem

bp = APIBlueprint("keys", __name__, url_prefix="/api/v1", tag="keys")
bp.before_request(read_json)


class KeyIn(Door):
    """A key that is wanted."""

    name = fields.String(
        required=True,
        validate=stored(keys.LONGEST_NAME),
        metadata={"description": "哪个系统使用，不要写人名", "example": "人事系统"},
    )
    role = fields.String(required=True, validate=one_of(list(Role)), metadata={"example": "reader"})
    days = fields.Integer(
        load_default=keys.DAYS,
        strict=True,
        error_messages={"invalid": WHOLE},
        validate=between(1, keys.MOST_DAYS),
        metadata={"description": "多少天后失效"},
    )


class KeyOut(Door):
    """What is told of a key, which is never the key itself."""

    id = fields.String()
    name = fields.String()
    role = fields.String(validate=one_of(list(Role)))
    created_at = fields.String()
    created_by = fields.String()
    expires_at = fields.String(allow_none=True)
    revoked_at = fields.String(allow_none=True)


class NewKeyOut(KeyOut):
    """A key just made, shown this once."""

    key = fields.String(metadata={"description": "密钥本身，只在这里出现一次，以后无法再查"})


class KeysOut(Door):
    """All keys, the newest last."""

    keys = fields.List(fields.Nested(KeyOut))


@bp.post("/keys")
@allows(Role.ADMIN)
@documents_body(bp, KeyIn)
@bp.output(NewKeyOut, status_code=201)
@bp.doc(summary="发放密钥", operation_id="create_key", responses=[422])
def create_key() -> Any:
    """A new key, shown this once. The first one is made by ``quebu keys create``."""
    asked = KeyIn().load(g.body)
    key = keys.create(store(), by(), asked["name"], Role(asked["role"]), asked["days"])
    (told,) = (one for one in keys.listed(store()) if one.id == keys.identity(key))
    return told._asdict() | {"key": key}, 201


@bp.get("/keys")
@allows(Role.ADMIN)
@bp.output(KeysOut)
@bp.doc(summary="各个密钥", operation_id="keys")
def listed() -> Any:
    """All keys ever given out, the revoked ones among them."""
    return {"keys": [key._asdict() for key in keys.listed(store())]}


@bp.delete("/keys/<key_id>")
@allows(Role.ADMIN)
@bp.output({}, status_code=204)
@bp.doc(summary="吊销密钥", operation_id="revoke_key", responses=[404])
def revoke_key(key_id: str) -> Any:
    """Refuse a key from now on; one that is revoked already stays so."""
    if keys.told(store(), key_id) is None:
        return problem(404, "没有这个编号的密钥；各个密钥见 /api/v1/keys。")
    keys.revoke(store(), by(), key_id)
    return "", 204
