"""Settings of texts: the accounts they come and go through, and templates."""

from typing import Any

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from aircall_core.desk import message_accounts, message_templates
from aircall_core.desk.errors import not_found
from aircall_core.desk.messages import SIP
from aircall_core.desk.secrets import SecretKeyError
from aircall_core.domain.message import State
from aircall_core.messaging.outbox import gateway_for
from aircall_core.messaging.port import http_client
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import message_settings as stored
from aircall_core.store import messages


class AccountSettings(BaseModel):
    """What an account's kind needs."""

    account_sid: str | None = Field(None, max_length=100)
    messaging_service_sid: str | None = Field(None, max_length=100)
    api_url: str | None = Field(None, max_length=600)
    url: str | None = Field(None, max_length=600)
    private: bool | None = None


class AccountChange(BaseModel):
    """An account: what is given is set. An empty secret keeps the one it has."""

    name: str | None = Field(None, max_length=200)
    kind: str | None = Field(None, max_length=16)
    enabled: bool | None = None
    trunk_id: str | None = Field(None, max_length=26)
    settings: AccountSettings | None = None
    secret: str | None = Field(None, max_length=1000)


class TemplateChange(BaseModel):
    """A template: what is given is set."""

    name: str | None = Field(None, max_length=200)
    body: str | None = Field(None, max_length=20_000)
    line_id: str | None = Field(None, max_length=26)  # '': every line


def list_accounts(ask: Ask) -> dict[str, Any]:
    """GET /desk/message-accounts: without secrets; `webhook`: the address that the gateway is to be told."""
    with ask.desk.store.read() as conn:
        found = stored.accounts_list(conn)
    return {"accounts": [{**one, "webhook": webhook_of(ask, one)} for one in found]}


def webhook_of(ask: Ask, account: dict[str, Any]) -> str:
    """Where the gateway of an account brings its texts; '' for SIP, which needs none."""
    if account["kind"] == SIP:
        return ""
    way = "messages" if account["kind"] == message_accounts.WEBHOOK else account["kind"]
    return f"{ask.desk.settings.public_url}/hooks/{way}/{account['id']}"


def add_account(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/message-accounts: `secret` is in the answer where one was made, and nowhere ever again."""
    given = _given(ask.body)
    with ask.desk.store.write() as tx:
        account_id, made = message_accounts.create(tx, ask.actor, ask.desk.box, **given)
    return 201, {"id": account_id, **({"secret": made} if made else {})}


def change_account(ask: Ask) -> dict[str, str]:
    """PATCH /desk/message-accounts/{account}"""
    with ask.desk.store.write() as tx:
        message_accounts.change(tx, ask.actor, ask.desk.box, ask.id("account"), **_given(ask.body))
    return {"id": ask.id("account")}


def remove_account(ask: Ask) -> None:
    """DELETE /desk/message-accounts/{account}"""
    with ask.desk.store.write() as tx:
        message_accounts.remove(tx, ask.actor, ask.id("account"))


async def test_account(ask: Ask) -> dict[str, Any]:
    """POST /desk/message-accounts/{account}/test: whether the gateway takes us in; no text is sent."""
    return await run_in_threadpool(_tested, ask)


def _tested(ask: Ask) -> dict[str, Any]:
    with ask.desk.store.read() as conn:
        account = messages.account(conn, ask.id("account"))
    if account is None:
        raise not_found("The account")
    if account["kind"] == SIP:
        raise Refused(409, "sip", "Texts by SIP go through a trunk: test the trunk.")
    try:
        with http_client() as client:
            outcome = gateway_for(account, ask.desk.box, client).check()
    except (SecretKeyError, ValueError):  # another installation's key, or what is no signing secret
        raise Refused(409, "secret", "Its secret cannot be used. Enter it anew.") from None
    good = outcome.state is State.SENT
    return {"ok": good, "reason": None if good else outcome.reason, "code": outcome.remote_code}


def list_templates(ask: Ask) -> dict[str, Any]:
    """GET /desk/message-templates"""
    with ask.desk.store.read() as conn:
        return {"templates": stored.templates_list(conn)}


def add_template(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/message-templates"""
    with ask.desk.store.write() as tx:
        return 201, {"id": message_templates.create(tx, ask.actor, **_given(ask.body))}


def change_template(ask: Ask) -> dict[str, str]:
    """PATCH /desk/message-templates/{template}"""
    with ask.desk.store.write() as tx:
        message_templates.change(tx, ask.actor, ask.id("template"), **_given(ask.body))
    return {"id": ask.id("template")}


def remove_template(ask: Ask) -> None:
    """DELETE /desk/message-templates/{template}"""
    with ask.desk.store.write() as tx:
        message_templates.remove(tx, ask.actor, ask.id("template"))


def _given(body: BaseModel) -> dict[str, Any]:
    """What the request sets."""
    return {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
