"""Write the map of modules into ARCHITECTURE.md from the modules' own first sentences.

`python scripts/architecture.py` rewrites the block between the two markers; with `--check` it only
says whether the block is true (exit 1 when it is not).
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN = "<!-- map: written by scripts/architecture.py -->"
END = "<!-- end of map -->"


def sentence(path: Path) -> str:
    """Return the first paragraph of a module's docstring as one line."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "(no docstring)"
    return " ".join(doc.split("\n\n")[0].split())


def block() -> str:
    """Return the map: one line per module, folders first named by their `__init__`."""
    source = ROOT / "src" / "gonogo"
    lines = ["```text", f"gonogo/   {sentence(source / '__init__.py')}"]
    for path in sorted(source.glob("*.py")):
        if path.name != "__init__.py":
            lines.append(f"  {path.name:<22} {sentence(path)}")  # noqa: PERF401
    for folder in sorted(p for p in source.iterdir() if (p / "__init__.py").exists()):
        lines.append(f"  {folder.name + '/':<22} {sentence(folder / '__init__.py')}")
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                lines.append(f"    {path.name:<20} {sentence(path)}")  # noqa: PERF401
    return "\n".join([*lines, "```"])


def main() -> int:
    """Rewrite or check the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    written = f"{before}{BEGIN}\n{block()}\n{END}{after}"
    if "--check" in sys.argv:
        if written != page:
            print("ARCHITECTURE.md is not true any more: run scripts/architecture.py")
        return int(written != page)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
