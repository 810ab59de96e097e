"""The recipes for CI systems: their own schemas and linters find nothing, and their shell does what it says."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tree_sitter
import tree_sitter_groovy
from recipes import CI, GITHUB, GITLAB, JENKINS, ROOT, TEKTON, documents, shells

from netassay.npm import installed
from netassay.results.collect import write_run_json
from netassay.results.schema import Verdict
from tests.cli.bundles import BROKEN, DOUBT, HOLDS, Bundle
from tests.cli.recorded_api import recorded_api
from tests.gate import sides

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMAS = {"github": ["vendor.github-workflows"], "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]}
SHELLS = [(file, name) for file in [*GITHUB, *GITLAB, *JENKINS, *TEKTON] for name in shells(file)]
BIN = Path(sys.executable).parent


def told(command: Sequence[str | Path], folder: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def schema_says(file: Path) -> subprocess.CompletedProcess[str]:
    kind = [f"--builtin-schema={SCHEMAS[file.parent.name][0]}", *SCHEMAS[file.parent.name][1:]]
    return told([sys.executable, "-m", "check_jsonschema", *kind, file])


def test_there_is_a_nightly_assay_and_a_gate_for_each_system() -> None:
    for system in ("github", "gitlab", "jenkins", "tekton"):
        names = {file.stem if system != "jenkins" else file.suffix[1:] for file in (CI / system).iterdir()}
        assert {"nightly", "gate"} <= names, system


@pytest.mark.whole
@pytest.mark.parametrize("file", [*GITHUB, *GITLAB], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_workflows_are_of_their_schema(file: Path, tmp_path: Path) -> None:
    done = schema_says(file)
    assert done.returncode == 0, done.stdout
    spoilt = tmp_path / file.parent.name / file.name
    spoilt.parent.mkdir()
    spoilt.write_text(file.read_text().replace("timeout-minutes: ", "timeout-minutes: x").replace("script:", "scirpt:"))
    assert schema_says(spoilt).returncode == 1


@pytest.mark.parametrize("file", JENKINS, ids=lambda file: file.name)
def test_jenkinsfiles_are_groovy_and_declarative(file: Path) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    source = file.read_bytes()
    assert not parser.parse(source).root_node.has_error
    assert parser.parse(source.rpartition(b"}")[0]).root_node.has_error
    program = parser.parse(source).root_node
    (pipeline,) = [node for node in program.children if node.type != "line_comment"]
    assert pipeline.text is not None
    assert pipeline.text.startswith(b"pipeline {")
    sections = [line.split()[0] for line in source.decode().splitlines() if line.startswith("    ") and line[4] != " "]
    known = {"agent", "triggers", "options", "environment", "stages", "post", "}"}
    assert set(sections) <= known
    assert sections.count("agent") == sections.count("stages") == 1


@pytest.mark.tools
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    linter = tmp_path / "actionlint"
    package = "github.com/rhysd/actionlint/cmd/actionlint"
    built = told(["go", "build", "-o", linter, package], Path(__file__).parent / "actionlint")
    assert built.returncode == 0, built.stdout
    # It calls shellcheck by itself, which is on PATH with the tests' own Python.
    done = told([linter, *GITHUB])
    assert done.returncode == 0, done.stdout
    spoilt = tmp_path / "gate.yml"
    unquoted = GITHUB[0].read_text().replace('"$GITHUB_ENV"', "$GITHUB_ENV")
    spoilt.write_text(unquoted.replace("vars.NETASSAY", "var.NETASSAY"))
    said = told([linter, spoilt]).stdout
    assert 'undefined variable "var"' in said
    assert "SC2086" in said


@pytest.mark.tools
def test_tekton_lint_finds_nothing(tmp_path: Path) -> None:
    linter = installed(Path(__file__).parent / "tekton-lint") / "@ibm" / "tekton-lint" / "dist" / "lint.js"
    done = told(["node", linter, *TEKTON])
    assert (done.returncode, done.stdout.strip()) == (0, "")
    for file in TEKTON:
        text = file.read_text().replace("$(params.image)", "$(params.imge)").replace("[before]", "[befor]")
        acept = text.replace("name: accept", "name: acept") if file.stem == "gate" else text
        (tmp_path / file.name).write_text(acept)
    said = told(["node", linter, *tmp_path.iterdir()])
    assert said.returncode == 1
    for mistake in ("'befor', which doesn't exist", "Undefined param 'imge'", "parameter 'acept' to it"):
        assert mistake in said.stdout


@pytest.mark.parametrize(("file", "name"), SHELLS, ids=lambda part: getattr(part, "name", part))
def test_shellcheck_finds_nothing(file: Path, name: str, tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text(shells(file)[name])
    done = told(["shellcheck", script])
    assert done.returncode == 0, done.stdout


class Job:
    """A job's folder, with a `netassay` on PATH that is the real one, and the sides of a gate to be judged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary, self.results = folder / "summary.md", folder / "exit-code"
        self.netassay(f'exec {shlex.quote(sys.executable)} -m netassay "$@"')

    def netassay(self, command: str) -> None:
        """Let this line of shell be what the job finds under that name."""
        for place in (self.folder / "bin" / "netassay", self.folder / ".venv" / "bin" / "netassay"):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"#!/bin/sh\n{command}\n")
            place.chmod(0o755)

    def sides(self, **after: Verdict) -> None:
        for side in ("before", "after"):
            shutil.rmtree(self.folder / "gate" / side, ignore_errors=True)
        write_run_json(self.folder / "gate" / "before" / "run", sides.run())
        write_run_json(self.folder / "gate" / "after" / "run", sides.run("r2", 2000.0, **after))

    def run(self, script: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        file = self.folder / "script"
        file.write_text(script)
        interpreter = script.partition("\n")[0].removeprefix("#!")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        settings = {"PATH": path, "PYTHONPATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(self.summary), **environ}
        return told([interpreter, file, *arguments], self.folder, **settings)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


GO: dict[str, Verdict] = {}
NO_GO = {"dns": Verdict.BROKEN}
CANNOT_DECIDE = {"dns": Verdict.INCONCLUSIVE}
DECISIONS = [(GO, 0), (NO_GO, 1), (CANNOT_DECIDE, 3)]


@pytest.mark.tools
@pytest.mark.parametrize(("after", "code"), DECISIONS, ids=["go", "no-go", "cannot-decide"])
def test_github_decides_annotates_and_sums_up(job: Job, after: dict[str, Verdict], code: int) -> None:
    job.sides(**after)
    script = shells(CI / "github" / "gate.yml")
    done = job.run(script["Decide"])
    assert done.returncode == code, done.stdout
    titles = {0: None, 1: "::error title=NO-GO::", 3: "::error title=CANNOT DECIDE::"}
    assert (titles[code] or "::error") in done.stdout if code else "::error" not in done.stdout
    assert job.run(script["Summary"]).returncode == 0
    assert job.summary.read_text().startswith("## ")


@pytest.mark.tools
def test_github_says_when_no_decision_was_made(job: Job) -> None:
    done = job.run(shells(CI / "github" / "gate.yml")["Decide"])
    assert done.returncode == 2, done.stdout
    assert "::error title=No decision::exit code 2" in done.stdout


@pytest.mark.tools
@pytest.mark.parametrize(("after", "code"), DECISIONS, ids=["go", "no-go", "cannot-decide"])
def test_gitlab_hands_the_gates_exit_code_on(job: Job, after: dict[str, Verdict], code: int) -> None:
    job.sides(**after)
    gitlab = shells(CI / "gitlab" / "gate.yml")["network-upgrade-gate"]
    head, decide = gitlab.partition("\nexport")[0], gitlab.splitlines()[-1]
    assert job.run(f"{head}\n{decide}\n").returncode == code
    assert (job.folder / "gate" / "decision" / "gate.json").exists()


@pytest.mark.tools
def test_jenkins_is_given_the_gates_exit_code(job: Job) -> None:
    job.sides(**CANNOT_DECIDE)
    assert job.run(shells(CI / "jenkins" / "Jenkinsfile.gate")["Decide"]).returncode == 3


def tekton(job: Job, *arguments: str, accept: Sequence[str]) -> list[tuple[int, str]]:
    """Run the Task's steps as Tekton does, but for pip: for each `accept`, the exit code and the result."""
    script = shells(CI / "tekton" / "task.yaml")
    (job.folder / "bin" / "pip").write_text("#!/bin/sh\n")
    (job.folder / "bin" / "pip").chmod(0o755)
    first = job.run(script["netassay"], "netassay", *arguments)
    (job.folder / "code").write_text(str(first.returncode))
    names = {"CODE_FILE": str(job.folder / "code"), "RESULT_FILE": str(job.results)}
    return [(job.run(script["judge"], ACCEPT=each, **names).returncode, job.results.read_text()) for each in accept]


@pytest.mark.tools
@pytest.mark.parametrize(("after", "code"), DECISIONS, ids=["go", "no-go", "cannot-decide"])
def test_tekton_gives_the_exit_code_as_a_result_and_fails_on_what_is_not_accepted(
    job: Job, after: dict[str, Verdict], code: int
) -> None:
    job.sides(**after)
    ended = tekton(job, "gate", "gate/before", "gate/after", "--out", "decision", accept=["0", "0 1 3"])
    assert ended == [(code, str(code)), (0, str(code))]


@pytest.mark.tools
def test_tekton_accepts_no_wrong_usage(job: Job) -> None:
    assert tekton(job, "gate", "nowhere", "gate/after", accept=["0 1 3"]) == [(2, "2")]


@pytest.mark.tools
@pytest.mark.parametrize(
    ("suite", "code", "says"),
    [
        ([HOLDS], 0, ""),
        ([HOLDS, BROKEN], 1, "::error title=The network is broken::"),
        ([HOLDS, DOUBT], 3, "::warning title=No conclusion::"),
    ],
    ids=["conforms", "findings", "inconclusive"],
)
def test_a_night_ends_as_its_assay_does(job: Job, suite: list[str], code: int, says: str) -> None:
    with recorded_api(job.folder) as kubeconfig:
        bundle = Bundle(job.folder, kubeconfig)
        bundle.suite(*suite)
        job.netassay(f'{shlex.join(bundle.netassay)} "$@"')
        script = shells(CI / "github" / "nightly.yml")
        done = job.run(script["Assay"], KUBECONFIG=str(kubeconfig))
        assert done.returncode == code, done.stdout
        assert says in done.stdout if says else "::error" not in done.stdout
        assert job.run(script["Summary"]).returncode == 0
        assert "results/report.html: " in job.summary.read_text()
        assert {"report.html", "run.json", "junit.xml", "allure-results"} <= {
            path.name for path in (job.folder / "results").iterdir()
        }


NO_CLUSTER = {"KUBECONFIG": "/nonexistent"}


@pytest.mark.tools
def test_an_assay_that_is_not_made_fails_everywhere(job: Job) -> None:
    done = job.run(shells(CI / "github" / "nightly.yml")["Assay"], **NO_CLUSTER)
    assert done.returncode == 2, done.stdout
    assert "::error title=The assay was not made::exit code 2" in done.stdout
    gitlab = job.run(shells(CI / "gitlab" / "nightly.yml")["network-assay"], ASSAY_KUBECONFIG="/nonexistent")
    assert gitlab.returncode == 2
    assert job.run(shells(CI / "jenkins" / "Jenkinsfile.nightly")["Assay"], **NO_CLUSTER).returncode == 2
    assert job.run(shells(CI / "github" / "gate.yml")["Before"], **NO_CLUSTER).returncode == 1


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 0), (2, 1), (3, 0)])
@pytest.mark.parametrize("step", ["Before", "Upgrade", "After"])
def test_what_the_gate_is_to_judge_fails_no_step_before_it(job: Job, code: int, ends: int, step: str) -> None:
    # Only how the shell treats each exit code: what netassay ends with is looked at above.
    job.netassay(f"exit {code}")
    assert job.run(shells(CI / "github" / "gate.yml")[step]).returncode == ends
    assert job.run(shells(CI / "jenkins" / "Jenkinsfile.gate")[step]).returncode == ends


def test_what_is_inconclusive_is_a_third_colour_where_there_is_one() -> None:
    (nightly,) = documents(CI / "gitlab" / "nightly.yml")
    (gate,) = documents(CI / "gitlab" / "gate.yml")
    assert nightly["network-assay"]["allow_failure"] == {"exit_codes": [3]}
    assert "allow_failure" not in gate["network-upgrade-gate"]
    assert all("if (code == 3) {\n" in file.read_text() and "unstable(" in file.read_text() for file in JENKINS)


def test_artifacts_are_kept_whatever_the_end() -> None:
    for file in GITHUB:
        (steps,) = (job["steps"] for job in documents(file)[0]["jobs"].values())
        assert all(step["if"] == "always()" for step in steps[-2:])
        assert steps[-1]["uses"].startswith("actions/upload-artifact@")
    for file in GITLAB:
        (job,) = documents(file)[0].values()
        assert job["artifacts"]["when"] == "always"
        assert job["artifacts"]["reports"]["junit"].endswith("junit.xml")
    assert all("post {\n        always {" in file.read_text() for file in JENKINS)
