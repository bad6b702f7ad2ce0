"""The folders of src/ may include each other in one direction only; says each line that goes another way.

The table is ARCHITECTURE.md's "who may include whom". Formats know bytes and layers know meaning, so neither includes
the other: that keeps a new format, or a new layer, within its own folder.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = "tieout"  # include/tieout/: open to all

MAY_INCLUDE = {
    "base": set(),
    "tensor": {"base"},
    "containers": {"base", "tensor"},
    "model": {"base", "tensor"},
    "formats": {"base", "tensor", "containers", "model"},
    "layers": {"base", "tensor", "model"},
    "convert": {"base", "tensor", "model", "layers"},
    "verify": {"base", "tensor", "containers", "model", "layers", "convert"},
    "report": {"base", "tensor", "model", "layers", "convert", "verify"},
}
ALL = set(MAY_INCLUDE) | {"cli"}
SPINE = "src/"  # the files that stand in no folder, tieout.cpp and what it is made of: for each other and for the cli
MAY_INCLUDE["cli"] = ALL | {SPINE}

INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')


def allowed_from(path):
    """The folders that the source file at `path` (relative to the root) may include; None where it has no rule."""
    if path.parts[0] == "include":
        return set()
    if len(path.parts) == 2:
        return ALL | {SPINE}
    folder = path.parts[1]
    return MAY_INCLUDE[folder] | {folder} if folder in MAY_INCLUDE else None


def wrong_includes(path, text):
    allowed = allowed_from(path)
    if allowed is None:
        yield f"{path}: tools/check_includes.py has no rule for the folder {path.parts[1]}"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        folder = match[1].split("/")[0] if "/" in match[1] else SPINE
        if folder in (".", "..") or (folder == SPINE and not (ROOT / "src" / match[1]).exists()):
            yield f'{path}:{number}: "{match[1]}": write the path from src/ or include/'
        elif folder != PUBLIC and folder not in allowed:
            yield f"{path}:{number}: {path.parent} may not include {match[1]}"


def main():
    paths = [
        path for top in ("src", "include") for path in sorted((ROOT / top).rglob("*")) if path.suffix in (".h", ".cpp")
    ]
    found = [
        message
        for path in paths
        for message in wrong_includes(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    ]
    print("\n".join([*found, f"includes: {len(paths)} files, {len(found)} in a wrong direction"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
