"""What a client does that no server of Byond can be made to ask for: the cases are in `sdk/cases.yaml`."""

from __future__ import annotations

import asyncio
import pickle
import time
import unittest
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from unittest import mock

import anyio
import httpx
from local_server import LocalServer, answer_json

from byond import AsyncByond, Byond, ByondError, verify_webhook
from byond._settings import Settings
from byond._silence_watch import SilenceWatch
from byond.types import UnknownEvent

LOOKUP = '{"input": "+65", "valid": true, "line_type": "satellite", "colour": "blue"}'


def answer_lookup(request: BaseHTTPRequestHandler) -> None:
    answer_json(request, LOOKUP)


def drip(request: BaseHTTPRequestHandler) -> None:
    """An answer of which a byte comes in time, again and again."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        pass


def one_event_and_silence(request: BaseHTTPRequestHandler) -> None:
    """A stream that says something once, and nothing more."""
    request.send_response(200)
    request.send_header("Content-Type", "text/event-stream")
    request.end_headers()
    id = int(request.headers.get("Last-Event-ID", "0")) + 1
    request.wfile.write(f'id: {id}\ndata: {{"id": "evt_{id}", "type": "moon.risen", "data": 7}}\n\n'.encode())
    request.rfile.read(1)


class ClientTest(unittest.TestCase):
    """Tests of both clients."""

    def serve(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> LocalServer:
        server = LocalServer(answer).__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        return server

    def answering(self, text: str, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
        return lambda request: answer_json(request, text, status)

    def byond(self, server: LocalServer) -> Byond:
        client = Byond(base_url=server.url, api_key="pk_test_x", max_retries=0)
        self.addCleanup(client.close)
        return client

    def test_newer_server(self) -> None:
        """what a newer server adds is no error, and what an older one leaves out is None"""
        result = self.byond(self.serve(answer_lookup)).lookup.number(number="+65")
        self.assertEqual((result.line_type, result.valid, result.country), ("satellite", True, None))

    def test_keys_with_line_breaks(self) -> None:
        """a key that cannot be a header is told without it; a line break at its end is that of a file"""
        server = self.serve(answer_lookup)
        with self.assertRaises(ValueError) as raised:
            Byond(base_url=server.url, api_key="pk_test_0123.se\ncret").lookup.number(number="+65")
        self.assertNotIn("cret", str(raised.exception))
        self.assertNotIn("secret", repr(Settings(api_key="pk_test_0123.secret")))
        Byond(base_url=server.url, api_key="pk_test_0123.secret\r\n").lookup.number(number="+65")
        self.assertEqual(server.headers[0]["x-api-key"], "pk_test_0123.secret")

    def test_base_url_without_scheme(self) -> None:
        """an address without a scheme is refused"""
        with self.assertRaises(ValueError):
            Byond(base_url="localhost:8080")

    def test_answers_that_are_no_results(self) -> None:
        """JSON that is no result of the API is told as one error, and so are values that are not of their type"""
        for body in ("null", "[]", '{"ok":true,"data":null}', '{"expires_at":"soon"}'):
            with self.assertRaises(ByondError) as raised:
                self.byond(self.serve(self.answering(body))).verify.start(channel="email", recipient="x")
            self.assertEqual(raised.exception.code, "invalid_response")
        with self.assertRaises(ByondError) as raised:
            self.byond(self.serve(self.answering("null"))).verify.list()
        self.assertEqual(raised.exception.code, "invalid_response")

    def test_negative_retry_after(self) -> None:
        """a time to wait that is negative is none"""
        byond = self.byond(self.serve(self.answering('{"error":{"code":"rate_limited","retry_after":-5}}', 429)))
        with self.assertRaises(ByondError) as raised:
            byond.lookup.number(number="+65", options={"max_retries": 1})
        self.assertEqual((raised.exception.code, raised.exception.retry_after), ("rate_limited", None))

    def test_secret_that_is_empty(self) -> None:
        """the secret of a webhook must not be empty: everybody could sign with it"""
        for secret in ("", "whsec_", "\n"):
            with self.assertRaises(ValueError):
                verify_webhook({}, "{}", secret)

    def test_key_instead_of_session(self) -> None:
        """a key of its own takes the place of the session"""
        server = self.serve(answer_lookup)
        session = Byond(base_url=server.url, access_token="ey.token")
        session.with_options(api_key="pk_test_0123.secret").lookup.number(number="+65")
        self.assertEqual(server.headers[0]["x-api-key"], "pk_test_0123.secret")
        self.assertNotIn("authorization", server.headers[0])

    def test_deadline_of_dripping_answer(self) -> None:
        """a deadline ends a call whose answer comes a byte at a time"""
        server = self.serve(drip)
        started = time.monotonic()
        with self.assertRaises(ByondError) as caught:
            self.byond(server).lookup.number(number="+65", options={"timeout": 0.3})
        self.assertEqual(caught.exception.code, "timed_out")

        async def call() -> None:
            async with AsyncByond(base_url=server.url, api_key="pk_test_x") as byond:
                await byond.lookup.number(number="+65", options={"timeout": 0.3})

        with self.assertRaises(ByondError) as caught:
            asyncio.run(call())
        self.assertEqual(caught.exception.code, "timed_out")
        self.assertLess(time.monotonic() - started, 5)

    def test_silent_stream(self) -> None:
        """a stream goes on where it was when its connection is silent, and keeps events that it does not know"""
        server = self.serve(one_event_and_silence)

        async def read() -> list[object]:
            async with AsyncByond(base_url=server.url, api_key="pk_test_x") as byond, byond.events.stream() as stream:
                return [await stream.__anext__(), await stream.__anext__()]

        with mock.patch("byond._rest_transport.SILENCE_SECONDS", 0.2):
            with self.byond(server).with_options(max_retries=1).events.stream() as stream:
                events: list[object] = [next(stream), next(stream)]
                self.assertEqual(stream.resume_after, "2")
            both = [events, asyncio.run(read())]
        for first, second in both:
            assert isinstance(first, UnknownEvent)
            assert isinstance(second, UnknownEvent)
            self.assertEqual((first.type, first.data, second.id), ("moon.risen", 7, "evt_2"))
        self.assertEqual([headers.get("last-event-id") for headers in server.headers], [None, "1", None, "1"])

    def test_silence_watch(self) -> None:
        """a stream of gRPC is ended when nothing comes for too long, and not while its reader is busy"""
        ended: list[float] = []
        with SilenceWatch(lambda: ended.append(time.monotonic()), 0.5) as watch:
            watch.expect(None)
            watch.expect(0.05)
            watch._thread.join(5)
        self.assertEqual(len(ended), 1)
        with SilenceWatch(lambda: ended.append(time.monotonic()), 60) as watch:
            watch.expect(None)
        watch._thread.join(5)
        self.assertEqual((len(ended), watch._thread.is_alive()), (1, False))

    def test_path_parameters(self) -> None:
        """an id cannot lead to another operation"""
        server = self.serve(lambda request: answer_json(request, "{}"))
        byond = self.byond(server)
        for id in ("../../keys", "a/b?c#d"):
            byond.webhooks.get(id)
        prefix = "/api/v1/webhooks/"
        quoted = ["..%2F..%2Fkeys", "a%2Fb%3Fc%23d"]
        self.assertEqual(server.paths, [prefix + one for one in quoted])
        for id in ("", ".", ".."):
            with self.assertRaises(ValueError):
                byond.webhooks.delete(id)
        self.assertEqual(len(server.paths), 2)

    def test_redirection(self) -> None:
        """a redirection is not followed, whatever the client for HTTP would do"""

        def redirect(request: BaseHTTPRequestHandler) -> None:
            request.send_response(307)
            request.send_header("Location", "/elsewhere")
            request.send_header("Content-Length", "0")
            request.end_headers()

        server = self.serve(redirect)
        with httpx.Client(follow_redirects=True) as http, self.assertRaises(ByondError) as caught:
            Byond(base_url=server.url, api_key="pk_test_x", http_client=http).lookup.number(number="+65")
        self.assertEqual((caught.exception.code, caught.exception.status), ("invalid_response", 307))
        self.assertEqual(len(server.paths), 1)

    def test_times(self) -> None:
        """times are sent in UTC, and those without a time zone are refused"""
        server = self.serve(lambda request: answer_json(request, '{"verifications": []}'))
        byond = self.byond(server)
        zone = timezone(timedelta(hours=8))
        byond.verify.list(
            created_after=datetime(2026, 6, 15, 18, 30, tzinfo=zone), created_before="2026-06-16T00:00:00Z"
        )
        query = "created_after=2026-06-15T10%3A30%3A00Z&created_before=2026-06-16T00%3A00%3A00Z"
        self.assertEqual(server.paths, [f"/api/v1/verifications?{query}"])
        with self.assertRaises(ValueError):
            byond.verify.list(created_after=datetime(2026, 6, 15))

    def test_with_options(self) -> None:
        """a copy for a session sends the session instead of the key, and own headers replace those of the client"""
        server = self.serve(answer_lookup)
        byond = self.byond(server).with_options(headers={"X-Shop": "1"})
        copy = byond.with_options(access_token="token", mode="test")
        copy.lookup.number(number="+65", options={"headers": {"x-shop": "2", "User-Agent": "shop"}})
        (headers,) = server.headers
        sent = {
            name: headers.get(name) for name in ("authorization", "byond-mode", "x-api-key", "x-shop", "user-agent")
        }
        self.assertEqual(
            sent,
            {
                "authorization": "Bearer token",
                "byond-mode": "test",
                "x-api-key": None,
                "x-shop": "2",
                "user-agent": "shop",
            },
        )
        self.assertEqual((byond.is_sandbox, copy.is_sandbox), (True, True))
        self.assertFalse(byond.with_options(access_token="token").is_sandbox)

    def test_environment(self) -> None:
        """address and key come from the environment, the address also with the path of the API"""
        server = self.serve(answer_lookup)
        variables = {"BYOND_BASE_URL": f"{server.url}/api/v1/", "BYONDAPI_KEY": "pk_live_x"}
        with mock.patch.dict("os.environ", variables), Byond() as byond:
            byond.lookup.number(number="+65")
        self.assertEqual((server.paths, byond.is_sandbox), (["/api/v1/lookup?number=%2B65"], False))
        self.assertEqual(server.headers[0]["x-api-key"], "pk_live_x")

    def test_cancel(self) -> None:
        """canceling a task ends its call at once"""

        async def cancel() -> None:
            arrived = asyncio.Event()
            loop = asyncio.get_running_loop()

            def note_and_drip(request: BaseHTTPRequestHandler) -> None:
                loop.call_soon_threadsafe(arrived.set)
                drip(request)

            server = self.serve(note_and_drip)
            async with AsyncByond(base_url=server.url, api_key="pk_test_x") as byond:
                task = asyncio.ensure_future(byond.lookup.number(number="+65"))
                await arrived.wait()
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

        asyncio.run(asyncio.wait_for(cancel(), 5))

    def test_trio(self) -> None:
        """AsyncByond works with trio"""
        server = self.serve(answer_lookup)

        async def call() -> bool:
            async with AsyncByond(base_url=server.url, api_key="pk_test_x") as byond:
                return (await byond.lookup.number(number="+65")).valid

        self.assertTrue(anyio.run(call, backend="trio"))

    def test_errors_travel(self) -> None:
        """an error can be pickled, as task queues do"""
        error = ByondError("No.", code="validation_error", status=400, fields={"recipient": "is empty"})
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(copy), vars(copy)), ("No. (validation_error, recipient: is empty)", vars(error)))
