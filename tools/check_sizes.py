"""A source file has at most 400 lines, a function at most 60, and nothing is left for later; says each that breaks this.

Functions of C++ are found by their shape after clang-format: a line at the margin that ends in "{" opens one, the next
line that is "}" closes it (data closes with "};"). Member functions written inside a class are clang-tidy's to find.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "include", "tests", "tools", "bench", "fuzz", "python", "examples", "cmake")
SOURCES = (".h", ".cpp", ".py", ".sh", ".cmake")
FILE_LINES = 400
FUNCTION_LINES = 60

LEFT_FOR_LATER = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
NO_FUNCTION = re.compile(r"(namespace|class|struct|union|enum|extern)\b|[\s}#/]")


def cpp_functions(text):
    """(first line, number of lines) of each function at the margin."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if start is None and line.endswith("{") and not NO_FUNCTION.match(line):
            start = number
        elif start is not None and line.startswith("}"):
            if not line.startswith("};"):
                yield start, number - start + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def functions(path, text):
    if path.suffix in (".h", ".cpp"):
        return cpp_functions(text)
    return python_functions(text) if path.suffix == ".py" else ()


def too_much(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines; at most {FILE_LINES}"
    for first, length in functions(path, text):
        if length > FUNCTION_LINES:
            yield f"{path}:{first}: a function of {length} lines; at most {FUNCTION_LINES}"
    for number, line in enumerate(lines, 1):
        if LEFT_FOR_LATER.search(line):
            yield f"{path}:{number}: left for later: {line.strip()}"


def main():
    paths = [path for top in FOLDERS for path in sorted((ROOT / top).rglob("*")) if path.suffix in SOURCES]
    paths += [ROOT / "dev", ROOT / ".ci" / "run", ROOT / "CMakeLists.txt"]
    found = [
        message for path in paths for message in too_much(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    ]
    print("\n".join([*found, f"sizes: {len(paths)} files, {len(found)} findings"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
