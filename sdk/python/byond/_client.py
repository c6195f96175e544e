"""The clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import httpx

from ._caller import AsyncCaller, Caller
from ._generated.async_services import AsyncServices
from ._generated.services import Services
from ._options import ClientOptions
from ._rest_transport import AsyncRestTransport, RestTransport
from ._settings import Settings
from ._transport import AsyncTransport, Transport

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Less than the time after which servers and proxies usually close connections that are idle.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4)


@contextmanager
def _needs_grpc() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ImportError('gRPC needs more packages: pip install "byond-sdk[grpc]"') from error


class Byond(Services):
    """A client of a Byond server. Make one and keep it: it keeps connections, and threads can share it.

    Example:
        ```python
        byond = Byond()  # BYOND_BASE_URL and BYONDAPI_KEY
        started = byond.verify.start(channel="email", recipient="ada@example.com")
        checked = byond.verify.check(verification_id=started.verification_id, code="000000")
        ```
    """

    is_sandbox: bool
    """Whether calls are about the sandbox, by the key or the mode: nothing leaves the server, and codes are zeros."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        access_token: str | None = None,
        mode: Literal["live", "test"] | None = None,
        sign_requests: bool = False,
        max_retries: int = 2,
        timeout: float = 30.0,
        headers: Mapping[str, str] | None = None,
        transport: Literal["rest", "grpc"] = "rest",
        http_client: httpx.Client | None = None,
    ) -> None:
        """Makes a client. All options have defaults.

        Args:
            base_url: Where the server is. Default: the environment variable `BYOND_BASE_URL`, or `BYOND_URL`, or
                `http://127.0.0.1:8080`.
            api_key: The API key. Default: the environment variable `BYONDAPI_KEY`, unless there is an `access_token`.
            access_token: The access token of a session, for calls that manage keys, accounts and workspaces. Instead of
                a key.
            mode: With an `access_token`: the mode that calls are about. Default: `live`. Keys have a mode of their own.
            sign_requests: Whether requests are signed (`v2`), each attempt anew, for keys that demand it. REST only.
            max_retries: How often a failed call is repeated at most.
            timeout: The deadline of a call in seconds, all attempts and pauses included. Of a stream: until it is open.
            headers: Headers of every request.
            transport: How calls get to the server. `grpc` needs `pip install "byond-sdk[grpc]"`.
            http_client: What sends requests of REST, for proxies and certificates of your own. Default: one of ours.
        """
        self._options: ClientOptions = {
            "base_url": base_url,
            "api_key": api_key,
            "access_token": access_token,
            "mode": mode,
            "sign_requests": sign_requests,
            "max_retries": max_retries,
            "timeout": timeout,
            "headers": headers or {},
            "transport": transport,
        }
        settings = Settings(**self._options)
        self._http = http_client
        self._transport: Transport
        if settings.transport == "grpc":
            with _needs_grpc():
                from ._grpc_transport import GrpcTransport
            self._transport = GrpcTransport(settings.address, settings.signing_key)
        else:
            self._http = http_client or httpx.Client(limits=_LIMITS)
            self._transport = RestTransport(settings.address, settings.signing_key, self._http)
        self.is_sandbox = settings.is_sandbox
        super().__init__(Caller(settings, self._transport))

    def with_options(self, **options: Unpack[ClientOptions]) -> Byond:
        """A client with the same options but these, for the calls of a signed-in user, or of another key.

        It shares the connections of this one: closing either closes them.

        Example:
            ```python
            session = byond.auth.sign_in(email=email, password=password)
            keys = byond.with_options(access_token=session.access_token).keys.list()
            ```
        """
        merged: ClientOptions = {**self._options, **options}
        if options.get("api_key") and not options.get("access_token"):
            # A key takes the place of an access token. The other way round it does by itself.
            merged["access_token"] = None
        return Byond(**merged, http_client=self._http)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> Byond:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncByond(AsyncServices):
    """A client of a Byond server for `asyncio`, and over REST for `trio`. Make one and keep it: it keeps connections.

    Example:
        ```python
        byond = AsyncByond()  # BYOND_BASE_URL and BYONDAPI_KEY
        started = await byond.verify.start(channel="email", recipient="ada@example.com")
        checked = await byond.verify.check(verification_id=started.verification_id, code="000000")
        ```
    """

    is_sandbox: bool
    """Whether calls are about the sandbox, by the key or the mode: nothing leaves the server, and codes are zeros."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        access_token: str | None = None,
        mode: Literal["live", "test"] | None = None,
        sign_requests: bool = False,
        max_retries: int = 2,
        timeout: float = 30.0,
        headers: Mapping[str, str] | None = None,
        transport: Literal["rest", "grpc"] = "rest",
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        """Makes a client. All options have defaults.

        Args:
            base_url: Where the server is. Default: the environment variable `BYOND_BASE_URL`, or `BYOND_URL`, or
                `http://127.0.0.1:8080`.
            api_key: The API key. Default: the environment variable `BYONDAPI_KEY`, unless there is an `access_token`.
            access_token: The access token of a session, for calls that manage keys, accounts and workspaces. Instead of
                a key.
            mode: With an `access_token`: the mode that calls are about. Default: `live`. Keys have a mode of their own.
            sign_requests: Whether requests are signed (`v2`), each attempt anew, for keys that demand it. REST only.
            max_retries: How often a failed call is repeated at most.
            timeout: The deadline of a call in seconds, all attempts and pauses included. Of a stream: until it is open.
            headers: Headers of every request.
            transport: How calls get to the server. `grpc` needs `pip install "byond-sdk[grpc]"`.
            http_client: What sends requests of REST, for proxies and certificates of your own. Default: one of ours.
        """
        self._options: ClientOptions = {
            "base_url": base_url,
            "api_key": api_key,
            "access_token": access_token,
            "mode": mode,
            "sign_requests": sign_requests,
            "max_retries": max_retries,
            "timeout": timeout,
            "headers": headers or {},
            "transport": transport,
        }
        settings = Settings(**self._options)
        self._http = http_client
        self._transport: AsyncTransport
        if settings.transport == "grpc":
            with _needs_grpc():
                from ._grpc_aio_transport import AsyncGrpcTransport
            self._transport = AsyncGrpcTransport(settings.address, settings.signing_key)
        else:
            self._http = http_client or httpx.AsyncClient(limits=_LIMITS)
            self._transport = AsyncRestTransport(settings.address, settings.signing_key, self._http)
        self.is_sandbox = settings.is_sandbox
        super().__init__(AsyncCaller(settings, self._transport))

    def with_options(self, **options: Unpack[ClientOptions]) -> AsyncByond:
        """A client with the same options but these, for the calls of a signed-in user, or of another key.

        It shares the connections of this one: closing either closes them.

        Example:
            ```python
            session = await byond.auth.sign_in(email=email, password=password)
            keys = await byond.with_options(access_token=session.access_token).keys.list()
            ```
        """
        merged: ClientOptions = {**self._options, **options}
        if options.get("api_key") and not options.get("access_token"):
            # A key takes the place of an access token. The other way round it does by itself.
            merged["access_token"] = None
        return AsyncByond(**merged, http_client=self._http)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def __aenter__(self) -> AsyncByond:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
