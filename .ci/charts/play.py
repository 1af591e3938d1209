"""Makes of a rendered Deployment what `podman kube play` takes: play.py RENDERING IMAGE OUT.yaml

Kinds that it does not know are left out, and so are probes: httpGet becomes a curl inside the container, which has none.
"""

import pathlib
import sys

import yaml


def main(rendering, image, out):
    documents = [document for document in yaml.safe_load_all(pathlib.Path(rendering).read_text()) if document]
    kept = {kind: [d for d in documents if d["kind"] == kind] for kind in ("ConfigMap", "Secret", "Deployment")}
    (deployment,) = kept["Deployment"]
    deployment["spec"]["replicas"] = 1
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    container["image"] = image
    container["imagePullPolicy"] = "Never"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        del container[probe]
    kinds = [*kept["ConfigMap"], *kept["Secret"], deployment]
    pathlib.Path(out).write_text(yaml.safe_dump_all(kinds))


if __name__ == "__main__":
    main(*sys.argv[1:])
