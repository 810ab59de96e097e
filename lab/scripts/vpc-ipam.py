"""The nodes' IPAM plug-in: asks the lab's cloud for an address of the VPC. Called as the CNI specification says."""

import json
import os
import socket
import sys

CLOUD = "/mnt/lab/cloud.sock"


def main() -> None:
    """Carry out the command that the runtime gives in the environment, and write CNI's result or error."""
    command = os.environ["CNI_COMMAND"]
    if command == "VERSION":
        sys.stdout.write(json.dumps({"cniVersion": "1.0.0", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0"]}))
        return
    config = json.load(sys.stdin)
    given = dict(part.split("=", 1) for part in os.environ.get("CNI_ARGS", "").split(";") if "=" in part)
    asked = {
        "command": command,
        "node": os.uname().nodename,
        "container": os.environ["CNI_CONTAINERID"],
        "namespace": given.get("K8S_POD_NAMESPACE", ""),
        "pod": given.get("K8S_POD_NAME", ""),
    }
    try:
        with socket.socket(socket.AF_UNIX) as cloud:
            cloud.connect(CLOUD)
            cloud.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(cloud.makefile().read())
    except (OSError, ValueError) as error:
        answer = {"code": 11, "msg": f"the lab's cloud did not answer at {CLOUD}: {error}"}
    if answer:
        sys.stdout.write(json.dumps({**answer, "cniVersion": config["cniVersion"]}))
    if "code" in answer:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
