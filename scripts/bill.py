"""The bill of materials of the program mirador, in CycloneDX: `bill.py [WHEELS < packages]` prints it.

Its crates are those that cargo links into the program on Linux x86-64, with their licences, and their digests from
Cargo.lock. WHEELS is the folder that libtorch's wheels were unpacked in, which has one *.dist-info for each; standard
input then names the Debian packages of the other libraries, `name version` a line.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLATFORM = "x86_64-unknown-linux-gnu"


def component(kind, name, version):
    """A library by the address that scanners know it by."""
    address = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def crates():
    """The program, what it links, and who depends on whom."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", PLATFORM]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    digests = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    packages = {package["id"]: package for package in metadata["packages"]}
    links = {
        node["id"]: [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        for node in metadata["resolve"]["nodes"]
    }
    (program,) = (id for id, package in packages.items() if package["name"] == "mirador")
    reached, waiting = {}, [program]
    while waiting:
        package = packages[waiting.pop()]
        if package["id"] in reached:
            continue
        part = component("cargo", package["name"], package["version"])
        if package["license"]:
            # Crates of old write MIT/Apache-2.0.
            part["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if digest := digests[package["name"], package["version"]]:
            part["hashes"] = [{"alg": "SHA-256", "content": digest}]
        reached[package["id"]] = part
        waiting += links[package["id"]]
    refs = {id: part["bom-ref"] for id, part in reached.items()}
    dependencies = [{"ref": refs[id], "dependsOn": sorted(refs[dep] for dep in links[id])} for id in reached]
    return reached.pop(program), sorted(reached.values(), key=lambda part: part["bom-ref"]), dependencies


def main():
    """Prints the whole bill; nothing in it tells when or where it was made."""
    program, components, dependencies = crates()
    if len(sys.argv) > 1:
        wheels = sorted(path.stem.rsplit("-", 1) for path in pathlib.Path(sys.argv[1]).glob("*.dist-info"))
        others = [component("pypi", name.replace("_", "-"), version) for name, version in wheels]
        others += [component("deb/debian", *line.split()) for line in sys.stdin]
        components += others
        dependencies[0]["dependsOn"] += [other["bom-ref"] for other in others]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**program, "type": "application"}},
        "components": components,
        "dependencies": dependencies,
    }
    json.dump(bill, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
