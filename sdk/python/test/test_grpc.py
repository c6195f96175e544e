"""Connections over gRPC that are lost, which the proxy of the cases does not do."""

from __future__ import annotations

import asyncio
import socket
import threading
import unittest
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any
from unittest import mock

import grpc
from google.protobuf import message_factory

from byond import AsyncByond, Byond, ByondError
from byond._generated.operations import EVENTS_STREAM
from byond._grpc_messages import method_of


class StreamServer(grpc.GenericRpcHandler):
    """A server with a stream that says one thing, and is then cut or silent."""

    def __init__(self, is_silent: bool) -> None:
        self.requests: list[Any] = []
        self._is_silent = is_silent
        self._method = method_of(EVENTS_STREAM)
        self._http = grpc.server(futures.ThreadPoolExecutor(8), handlers=[self])
        self.url = f"http://127.0.0.1:{self._http.add_insecure_port('127.0.0.1:0')}"
        self._http.start()

    def stop(self) -> None:
        self._http.stop(None).wait()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        request_class = message_factory.GetMessageClass(self._method.input_type)
        return grpc.unary_stream_rpc_method_handler(
            self._stream, request_class.FromString, lambda message: message.SerializeToString()
        )

    def _stream(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.requests.append(request)
        number = int(request.after or "0") + 1
        answer: Any = message_factory.GetMessageClass(self._method.output_type)()
        answer.resume_after = str(number)
        answer.event.id = f"evt_{number}"
        yield answer
        if self._is_silent:
            over = threading.Event()
            context.add_callback(over.set)
            over.wait(10)
        else:
            context.abort(grpc.StatusCode.UNAVAILABLE, "The connection is cut.")


class GrpcTest(unittest.TestCase):
    """Tests of both clients."""

    def read_two(self, url: str) -> list[list[str]]:
        async def read() -> list[str]:
            async with AsyncByond(base_url=url, transport="grpc") as byond, byond.events.stream() as stream:
                return [(await stream.__anext__()).id, (await stream.__anext__()).id]

        with Byond(base_url=url, transport="grpc") as byond, byond.events.stream() as stream:
            return [[next(stream).id, next(stream).id], asyncio.run(read())]

    def test_cut_stream(self) -> None:
        """a stream over gRPC goes on where its connection was cut"""
        server = StreamServer(is_silent=False)
        self.addCleanup(server.stop)
        self.assertEqual(self.read_two(server.url), [["evt_1", "evt_2"]] * 2)
        self.assertEqual([request.after for request in server.requests], ["", "1", "", "1"])

    def test_silent_stream(self) -> None:
        """a stream over gRPC goes on where its connection fell silent"""
        server = StreamServer(is_silent=True)
        self.addCleanup(server.stop)
        with (
            mock.patch("byond._grpc_transport.SILENCE_SECONDS", 0.2),
            mock.patch("byond._grpc_aio_transport.SILENCE_SECONDS", 0.2),
        ):
            self.assertEqual(self.read_two(server.url), [["evt_1", "evt_2"]] * 2)

    def codes(self, url: str) -> list[str]:
        """The codes with which calls and streams of both clients fail."""

        async def call(is_stream: bool) -> object:
            async with AsyncByond(base_url=url, transport="grpc", max_retries=0, timeout=0.3) as byond:
                return await (byond.events.stream().__anext__() if is_stream else byond.auth.me())

        codes = []
        with Byond(base_url=url, transport="grpc", max_retries=0, timeout=0.3) as byond:
            attempts: list[Callable[[], object]] = [
                byond.auth.me,
                lambda: next(byond.events.stream()),
                lambda: asyncio.run(call(False)),
                lambda: asyncio.run(call(True)),
            ]
            for attempt in attempts:
                with self.assertRaises(ByondError) as caught:
                    attempt()
                codes.append(caught.exception.code)
        return codes

    def test_unreachable(self) -> None:
        """a server that is not there is connection_failed over gRPC, and one that says nothing timed_out"""
        with socket.socket() as closed, socket.socket() as silent:
            for one in (closed, silent):
                one.bind(("127.0.0.1", 0))
            silent.listen()
            urls = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in (closed, silent)]
            self.assertEqual([self.codes(url) for url in urls], [["connection_failed"] * 4, ["timed_out"] * 4])
