"""`netassay run --baseline`: the real check of the plug-in in whole runs, against an API that only answers reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import recorded_api as api
from bundles import HOLDS, ROOT, Bundle

from netassay.results.schema import Verdict

if TYPE_CHECKING:
    from pathlib import Path

CHECK = "test_the_network_plug_in_is_what_it_was_in_the_baseline"
SECRETS = ("LTAI5tPLANTEDplantedPLANTED", "planted-access-secret", "planted-password", "planted-token")


@pytest.mark.whole
def test_the_plug_in_holds_against_its_own_baseline_and_breaks_once_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = json.loads((api.RECORDED / "flannel-policy.json").read_text())
    (router,) = (one for one in objects["DaemonSet"] if one["metadata"]["name"] == "kube-router")
    (config,) = (one for one in objects["ConfigMap"] if one["metadata"]["name"] == "kube-flannel-cfg")
    (container,) = router["spec"]["template"]["spec"]["containers"]
    container |= {"image": "router:v2.1.0", "env": [{"name": "PASSWORD", "value": "planted-password"}]}
    container["command"] += ["--token", "planted-token"]
    keys = {"access_key": "LTAI5tPLANTEDplantedPLANTED", "access_secret": "planted-access-secret"}
    config["data"]["eni_conf"] = json.dumps(keys)
    (tmp_path / "before.json").write_text(json.dumps(objects))
    container["image"] = "router:v2.1.1"
    config["data"]["net-conf.json"] = config["data"]["net-conf.json"].replace("false", "true")
    (tmp_path / "after.json").write_text(json.dumps(objects))
    assert all(secret in (tmp_path / "after.json").read_text() for secret in SECRETS)
    monkeypatch.setattr(api, "RECORDED", tmp_path)

    with api.recorded_api(tmp_path, "before") as kubeconfig:
        first = bundle(tmp_path, "first", kubeconfig)
        assert "The network conforms" in first.run("-n", "0", code=0)
        second = bundle(tmp_path, "second", kubeconfig)
        second.run("-n", "2", "--baseline", str(first.out), code=0)
    with api.recorded_api(tmp_path, "after") as kubeconfig:
        third = bundle(tmp_path, "third", kubeconfig)
        said = third.run("-n", "0", "--baseline", str(first.out / "run.json"), code=1)

    assert first.verdicts()[CHECK] is Verdict.NOT_APPLICABLE
    (reason,) = (one.message for one in first.record().checks if one.id.endswith(CHECK))
    assert reason == "no baseline was given: name the results of an earlier run by --baseline RUN_FOLDER"
    assert second.verdicts()[CHECK] is Verdict.HOLDS
    (held,) = (one for one in second.record().checks if one.id.endswith(CHECK))
    assert f"compared with run {first.record().run_id} of " in held.evidence[0].text
    assert third.verdicts()[CHECK] is Verdict.BROKEN
    image, settings = third.record().checks[-1].message.splitlines()
    assert image == (
        "DaemonSet kube-system/kube-router: the image of container kube-router was router:v2.1.0, and is router:v2.1.1."
    )
    assert settings.startswith("ConfigMap kube-flannel/kube-flannel-cfg: its data was ")
    assert image in said
    assert f"--baseline={first.out / 'run.json'}" in " ".join(third.record().command)
    for out in (first.out, second.out, third.out):
        for file in (one for one in out.rglob("*") if one.is_file()):
            assert not [secret for secret in SECRETS if secret.encode() in file.read_bytes()], file


def bundle(folder: Path, name: str, kubeconfig: Path) -> Bundle:
    """A bundle that has the suite's own check beside two that hold."""
    made = Bundle(folder / name, kubeconfig)
    made.suite(HOLDS)
    suite = made.root / "suites" / "cni_modes"
    suite.mkdir()
    (suite / "test_baseline.py").symlink_to(ROOT / "suites" / "cni_modes" / "test_baseline.py")
    return made
