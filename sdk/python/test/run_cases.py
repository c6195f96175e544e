"""Runs `sdk/cases.yaml`, as `sdk/test/run.ts` gives it, with one of the clients: `run_cases.py sync|async <file>`.

The format is documented at the head of that file.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import keyword
import re
import sys
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any, Union

from matching import problem_of

from byond import AsyncByond, Byond, ByondError, sandbox_code, sign_webhook, verify_webhook

Values = dict[str, Any]
Client = Union[Byond, AsyncByond]

AT_ONCE = 6
"""How many cases run at the same time."""

ANYTHING = object()
"""What the outcome of a step is compared with that expects nothing."""


class Runner:
    """Runs cases with clients of one kind."""

    def __init__(self, kind: str, data: Values) -> None:
        self._is_async = kind == "async"
        self._transport = data["transport"]
        self._operations = data["operations"]
        self._cases: list[Values] = data["cases"]

    def run(self) -> None:
        """Runs all cases, and prints a line for each. They are independent, and mostly wait."""
        if self._is_async:
            asyncio.run(self._run_in_tasks())
        else:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(lambda case: asyncio.run(self._report(case)), self._cases))

    async def _run_in_tasks(self) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def run_one(case: Values) -> None:
            async with limit:
                await self._report(case)

        await asyncio.gather(*map(run_one, self._cases))

    async def _report(self, case: Values) -> None:
        try:
            reason = await self._run_case(case)
        except Exception:
            reason = traceback.format_exc()
        result = {"status": "passed"} if reason is None else {"status": "failed", "reason": reason}
        print(json.dumps({"name": case["name"], **result}) + "\n", end="", flush=True)

    async def _run_case(self, case: Values) -> str | None:
        saved: Values = {}
        client = self._make_client(case["client"])
        for index, template in enumerate(case["steps"]):
            for _ in range(template.get("repeat", 1)):
                step = fill_in(template, saved)
                chosen = self._make_client(step["as"]) if "as" in step else client
                problem = await self._run_step(chosen, step, saved)
                ends_at = time.monotonic() + 10
                while problem is not None and step.get("eventually") and time.monotonic() < ends_at:
                    await asyncio.sleep(0.1)
                    problem = await self._run_step(chosen, step, saved)
                if chosen is not client:
                    await close(chosen)
                if problem is not None:
                    name = next(step[kind] for kind in ("call", "iterate", "stream", "helper") if kind in step)
                    return f"step {index + 1} ({name}): {problem}"
        await close(client)
        return None

    def _make_client(self, settings: Values) -> Client:
        options = {name: value for name, value in settings.items() if name != "timeout_ms"}
        if "timeout_ms" in settings:
            options["timeout"] = settings["timeout_ms"] / 1000
        return (AsyncByond if self._is_async else Byond)(transport=self._transport, **options)

    async def _run_step(self, client: Client, step: Values, saved: Values) -> str | None:
        """What is wrong with a step; None if nothing is. Keeps what it saves."""
        try:
            outcome = to_wire(await self._carry_out(client, step))
            if "error" in step:
                return f"it did not fail, but returned {json.dumps(outcome)}"
        except ByondError as error:
            if "error" not in step:
                return f"{error!r} {error}"
            outcome = {**vars(error), "resets_at": to_wire(error.resets_at), "message": error.message}
        expected = step.get("error", step.get("expect", ANYTHING))
        problem = None if expected is ANYTHING else problem_of(outcome, expected)
        if problem is None:
            for name, path in step.get("save", {}).items():
                saved[name] = reduce(member, path.split("."), outcome)
        return problem

    async def _carry_out(self, client: Client, step: Values) -> Any:
        parameters = step.get("with", {})
        if "helper" in step:
            return call_helper(step["helper"], parameters)
        outcome = self._call_method(client, step, parameters)
        take = step.get("take")
        if take == 0:
            return []
        if "call" in step:
            return await outcome if inspect.isawaitable(outcome) else outcome
        elements = []
        if self._is_async:
            async for element in outcome:
                elements.append(element)
                if len(elements) == take:
                    break
        else:
            for element in outcome:
                elements.append(element)
                if len(elements) == take:
                    break
        if "stream" in step:
            await close(outcome)
        return elements

    def _call_method(self, client: Client, step: Values, parameters: Values) -> Any:
        """Path parameters are arguments by position, all others by name."""
        id = next(step[kind] for kind in ("call", "iterate", "stream") if kind in step)
        path = self._operations[id]["path"]
        options = dict(step.get("options", {}))
        if "timeout_ms" in options:
            options["timeout"] = options.pop("timeout_ms") / 1000
        service, method = id.split(".")
        return getattr(getattr(client, service), method)(
            *(parameters[name] for name in path),
            **{python_name(name): value for name, value in parameters.items() if name not in path},
            **({"options": options} if options else {}),
        )


async def close(what: Any) -> None:
    """Closes a client or a stream of either kind."""
    if hasattr(what, "aclose"):
        await what.aclose()
    else:
        what.close()


def call_helper(name: str, parameters: Values) -> Any:
    if name == "verify_webhook":
        return verify_webhook(**parameters)
    if name == "sign_webhook":
        headers = sign_webhook(**parameters)
        return verify_webhook(headers, parameters["body"], parameters["secret"])
    if name == "sandbox_code":
        return sandbox_code(**parameters)
    raise ValueError(f"there is no helper {name}")


def fill_in(template: Any, values: Mapping[str, Any]) -> Any:
    """Replaces `${name}`, also within texts. A text that is nothing else becomes the value itself."""
    if isinstance(template, str):
        whole = re.fullmatch(r"\$\{(\w+)\}", template)
        if whole and whole[1] in values:
            return values[whole[1]]
        return re.sub(r"\$\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), template)
    if isinstance(template, list):
        return [fill_in(one, values) for one in template]
    if isinstance(template, dict):
        return {name: fill_in(one, values) for name, one in template.items()}
    return template


def python_name(name: str) -> str:
    """Words of the language have an underscore."""
    return f"{name}_" if keyword.iskeyword(name) else name


def wire_name(name: str) -> str:
    return name[:-1] if keyword.iskeyword(name[:-1]) else name


def to_wire(value: Any) -> Any:
    """A result as the JSON of the API."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, (list, tuple)):
        return [to_wire(one) for one in value]
    if isinstance(value, dict):
        return {name: to_wire(one) for name, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {wire_name(field.name): to_wire(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "next_page_token"):
        return {"items": to_wire(value.items), "next_page_token": value.next_page_token}
    return value


def member(outcome: Any, key: str) -> Any:
    if key == "":
        return outcome
    return outcome[int(key)] if isinstance(outcome, list) else outcome[key]


if __name__ == "__main__":
    Runner(sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))).run()
