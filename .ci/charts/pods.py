"""What can be wrong within one pod: mounts, quantities, probes, confinement, and what the program is told."""

import functools
import os
import re
import subprocess

QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti|)$")
FACTOR = {"m": 1e-3, "": 1, "k": 1e3, "Ki": 2**10, "M": 1e6, "Mi": 2**20, "G": 1e9, "Gi": 2**30, "T": 1e12, "Ti": 2**40}


def containers(workload):
    return workload["spec"]["template"]["spec"]["containers"]


def environment(workload, named):
    """What the program finds: variables of ConfigMaps, then its own."""
    found = {}
    container = containers(workload)[0]
    for source in container.get("envFrom", []):
        found |= named.get(("ConfigMap", source["configMapRef"]["name"]), {"data": {}})["data"]
    return found | {variable["name"]: variable["value"] for variable in container.get("env", [])}


def references(pod):
    """Kind and name of all that a pod takes from elsewhere."""
    for volume in pod.get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    for secret in pod.get("imagePullSecrets", []):
        yield "Secret", secret["name"]
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"]


def volumes(workload, every):
    spec = workload["spec"]
    there = [volume["name"] for volume in spec["template"]["spec"].get("volumes", [])]
    there += [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])]
    mounted = {mount["name"] for container in every for mount in container.get("volumeMounts", [])}
    for name in mounted - set(there):
        yield f"mounts {name}, which is no volume"
    for name in set(there) - mounted:
        yield f"has the volume {name}, which nothing mounts"
    for container in every:
        places = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        yield from (f"mounts twice at {place}" for place in set(places) if places.count(place) > 1)
    for label, listed in (("volume", there), ("container", [container["name"] for container in every])):
        yield from (f"has two of the {label} {name}" for name in set(listed) if listed.count(name) > 1)


def amount(text):
    parts = QUANTITY.match(str(text))
    return float(parts[1]) * FACTOR[parts[2]] if parts else None


def resources(workload, every):
    asked = [container["resources"] for container in every]
    asked += [claim["spec"]["resources"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
    for one in asked:
        for side in one.values():
            yield from (f"{text} is no quantity" for text in side.values() if amount(text) is None)
        for name, request in one.get("requests", {}).items():
            limit = one.get("limits", {}).get(name)
            if limit is not None and None not in (amount(request), amount(limit)) and amount(request) > amount(limit):
                yield f"asks for more {name} than its limit"
    if any("memory" not in container["resources"].get("limits", {}) for container in every):
        yield "may take all memory"


def probes(container, known):
    offered = [port["name"] for port in container.get("ports", [])]
    yield from (f"has two ports {name}" for name in set(offered) if offered.count(name) > 1)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if probe not in container:
            yield f"has no {probe}"
            continue
        asked = container[probe]["httpGet"]
        if asked["path"] not in known.paths:
            yield f"{probe}: the contract has no {asked['path']}"
        if asked["port"] not in offered:
            yield f"{probe}: there is no port {asked['port']}"


def confined(pod, every):
    if pod.get("automountServiceAccountToken") is not False:
        yield "is given a token of the cluster"
    if pod.get("enableServiceLinks") is not False:
        yield "has variables of Services, of which some begin with MIRADOR_"
    if pod.get("securityContext", {}).get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    for container in every:
        context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        wanted = {"runAsNonRoot": True, "runAsUser": 10001, "allowPrivilegeEscalation": False}
        for name, value in {**wanted, "readOnlyRootFilesystem": True}.items():
            if context.get(name) != value:
                yield f"{container['name']}: {name} is not {value}"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{container['name']}: keeps capabilities"


@functools.cache
def run(arguments, variables):
    bare = {name: value for name, value in os.environ.items() if not name.startswith("MIRADOR_")}
    ran = subprocess.run(arguments, env=bare | dict(variables), capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stderr.strip()


def told(container, variables, known):
    """Flags and variables that `serve` does not know, and values that it refuses."""
    flags = {argument.split("=")[0] for argument in container["args"] if argument.startswith("--")}
    mine = {name: value for name, value in variables.items() if name.startswith("MIRADOR_")}
    unknown = sorted(flags - known.flags) + sorted(mine.keys() - known.variables)
    yield from (f"`mirador serve` has no {name}" for name in unknown)
    if unknown:
        return
    # It refuses a setting before it looks for a file, and then ends, because there are no weights at that place.
    kept = [argument for argument in container["args"] if argument.split("=")[0] != "--weights-dir"]
    arguments = [known.program, *kept, "--weights-dir=/nowhere"]
    status, said = run(tuple(arguments), tuple(sorted(mine.items())))
    if status != 1 or "try '--help'" in said or "--queue-capacity" in said:
        yield f"`mirador serve` refuses its settings: {said}"


def faults(workload, variables, known):
    """Everything that is wrong within the workload's pods."""
    pod = workload["spec"]["template"]["spec"]
    program = pod["containers"][0]
    every = pod.get("initContainers", []) + pod["containers"]
    yield from volumes(workload, every)
    yield from resources(workload, every)
    yield from probes(program, known)
    yield from confined(pod, every)
    yield from told(program, variables, known)
