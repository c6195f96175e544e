import os

from byond import (
    ApiClient,
    APIKeysApi,
    ApiException,
    Channel,
    CheckVerificationRequest,
    Configuration,
    ErrorInfo,
    ErrorResponse,
    LookupApi,
    StartVerificationRequest,
    VerifyApi,
)

RECIPIENT = os.environ["RECIPIENT"]


def client_with(key: str, session: str | None = None) -> ApiClient:
    return ApiClient(
        Configuration(
            host=os.environ["BYOND_URL"] + "/api/v1",
            api_key={"ApiKeyAuth": key},
            access_token=session,
        )
    )


def start_for(recipient: str) -> StartVerificationRequest:
    return StartVerificationRequest(channel=Channel.EMAIL, recipient=recipient)


def error_of(exception: ApiException) -> ErrorInfo:
    if not isinstance(exception.data, ErrorResponse):
        raise exception
    return exception.data.error


# One client for both credentials: each call sends the one that its operation names.
client = client_with(os.environ["BYONDAPI_KEY"], os.environ["JWT"])
verify = VerifyApi(client)

started = verify.start_verification(
    StartVerificationRequest(channel=Channel.EMAIL, recipient=RECIPIENT, brand="Acme", code_length=6)
)
print("started", started.status.value)

checked = verify.check_verification(
    CheckVerificationRequest(verification_id=started.verification_id, code="000000")
)
print("checked", checked.status.value)

number = LookupApi(client).lookup_number("+6591234567", country="SG")
print("lookup", number.number_e164, number.country_code, number.line_type.value)

keys = APIKeysApi(client).list_api_keys().keys
print("keys", ",".join(key.name for key in keys))

try:
    verify.start_verification(start_for("nobody"))
except ApiException as exception:
    error = error_of(exception)
    print("invalid", exception.status, error.code, ",".join(error.fields or {}))

try:
    for _ in range(5):
        verify.start_verification(start_for(RECIPIENT))
except ApiException as exception:
    error = error_of(exception)
    print("limited", exception.status, error.code, error.retry_after)

try:
    VerifyApi(client_with("pk_test_wrong")).start_verification(start_for(RECIPIENT))
except ApiException as exception:
    print("unauthorized", exception.status, error_of(exception).code)
