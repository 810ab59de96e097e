"""The suites as a whole: every promise is put to the test, and every check reads as a specification."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from netassay.claims import CLAIMS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "suites").glob("*/test_*.py"))
PLUMBING = {"kubernetes", "yaml", "json", "subprocess", "socket", "asyncio", "threading", "time", "os", "lab"}


def checks(file: Path) -> list[ast.FunctionDef]:
    found = ast.parse(file.read_text()).body
    return [node for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def claims(check: ast.FunctionDef) -> list[str]:
    return [
        str(ast.literal_eval(mark.args[0]))
        for mark in check.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim"
    ]


ALL = [pytest.param(file, check, id=f"{file.parent.name}/{check.name}") for file in FILES for check in checks(file)]


def test_every_claim_is_put_to_the_test_in_its_features_folder() -> None:
    tested = {claim: file.parent.name for file in FILES for check in checks(file) for claim in claims(check)}
    assert tested == {claim.id: claim.feature for claim in CLAIMS.values()}


@pytest.mark.parametrize(("file", "check"), ALL)
def test_a_check_states_one_claim_and_its_promise(file: Path, check: ast.FunctionDef) -> None:
    assert len(claims(check)) == 1
    promise = (ast.get_docstring(check) or "").partition("\n\n")[0]
    assert promise.endswith("."), "the docstring's first sentence is the check's title in reports"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_plumbing_is_in_sight(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert not imported & PLUMBING
    assert imported <= {"__future__", "collections", "typing", "statistics", "pytest", "fixtures", "netassay"}


def test_names_of_checks_differ() -> None:
    names = [check.name for file in FILES for check in checks(file)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.whole
def test_all_checks_can_be_collected_without_a_cluster(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in FILES:
        for check in checks(file):
            assert f"{file.name}::{check.name}" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.whole
def test_without_a_cluster_the_user_is_told_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "-q", "-p", "no:cacheprovider"]
    command += [f"--run-dir={tmp_path / 'run'}", "--run-id=rtest"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    for option in ("--kubeconfig", "--in-cluster", "--lab"):
        assert option in done.stderr
