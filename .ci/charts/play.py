"""Makes of a rendered Deployment what `podman kube play` takes: play.py RENDERING IMAGE OUT.yaml

Kinds that it does not know are left out, and so are probes: httpGet becomes a curl inside the container, which has none.
Prints the addresses of the ports http and ops.
"""

import base64
import pathlib
import socket
import sys

import yaml


def main(rendering, image, out):
    text = pathlib.Path(rendering).read_text()
    documents = [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]
    kept = {kind: [d for d in documents if d["kind"] == kind] for kind in ("ConfigMap", "Secret", "Deployment")}
    (deployment,) = kept["Deployment"]
    deployment["spec"]["replicas"] = 1
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    container["image"] = image
    container["imagePullPolicy"] = "Never"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        del container[probe]
    # Else podman publishes them at their own numbers, to everybody.
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in container["ports"]]
    for port, free in zip(container["ports"], taken, strict=True):
        port |= {"hostIP": "127.0.0.1", "hostPort": free.getsockname()[1]}
        free.close()
    # podman 4.3 hands the files of a Secret over as they are encoded, so they come from a ConfigMap of the same text.
    for secret in kept["Secret"]:
        secret["kind"] = "ConfigMap"
        secret["data"] = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
        del secret["type"]
    for volume in pod.get("volumes", []):
        if "secret" in volume:
            volume["configMap"] = {"name": volume.pop("secret")["secretName"]}
    kinds = [*kept["ConfigMap"], *kept["Secret"], deployment]
    pathlib.Path(out).write_text(yaml.safe_dump_all(kinds))
    print(*(f"{port['hostIP']}:{port['hostPort']}" for port in container["ports"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
