"""The rules of matching at the head of `sdk/cases.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any


def problem_of(actual: Any, expected: Any, path: str = "") -> str | None:
    """What is wrong with a value; None if it matches."""
    wrong = f"{path or 'the outcome'} is {json.dumps(actual, default=str)}, not {json.dumps(expected)}"
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return wrong
        pairs = zip(actual, expected)
        return _first(problem_of(*pair, f"{path}.{index}") for index, pair in enumerate(pairs))
    if not isinstance(expected, dict):
        is_same = actual == expected and isinstance(actual, bool) == isinstance(expected, bool)
        return None if is_same else wrong
    operator = next(iter(expected), "")
    if operator.startswith("$"):
        return None if _holds(actual, operator, expected[operator]) else wrong
    if not isinstance(actual, dict):
        return wrong
    return _first(problem_of(actual.get(name), value, f"{path}.{name}") for name, value in expected.items())


def _holds(actual: Any, operator: str, operand: Any) -> bool:
    if operator == "$match":
        return isinstance(actual, str) and re.search(operand, actual) is not None
    if operator == "$present":
        return actual is not None
    if operator == "$absent":
        return actual is None
    if operator == "$length":
        return isinstance(actual, list) and len(actual) == operand
    if operator == "$at_least":
        number = len(actual) if isinstance(actual, list) else actual
        return number is not None and bool(number >= operand)
    if operator == "$not":
        return problem_of(actual, operand) is not None
    raise ValueError(f"there is no operator {operator}")


def _first(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem is not None), None)
