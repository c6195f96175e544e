"""The synchronous functions, and for the start and the refusals the asynchronous ones too."""

import asyncio
import os

from byond_client import AuthenticatedClient
from byond_client.api.api_keys import list_api_keys
from byond_client.api.lookup import lookup_number
from byond_client.api.verify import check_verification, start_verification
from byond_client.models import (
    Channel,
    CheckVerificationReply,
    CheckVerificationRequest,
    ErrorInfo,
    ErrorResponse,
    ListApiKeysReply,
    LookupNumberCountry,
    LookupNumberReply,
    StartVerificationReply,
    StartVerificationRequest,
)
from byond_client.types import Response, Unset

BASE_URL = os.environ["BYOND_URL"] + "/api/v1"
RECIPIENT = os.environ["RECIPIENT"]


def with_key(key: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=BASE_URL, token=key, prefix="", auth_header_name="X-API-Key")


def error_of(response: Response[ErrorResponse | StartVerificationReply]) -> ErrorInfo | None:
    return response.parsed.error if isinstance(response.parsed, ErrorResponse) else None


def start(recipient: str) -> StartVerificationRequest:
    return StartVerificationRequest(channel=Channel.EMAIL, recipient=recipient)


async def main() -> None:
    client = with_key(os.environ["BYONDAPI_KEY"])
    request = StartVerificationRequest(channel=Channel.EMAIL, recipient=RECIPIENT, brand="Acme", code_length=6)
    started = await start_verification.asyncio(client=client, body=request)
    assert isinstance(started, StartVerificationReply)
    print("started", started.status.value)

    check = CheckVerificationRequest(verification_id=started.verification_id, code="000000")
    checked = check_verification.sync(client=client, body=check)
    assert isinstance(checked, CheckVerificationReply)
    print("checked", checked.status.value)

    number = lookup_number.sync(client=client, number="+6591234567", country=LookupNumberCountry.SG)
    assert isinstance(number, LookupNumberReply)
    print("lookup", number.number_e164, number.country_code, number.line_type.value)

    session = AuthenticatedClient(base_url=BASE_URL, token=os.environ["JWT"])
    listed = list_api_keys.sync(client=session)
    assert isinstance(listed, ListApiKeysReply)
    print("keys", ",".join(key.name for key in listed.keys))

    invalid = start_verification.sync_detailed(client=client, body=start("nobody"))
    problem = error_of(invalid)
    assert problem is not None and not isinstance(problem.fields, Unset)
    print("invalid", invalid.status_code.value, problem.code, ",".join(problem.fields.additional_keys))

    for _ in range(5):
        limited = await start_verification.asyncio_detailed(client=client, body=start(RECIPIENT))
        limit = error_of(limited)
        if limit is not None:
            print("limited", limited.status_code.value, limit.code, limit.retry_after)
            break

    refused = start_verification.sync_detailed(client=with_key("pk_test_wrong"), body=start(RECIPIENT))
    refusal = error_of(refused)
    assert refusal is not None
    print("unauthorized", refused.status_code.value, refusal.code)


asyncio.run(main())
