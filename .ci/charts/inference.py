"""Holds docker/kserve/ to KServe's own models, its pods to Kubernetes' schema, and what it names to the program.

    inference.py PROGRAM     `kserve` need only be unpacked: its models are read and not imported
"""

import ast
import copy
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import kubernetes_validate
import yaml

MODELS = pathlib.Path(importlib.util.find_spec("kserve").submodule_search_locations[0]) / "models"
PLAIN = {"str": str, "bool": bool, "int": int, "float": float, "dict(str, str)": dict}


def fields(name):
    """Name in YAML and type of each field of a model, or nothing where the model is Kubernetes' own."""
    path = MODELS / (re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + ".py")
    if not path.exists():
        return None
    body = next(node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)).body
    values = {n.targets[0].id: ast.literal_eval(n.value) for n in body if isinstance(n, ast.Assign)}
    return {values["attribute_map"][key]: kind for key, kind in values["openapi_types"].items()}


def wrong(value, kind, place):
    """Fields that a model has not, and values of another type."""
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{place}: no list"]
        return [fault for i, one in enumerate(value) for fault in wrong(one, kind[5:-1], f"{place}/{i}")]
    if kind in PLAIN:
        return [] if isinstance(value, PLAIN[kind]) else [f"{place}: not {kind}"]
    known = fields(kind)
    if known is None:
        return []
    found = [f"{place}/{name}: {kind} has no such field" for name in value.keys() - known]
    for name in value.keys() & known:
        found += wrong(value[name], known[name], f"{place}/{name}")
    return found


def pod_of(container):
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [container]}}
    try:
        kubernetes_validate.validate(document, "1.37.0", strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"container: {error.message}"]
    return []


def faults(documents, told, paths):
    found = []
    version = {"ServingRuntime": "V1alpha1", "InferenceService": "V1beta1"}
    for document in documents:
        found += wrong(document, version[document["kind"]] + document["kind"], document["kind"])
    runtime = next(document for document in documents if document["kind"] == "ServingRuntime")
    container = runtime["spec"]["containers"][0]
    found += pod_of(container)
    for flag in (argument.split("=")[0] for argument in container["args"] if argument.startswith("--")):
        if f"{flag} " not in told:
            found.append(f"`mirador serve` has no {flag}")
    asked = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    found += [f"the contract has no {path}" for path in asked if path not in paths]
    formats = {one["name"] for one in runtime["spec"]["supportedModelFormats"]}
    for service in (document for document in documents if document["kind"] == "InferenceService"):
        model = service["spec"]["predictor"]["model"]
        if model["runtime"] != runtime["metadata"]["name"] or model["modelFormat"]["name"] not in formats:
            found.append(f"{service['metadata']['name']}: its runtime or its format is not there")
        found += pod_of(container | {"env": model.get("env", [])})
        found += [f"`mirador serve` has no {v['name']}" for v in model.get("env", []) if f"{v['name']}=" not in told]
    return found


def main(program):
    told = subprocess.run([program, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    paths = json.loads(pathlib.Path("openapi/openapi.json").read_text())["paths"]
    files = sorted(pathlib.Path("docker/kserve").glob("*.yaml"))
    documents = [document for file in files for document in yaml.load_all(file.read_text(), yaml.CSafeLoader)]
    found = faults(documents, told, paths)
    spoilt = copy.deepcopy(documents)
    for document in spoilt:
        document["spec"]["protocolVersion"] = "v2"
    spoilt[-1]["spec"]["containers"][0]["port"] = 8080
    noticed = faults(spoilt, told, paths)
    if len([fault for fault in noticed if "no such field" in fault or "container:" in fault]) < 4:
        found.append(f"broken documents were let pass: {noticed}")
    print("\n".join(found) or f"{len(documents)} documents of KServe")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
