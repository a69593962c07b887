"""Set-up: the locks, the unit, and what a person is told when something is missing."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = (
    "requirements.txt",
    "requirements-build.txt",
    "requirements-dev.txt",
    "requirements-campaigns.txt",
)
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^\s;]+)")
UNIT = ROOT / "config/systemd/distress-gateway.service"


def pins(lock: str) -> dict[str, str]:
    """Return the version of each package in a lock."""
    found = map(PIN.match, (ROOT / lock).read_text("utf-8").splitlines())
    return {pin[1]: pin[2] for pin in found if pin}


def make(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return run("make", "--no-print-directory", *words, cwd=cwd)


def run(*words: str, cwd: Path, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # our own scripts
        words, cwd=cwd, env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60
    )


# ---- Locks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_proven_by_a_hash_and_names_no_place(lock):
    text = (ROOT / lock).read_text("utf-8")
    entries = re.split(r"\n(?=[a-z])", text.partition("\n#    make lock\n")[2])

    assert len(entries) == len(pins(lock))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ |^-e", text, re.MULTILINE)


def test_the_locks_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-build.txt": [
            *project["build-system"]["requires"],
            *project["dependency-groups"]["build"],
        ],
        "requirements-dev.txt": project["dependency-groups"]["dev"],
        "requirements-campaigns.txt": project["dependency-groups"]["campaigns"],
    }

    for lock, lines in asked.items():
        assert {re.match(r"[\w-]+", line)[0] for line in lines} <= pins(lock).keys()


def test_the_locks_agree_with_each_other():
    run_time, build, dev, campaigns = (pins(lock) for lock in LOCKS)

    for name, version in (*dev.items(), *campaigns.items()):
        others = {lock.get(name, version) for lock in (run_time, build, dev)}
        assert others == {version}, name


# ---- Two commands -------------------------------------------------------------------------------


def test_continuous_integration_calls_make_test_and_nothing_else():
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]

    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_make_alone_lists_every_target():
    targets = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    told = make().stdout

    assert {f"make {name}" for name in targets[1].split() if name != "FORCE"} == set(
        re.findall(r"make [a-z]+", told)
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder, with a space in its name, that holds the set-up alone."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    return folder


def stub(folder: Path, name: str, body: str) -> str:
    """Write a program and return its path."""
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_is_not_there_is_named(checkout):
    done = run("bash", ".ci/venv", "no-such-python", cwd=checkout)

    assert done.returncode == 2
    assert "no-such-python" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_python_too_old_is_told_so(checkout):
    old = stub(
        checkout,
        "old",
        '[[ $2 == *sys.exit* ]] && exit 1\n[[ $2 == *realpath* ]] && echo "3.9 $0"',
    )
    done = run("bash", ".ci/venv", old, cwd=checkout)

    assert done.returncode == 2
    assert "is Python 3.9; the gateway needs 3.11 or newer" in done.stderr


def test_a_python_without_venv_says_what_to_install(checkout):
    """Debian keeps venv in a package of its own; who can't install it is told its name."""
    bare = stub(
        checkout,
        "bare",
        '[[ $2 == *realpath* ]] && echo "3.11 $0"\n[[ $2 == *ensurepip* ]] && exit 1\nexit 0',
    )
    (checkout / "bin").mkdir()
    for name in ("bash", "rm", "mkdir"):
        (checkout / "bin" / name).symlink_to(shutil.which(name))
    done = run("bash", ".ci/venv", bare, cwd=checkout, path=str(checkout / "bin"))

    assert done.returncode == 2
    assert "apt-get install python3.11-venv" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.fixture
def maker(checkout: Path) -> str:
    """Return a Python whose venvs are made at once: a folder and a Python that works."""
    return stub(
        checkout,
        "maker",
        '[[ $2 == *realpath* ]] && echo "3.11 $0"\n'
        '[[ $2 == venv ]] && mkdir -p "$3/bin" && echo "#!/bin/bash" >"$3/bin/python" '
        '&& chmod +x "$3/bin/python"\nexit 0',
    )


def test_a_venv_that_fits_is_left_alone(checkout, maker):
    first = run("bash", ".ci/venv", maker, cwd=checkout)
    mark = checkout / ".venv/mark"
    mark.touch()
    again = run("bash", ".ci/venv", maker, cwd=checkout)
    unasked = run("bash", ".ci/venv", "", cwd=checkout)

    assert "making .venv" in first.stdout
    assert (again.stdout, unasked.stdout) == ("", "")
    assert mark.exists()


@pytest.mark.parametrize("change", ["moved", "broken", "other"])
def test_a_venv_that_no_longer_fits_is_made_anew(checkout, maker, change):
    run("bash", ".ci/venv", maker, cwd=checkout)
    (checkout / ".venv/mark").touch()
    if change == "moved":
        checkout = checkout.rename(checkout.with_name("elsewhere"))
        maker = str(checkout / "maker")
    elif change == "broken":
        (checkout / ".venv/bin/python").unlink()
    else:
        maker = shutil.copy(maker, checkout / "other")
    done = run("bash", ".ci/venv", str(maker), cwd=checkout)

    assert "making .venv" in done.stdout
    assert not (checkout / ".venv/mark").exists()


# ---- The service --------------------------------------------------------------------------------


def test_the_unit_is_tightly_closed():
    """`systemd-analyze security` gives 1.8 of 10 or less; 10 is wide open.

    0.5 of it is for being able to ask for the quality of the clock, and for the boot's name.
    """
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    done = run(analyze, "security", "--offline=true", "--threshold=18", str(UNIT), cwd=ROOT)

    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_says_what_the_operations_page_says():
    unit = UNIT.read_text("utf-8")
    page = (ROOT / "docs/OPERATIONS.md").read_text("utf-8")

    for key in ("User", "StateDirectory", "ExecStart"):
        value = re.search(rf"^{key}=(\S+)", unit, re.MULTILINE)[1]
        assert value in page
    assert re.search(r"^Type=notify$", unit, re.MULTILINE)
    assert re.search(r"^DevicePolicy=closed$", unit, re.MULTILINE)
