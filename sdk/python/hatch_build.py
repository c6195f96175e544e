"""Copies the licence of the repository into the package when it is built there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class LicenceHook(MetadataHookInterface):
    """Runs before the metadata are made, which name the file."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Copies the file. A source distribution has it already."""
        root = Path(self.root)
        if root.parts[-2:] == ("sdk", "python"):
            shutil.copy(root.parents[1] / "LICENSE", root)
        metadata["license-files"] = ["LICENSE"]
