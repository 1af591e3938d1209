"""Adds what is no crate to a bill of materials in CycloneDX: `bill.py BILL WHEELS < packages`.

BILL is what cargo-cyclonedx wrote; WHEELS the folder that libtorch's wheels were unpacked in, which has one *.dist-info
for each; standard input names the Debian packages of the other libraries, `name version` a line.
"""

import json
import pathlib
import sys


def component(kind, name, version):
    """A library by the address that scanners know it by."""
    address = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def main():
    """Prints the whole bill; nothing in it tells when or where it was made."""
    # Our own crates are named by the folder that they were built in, which is nobody's business.
    root = pathlib.Path(__file__).resolve().parent.parent
    bill = json.loads(pathlib.Path(sys.argv[1]).read_text().replace(f"{root}", "/mirador"))
    wheels = sorted(path.stem.rsplit("-", 1) for path in pathlib.Path(sys.argv[2]).glob("*.dist-info"))
    others = [component("pypi", name.replace("_", "-"), version) for name, version in wheels]
    others += [component("deb/debian", *line.split()) for line in sys.stdin]
    bill["components"] += others
    program = bill["metadata"]["component"]
    reach = next(entry for entry in bill["dependencies"] if entry["ref"] == program["bom-ref"])
    reach["dependsOn"] += [other["bom-ref"] for other in others]
    bill["metadata"].pop("timestamp", None)
    bill.pop("serialNumber", None)
    json.dump(bill, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
