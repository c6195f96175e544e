"""Parses every file of the client, and names those that are not C#."""

import sys
from pathlib import Path

import tree_sitter_c_sharp
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_c_sharp.language()))
files = sorted(Path("client").rglob("*.cs"))
broken = [str(file) for file in files if parser.parse(file.read_bytes()).root_node.has_error]
if broken or not files:
    sys.exit(f"not C#: {broken}")
