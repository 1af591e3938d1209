"""Holds every rendering of the chart to manifests.py, and manifests.py to manifests that were broken on purpose.

    check.py PROGRAM NAMESPACE RENDERED VALUES     two folders with files of the same names
"""

import json
import pathlib
import re
import subprocess
import sys
from types import SimpleNamespace

import broken
import yaml
from manifests import faults

SCHEMA = pathlib.Path("docker/chart/values.schema.json")
# Set by the chart itself, in their own places of values.yaml; --port-file is for tests.
BY_THE_CHART = {"bind", "ops-bind", "device", "weights-dir", "key-file", "tls-cert", "tls-key", "port-file"}
BY_THE_CHART |= {"drain-pause-ms", "drain-cap-s", "jobs-dir", "callback-origin", "callback-secret-file"}


def scalars(value):
    if isinstance(value, dict):
        return set().union(*(scalars(one) for one in value.values()))
    return set().union(*(scalars(one) for one in value)) if isinstance(value, list) else {value}


def knowledge(program, namespace):
    told = subprocess.run([program, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    contract = json.loads(pathlib.Path("openapi/openapi.json").read_text())
    documented = set(re.findall(r"mirador_\w+", pathlib.Path("docs/operations.md").read_text()))
    return SimpleNamespace(
        program=program,
        namespace=namespace,
        flags=set(re.findall(r"^\s+(?:-\w, )?(--[a-z0-9-]+)", told, re.MULTILINE)),
        variables=set(re.findall(r"\[env: (MIRADOR_\w+)=", told)),
        paths=contract["paths"].keys(),
        metrics=documented | {name + "_bucket" for name in documented},
        given=set(),
    )


def settings(known):
    """Flags that values.schema.json lets through and `serve` has not, and the other way round."""
    schema = json.loads(SCHEMA.read_text())
    listed = set(schema["$defs"]["settings"]["properties"])
    flags = {flag.removeprefix("--") for flag in known.flags} - {"help"}
    for flag in listed - flags:
        yield f"{SCHEMA}: `mirador serve` has no --{flag}"
    for flag in flags - listed - BY_THE_CHART:
        yield f"{SCHEMA}: --{flag} is missing among the settings, or in check.py among what the chart sets itself"


def main(program, namespace, rendered, values):
    known = knowledge(program, namespace)
    found = list(settings(known))
    for path in sorted(pathlib.Path(rendered).glob("*.yaml")):
        known.given = scalars(yaml.load((pathlib.Path(values) / path.name).read_text(), yaml.CSafeLoader) or {})
        documents = [document for document in yaml.load_all(path.read_text(), yaml.CSafeLoader) if document]
        found += [f"{path.stem}: {fault}" for fault in faults(documents, known)]
    for name, what in broken.unnoticed(pathlib.Path(rendered), pathlib.Path(values), known, scalars):
        found.append(f"nobody noticed: {name} ({what})")
    print("\n".join(found) or f"{len(list(pathlib.Path(rendered).glob('*.yaml')))} renderings hold together, "
          f"{len(broken.BREAKS)} broken ones were refused")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
