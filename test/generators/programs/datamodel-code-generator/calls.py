"""The tool makes models only: the standard library sends what they write, and they parse what comes back."""

import os
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import models
from pydantic import BaseModel

BASE_URL = os.environ["BYOND_URL"] + "/api/v1"
RECIPIENT = os.environ["RECIPIENT"]
KEY = {"X-API-Key": os.environ["BYONDAPI_KEY"]}

Reply = TypeVar("Reply", bound=BaseModel)


def send(path: str, reply: type[Reply], headers: dict[str, str], body: BaseModel | None = None) -> Reply:
    content = None if body is None else body.model_dump_json(exclude_unset=True).encode()
    request = Request(BASE_URL + path, data=content, headers={"Content-Type": "application/json", **headers})
    with urlopen(request, timeout=30) as response:
        return reply.model_validate_json(response.read())


def start(recipient: str, headers: dict[str, str]) -> models.StartVerificationReply:
    body = models.StartVerificationRequest(channel=models.Channel.email, recipient=recipient)
    return send("/verify/start", models.StartVerificationReply, headers, body)


def refusal(recipient: str, headers: dict[str, str]) -> tuple[int, models.ErrorInfo] | None:
    try:
        start(recipient, headers)
    except HTTPError as error:
        return error.code, models.ErrorResponse.model_validate_json(error.read()).error
    return None


started = send(
    "/verify/start",
    models.StartVerificationReply,
    KEY,
    models.StartVerificationRequest(channel=models.Channel.email, recipient=RECIPIENT, brand="Acme", code_length=6),
)
print("started", started.status.value)

checked = send(
    "/verify/check",
    models.CheckVerificationReply,
    KEY,
    models.CheckVerificationRequest(verification_id=started.verification_id, code="000000"),
)
print("checked", checked.status.value)

query = urlencode({"number": "+6591234567", "country": "SG"})
number = send(f"/lookup?{query}", models.LookupNumberReply, KEY)
print("lookup", number.number_e164, number.country_code, number.line_type.value)

listed = send("/api-keys", models.ListApiKeysReply, {"Authorization": f"Bearer {os.environ['JWT']}"})
print("keys", ",".join(key.name for key in listed.keys))

invalid = refusal("nobody", KEY)
assert invalid is not None
print("invalid", invalid[0], invalid[1].code.root, ",".join(invalid[1].fields or {}))

for _ in range(5):
    limited = refusal(RECIPIENT, KEY)
    if limited is not None:
        print("limited", limited[0], limited[1].code.root, limited[1].retry_after)
        break

unauthorized = refusal(RECIPIENT, {"X-API-Key": "pk_test_wrong"})
assert unauthorized is not None
print("unauthorized", unauthorized[0], unauthorized[1].code.root)
