"""Sorts rendered documents by whose they are: sort.py RENDERED NATIVE_FOLDER OTHERS.json

Kubernetes' own go to NATIVE_FOLDER, one file for each rendering; those of other projects into one list.
"""

import json
import pathlib
import sys

import yaml

OTHERS = ("keda.sh/", "monitoring.coreos.com/")


def main(rendered, native, others):
    foreign = []
    for path in sorted(pathlib.Path(rendered).glob("*.yaml")):
        documents = [document for document in yaml.load_all(path.read_text(), yaml.CSafeLoader) if document]
        foreign += [document for document in documents if document["apiVersion"].startswith(OTHERS)]
        own = [document for document in documents if not document["apiVersion"].startswith(OTHERS)]
        (pathlib.Path(native) / path.name).write_text(yaml.safe_dump_all(own))
    if not foreign:
        sys.exit("no rendering has a document of another project")
    pathlib.Path(others).write_text(json.dumps(foreign))


if __name__ == "__main__":
    main(*sys.argv[1:])
