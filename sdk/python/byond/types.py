"""The types of parameters and results, and the codes of errors."""

from ._generated.types import *  # noqa: F403
