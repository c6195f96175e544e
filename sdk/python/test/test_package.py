"""The wheel, built and installed into an empty environment."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import venv
import zipfile
from pathlib import Path
from typing import ClassVar

SDK = Path(__file__).parents[1]
ROOT = SDK.parents[1]

PUBLIC = [
    *sorted((SDK / "byond/_generated").glob("*services.py")),
    SDK / "byond/_generated/types.py",
    *(
        SDK / f"byond/{name}.py"
        for name in re.findall(r"from \.(\w+) import", (SDK / "byond/__init__.py").read_text("utf-8"))
    ),
]
"""The modules whose public names are exported."""

PROGRAM = """
from typing import Optional
from byond import Byond, ByondError, verify_webhook
from byond.types import ApiKey, Event, Verification

byond = Byond(api_key="pk_test_x", timeout=1.0)

def use() -> Optional[ApiKey]:
    for event in byond.events.stream(types=["verification.approved"]):
        if event.type == "verification.approved":
            show(event.data)
        if event.type == "api_key.created":
            return event.data
    webhook = verify_webhook({}, b"", "whsec_")
    if webhook.type == "ping":
        reveal_type(webhook.data)
    for verification in byond.verify.list(status="approved"):
        show(verification)
    byond.lookup.number(number="+6591234567", options={"timeout": 2.0})
    byond.with_options(access_token="x", mode="test")
    byond.verify.start(channel="fax", recipient="x")
    byond.verify.start(channel="sms")
    byond.lookup.number(number="x", options={"timeOut": 2.0})
    byond.with_options(accessToken="x")
    return byond.keys.list().items[0]

def show(verification: Verification) -> None:
    raise ByondError(str(verification.approved_at), code="internal")
"""

README_NAMES = """
import os
from typing import Any
from byond import Byond, ByondError
byond = Byond(api_key="pk_test_x")
app: Any
request: Any
webhook_id = email = password = recipient = last_seen = ""
def approve(verification_id: str) -> None: ...
def try_again_in(seconds: float | None) -> None: ...
"""
"""What the examples of the README name, but do not define."""


class PackageTest(unittest.TestCase):
    """Tests of the wheel."""

    folder: ClassVar[Path]
    wheel: ClassVar[Path]
    python: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)
        run("-m", "build", "--no-isolation", "--outdir", str(cls.folder), str(SDK))
        (cls.wheel,) = cls.folder.glob("*.whl")
        environment = cls.folder / "environment"
        venv.create(environment)
        cls.python = environment / "bin/python"
        run("-m", "pip", "--python", str(cls.python), "install", "--quiet", str(cls.wheel))

    def test_contents(self) -> None:
        """the wheel has the version and the licence of the server, and nothing but code, the schema and texts"""
        package = json.loads((ROOT / "package.json").read_text("utf-8"))
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            info = f"byond_sdk-{package['version']}.dist-info"
            metadata = archive.read(f"{info}/METADATA").decode()
            self.assertEqual(archive.read(f"{info}/licenses/LICENSE"), (ROOT / "LICENSE").read_bytes())
        self.assertIn(f"\nLicense-Expression: {package['license']}\n", metadata)
        others = [name for name in names if not name.startswith(f"{info}/") and not name.endswith(".py")]
        self.assertEqual(sorted(others), ["byond/_generated/schema.binpb", "byond/py.typed"])

    def test_readme(self) -> None:
        """the first lines of the README do what it says, as pasted"""
        readme = (SDK / "README.md").read_text("utf-8")
        code, *_ = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        self.assertLessEqual(len(code.strip().splitlines()), 5)
        program = self.folder / "try.py"
        program.write_text(code, "utf-8")
        variables = {name: os.environ[name] for name in ("BYOND_URL", "BYONDAPI_KEY")}
        started = time.monotonic()
        output = subprocess.run(
            [self.python, program], cwd=self.folder, env=variables, check=True, capture_output=True, text=True
        ).stdout
        self.assertRegex(
            output,
            r"^CheckVerificationResponse\(verification_id='vrf_\w{22}', status='approved', fixed_code=None\)\n$",
        )
        self.assertLess(time.monotonic() - started, 10)

    def test_without_grpc(self) -> None:
        """gRPC is optional, and says what to install where it is missing"""
        program = "from byond import Byond; Byond(api_key='pk_test_x').close(); Byond(transport='grpc')"
        result = subprocess.run([self.python, "-c", program], capture_output=True, text=True)
        self.assertRegex(result.stderr, r'ImportError: gRPC needs more packages: pip install "byond-sdk\[grpc\]"\n$')

    def test_types(self) -> None:
        """its types accept what is right, refuse what is wrong, and tell events apart"""
        program = self.folder / "program.py"
        program.write_text(PROGRAM, "utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--python-executable", self.python, program.name],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        errors = re.findall(r"^program.py:(\d+): (?:error: |note: (?=Revealed))(.*)$", result.stdout, re.MULTILINE)
        lines = PROGRAM.splitlines()
        found = [(lines[int(line) - 1].strip(), message.split("  [")[-1].strip("]")) for line, message in errors]
        self.assertEqual(
            found,
            [
                ("reveal_type(webhook.data)", 'Revealed type is "None"'),
                ('byond.verify.start(channel="fax", recipient="x")', "arg-type"),
                ('byond.verify.start(channel="sms")', "call-arg"),
                ('byond.lookup.number(number="x", options={"timeOut": 2.0})', "arg-type"),
                ('byond.with_options(accessToken="x")', "call-arg"),
            ],
        )

    def test_readme_types(self) -> None:
        """every example of the README passes mypy"""
        examples = re.findall(r"```python\n(.*?)```", (SDK / "README.md").read_text("utf-8"), re.DOTALL)
        functions = [
            f"def example_{index}() -> Any:\n{textwrap.indent(code, '    ')}" for index, code in enumerate(examples)
        ]
        program = self.folder / "examples.py"
        program.write_text("\n".join([README_NAMES, *functions]), "utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--check-untyped-defs", "--python-executable", self.python, program.name],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertGreater(len(examples), 5)


class SourceTest(unittest.TestCase):
    """Tests of the code itself."""

    def test_static_checks(self) -> None:
        """the code passes mypy --strict and ruff"""
        for command in (["mypy"], ["ruff", "check"], ["ruff", "format", "--check"]):
            result = subprocess.run([sys.executable, "-m", *command], cwd=SDK, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_documentation(self) -> None:
        """everything public is documented"""
        self.assertEqual(
            [
                f"{path.relative_to(SDK)}: {name}"
                for path in PUBLIC
                for name in undocumented(ast.parse(path.read_text("utf-8")))
            ],
            [],
        )


def undocumented(node: ast.Module | ast.ClassDef, owner: str = "") -> list[str]:
    """The public classes, functions and fields without a docstring."""
    found = []
    for member, after in zip(node.body, [*node.body[1:], None]):
        name = getattr(member, "name", "")
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and owner:
            name = member.target.id
            has_doc = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        elif isinstance(member, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            has_doc = ast.get_docstring(member) is not None
        else:
            continue
        if name.startswith("_"):
            continue
        if not has_doc:
            found.append(f"{owner}{name}")
        if isinstance(member, ast.ClassDef):
            found.extend(undocumented(member, f"{name}."))
    return found


def run(*arguments: str) -> None:
    """Runs Python with arguments, and shows the output if it fails."""
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{arguments} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
