"""What schemas do not see of a rendered chart: whether its parts mean each other. `faults(documents, known)` lists what
is wrong, and an empty list is a chart whose every name leads somewhere."""

import collections
import math
import re

import pods

TEMPLATED = ("Deployment", "StatefulSet")


class Chart:
    """The rendered documents by kind and name, with what the program and its contract know."""

    def __init__(self, documents, known):
        self.documents, self.known = documents, known
        self.named = {(document["kind"], document["metadata"]["name"]): document for document in documents}

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def workloads(self, labels):
        """Those whose pods have these labels."""
        wanted = (labels or {}).items()
        of_pods = lambda workload: workload["spec"]["template"]["metadata"]["labels"].items()
        return [workload for workload in self.of(*TEMPLATED) if wanted and wanted <= of_pods(workload)]

    def ports(self, workload):
        return {port["name"] for container in pods.containers(workload) for port in container.get("ports", [])}


def title(document):
    return f"{document['kind']} {document['metadata']['name']}"


def grace(workload):
    return workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


def twice(names):
    return [name for name, times in collections.Counter(names).items() if times > 1]


def names(chart):
    """Every name once, and every document in the release's namespace."""
    for kind, name in twice((d["kind"], d["metadata"]["name"]) for d in chart.documents):
        yield f"{kind} {name}: twice"
    for document in chart.documents:
        if document["metadata"].get("namespace") != chart.known.namespace:
            yield f"{title(document)}: not in the release's namespace"


def selectors(chart):
    """A workload selects its own pods and no other's; all else selects the pods of exactly one workload."""
    for workload in chart.of(*TEMPLATED):
        found = chart.workloads(workload["spec"]["selector"]["matchLabels"])
        if found != [workload]:
            yield f"{title(workload)}: its selector takes the pods of {[title(w) for w in found]}"
        for spread in workload["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
            if chart.workloads(spread["labelSelector"]["matchLabels"]) != [workload]:
                yield f"{title(workload)}: spreads pods that are not its own"
    for document in chart.of("Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = document["spec"]
        selector = spec.get("podSelector", spec.get("selector"))
        if len(chart.workloads(selector.get("matchLabels", selector))) != 1:
            yield f"{title(document)}: selects the pods of no workload, or of several"


def ports(chart):
    """Every port that is named is one of the pod's, or of the Service's."""
    for service in chart.of("Service"):
        for workload in chart.workloads(service["spec"]["selector"]):
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in chart.ports(workload):
                    yield f"{title(service)}: no container has the port {port['targetPort']}"
    for policy in chart.of("NetworkPolicy"):
        for workload in chart.workloads(policy["spec"]["podSelector"]["matchLabels"]):
            for rule in policy["spec"]["ingress"]:
                for port in rule["ports"]:
                    if port["port"] not in chart.ports(workload):
                        yield f"{title(policy)}: no container has the port {port['port']}"
    for ingress in chart.of("Ingress"):
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            service = path["backend"]["service"]
            target = chart.named.get(("Service", service["name"]))
            if not target or service["port"]["name"] not in {port["name"] for port in target["spec"]["ports"]}:
                yield f"{title(ingress)}: {path['path']} leads to no Service's port"
    for monitor in chart.of("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        seen = [s for s in chart.of("Service") if wanted <= s["metadata"]["labels"].items()]
        offered = {port["name"] for service in seen for port in service["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in offered:
                yield f"{title(monitor)}: no Service that it selects has the port {endpoint['port']}"
            if endpoint["path"] not in chart.known.paths:
                yield f"{title(monitor)}: the contract has no {endpoint['path']}"


def scaling(chart):
    """A scaler has one Deployment, which does not say how many it is, and bounds that are bounds."""
    for scaler in chart.of("HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        target = chart.named.get((spec["scaleTargetRef"].get("kind", "Deployment"), spec["scaleTargetRef"]["name"]))
        if not target:
            yield f"{title(scaler)}: what it scales is not there"
            continue
        if "replicas" in target["spec"]:
            yield f"{title(scaler)}: {title(target)} says itself how many it is"
        least = spec.get("minReplicas", spec.get("minReplicaCount"))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
        if least > most:
            yield f"{title(scaler)}: {least} at least and {most} at most"
        for metric in spec.get("metrics", []):
            resource = metric["resource"]["name"]
            if any(resource not in c["resources"].get("requests", {}) for c in pods.containers(target)):
                yield f"{title(scaler)}: shares of a request for {resource} that is not made"
        for query in (trigger["metadata"]["query"] for trigger in spec.get("triggers", [])):
            for metric in set(re.findall(r"mirador_\w+", query)) - chart.known.metrics:
                yield f"{title(scaler)}: asks for {metric}, which nobody measures"
            for job in set(re.findall(r'job="([^"]*)"', query)):
                if ("Service", job) not in chart.named:
                    yield f"{title(scaler)}: asks for the job {job}, which is no Service"
    for workload in chart.of("StatefulSet"):
        if ("Service", workload["spec"]["serviceName"]) not in chart.named:
            yield f"{title(workload)}: its Service is not there"


def references(chart):
    """Secrets, ConfigMaps and claims are the chart's, or named by whoever set the values."""
    for workload in chart.of(*TEMPLATED):
        for kind, name in pods.references(workload["spec"]["template"]["spec"]):
            if (kind, name) not in chart.named and name not in chart.known.given:
                yield f"{title(workload)}: {kind} {name} is not there"


def programs(chart):
    """What pods.py finds in each workload."""
    for workload in chart.of(*TEMPLATED):
        environment = pods.environment(workload, chart.named)
        for fault in pods.faults(workload, environment, chart.known):
            yield f"{title(workload)}: {fault}"
        pause, cap = environment.get("MIRADOR_DRAIN_PAUSE_MS"), environment.get("MIRADOR_DRAIN_CAP_S")
        if pause is None or cap is None:
            yield f"{title(workload)}: says nothing of draining"
        elif grace(workload) <= math.ceil(int(pause) / 1000) + int(cap):
            yield f"{title(workload)}: is killed before it has drained"
        jobs = any(argument.startswith("--jobs-dir") for argument in pods.containers(workload)[0]["args"])
        if jobs and (workload["kind"] != "StatefulSet" or workload["spec"].get("replicas") != 1):
            yield f"{title(workload)}: jobs belong to a StatefulSet of one"


def faults(documents, known):
    """Everything that is wrong."""
    chart = Chart(documents, known)
    rules = (names, selectors, ports, scaling, references, programs)
    return [fault for rule in rules for fault in rule(chart)]
