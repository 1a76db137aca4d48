"""What identifies the code of a component: a hash of its module and of what that imports from its own package."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from spikefront.components import Component


def source_hash(component: type[Component]) -> str:
    """Return the SHA-256 of the files that a component is made from, in hexadecimal; "" where there are none.

    These are its module and all modules of the same package that it imports, directly or not. Other packages are known
    by their versions.
    """
    return _hash_of(component.__module__)


@functools.cache
def _hash_of(module: str) -> str:
    files = _files(module)
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: (path.name, path)):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest() if files else ""


def _files(module: str) -> set[Path]:
    """Return the files of a module and of all that it imports from its own package."""
    package = module.partition(".")[0]
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] != package:
            continue
        path = _path(name)
        if path:
            found[name] = path
            waiting += _imported(name, path)
    return set(found.values())


def _path(name: str) -> Path | None:
    """Return the file of a module; None where the name is that of something in a module, or there is no file."""
    try:
        spec = sys.modules[name].__spec__ if name in sys.modules else importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield all names that the imports of a module may stand for."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            if node.level:
                base = importlib.util.resolve_name(base, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
