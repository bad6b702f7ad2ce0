"""Looking at hostile files touches nothing: strace counts what the program asks of the system.

It may open files to read and write to its standard output and error. It starts no program, opens no connection, makes,
renames and removes no file; in a name space without network and with a root that cannot be written, all goes as before.
"""

import os
import re
import shutil
import subprocess

import made
import pytest
from test_hostile import HERE, TIEOUT

# What would touch something: none may be asked for, whatever becomes of it. (execve: once, by strace itself.)
FORBIDDEN = [
    "execve", "execveat", "fork", "vfork", "socket", "connect", "bind", "sendto", "unlink", "unlinkat", "rename", "renameat",
    "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat",
    "chown", "truncate", "ftruncate", "mknod", "mknodat", "ptrace", "kill", "setxattr", "utimensat",
]  # fmt: skip
TRACED = [*FORBIDDEN, "open", "openat", "openat2", "creat"]


def traceable():
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(
    "TIEOUT_SANITIZED" in os.environ, reason="the sanitizers ask the system for more than the program does"
)
needs_strace = pytest.mark.skipif(not traceable(), reason="this system lets no process trace another (strace)")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder with all of them."""
    folder = tmp_path_factory.mktemp("hostile")
    for path in (HERE / "files").iterdir():
        shutil.copy(path, folder)
    for name, content in made.files().items():
        (folder / name).write_bytes(content)
    return folder


def sample(folder):
    return sorted(folder.iterdir())


def read_only(call):
    """Of an open(): that nothing can be written through it, and that it makes no file."""
    return re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)", call) is None


@needs_strace
def test_nothing_is_touched(hostile, tmp_path):
    log = tmp_path / "log"
    asked = ",".join("?" + name for name in TRACED)
    script = 'for file in "$@"; do "$0" inspect "$file" --check; done'
    subprocess.run(
        ["strace", "-f", "-qq", "-o", log, "-e", f"trace={asked}", "sh", "-c", script, TIEOUT, *sample(hostile)],
        capture_output=True,
        timeout=600,
    )
    began = 0
    for line in log.read_text(errors="replace").splitlines():
        call = line.split(maxsplit=1)[1]
        name = call.split("(")[0]
        if name == "execve":  # the shell, then each time the program
            began += 1
        elif name in FORBIDDEN:
            # The shell forks by clone() or vfork() for the program; nothing of the program's own is let through.
            assert name == "vfork", line
        elif name.startswith("open") or name == "creat":
            assert read_only(call), line
    assert began == 1 + len(sample(hostile))


def test_a_read_only_root_without_network(hostile):
    """The same answers where nothing could be touched."""
    inside = 'mount --rbind / / && mount -o remount,ro,bind / && exec sh -c "$0" "$@"'
    script = 'for file in "$@"; do "$0" inspect "$file" >/dev/null 2>&1; echo $?; done'
    files = sample(hostile)
    bare = subprocess.run(["sh", "-c", script, TIEOUT, *files], capture_output=True, text=True, timeout=600)
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c", inside, script, TIEOUT, *files]
    boxed = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if boxed.returncode != 0 and not boxed.stdout:
        pytest.skip(f"this system lets no user make name spaces: {boxed.stderr.strip()}")
    assert boxed.stdout == bare.stdout
    assert len(bare.stdout.split()) == len(files)
