"""Manifests broken on purpose, each in one place: a check that lets one pass is worth nothing."""

import copy

import yaml
from manifests import faults


def first(documents, kind, name=None):
    return next(d for d in documents if d["kind"] == kind and name in (None, d["metadata"]["name"]))


def pod(documents, kind="Deployment"):
    return first(documents, kind)["spec"]["template"]["spec"]


def program(documents, kind="Deployment"):
    return pod(documents, kind)["containers"][0]


def put(place, key, value):
    place[key] = value


# What is wrong, of which rendering, how it is broken, and a part of the sentence that has to say so.
BREAKS = [
    ("a label that its selector has not", "default", "its selector takes the pods of",
     lambda d: put(first(d, "Deployment")["spec"]["template"]["metadata"]["labels"], "app.kubernetes.io/component", "x")),
    ("a Service without pods", "default", "selects the pods of no workload",
     lambda d: put(first(d, "Service")["spec"]["selector"], "app.kubernetes.io/component", "x")),
    ("a PodDisruptionBudget of all pods", "jobs", "or of several",
     lambda d: first(d, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].pop("app.kubernetes.io/component")),
    ("a port by a wrong name", "default", "no container has the port",
     lambda d: put(first(d, "Service")["spec"]["ports"][0], "targetPort", "web")),
    ("a policy for no port", "default", "no container has the port",
     lambda d: put(first(d, "NetworkPolicy")["spec"]["ingress"][0]["ports"][0], "port", "web")),
    ("an Ingress into nothing", "jobs", "leads to no Service's port",
     lambda d: put(first(d, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"], "name", "x")),
    ("a ServiceMonitor of another port", "keda", "that it selects has the port",
     lambda d: put(first(d, "ServiceMonitor")["spec"]["endpoints"][0], "port", "http2")),
    ("a scaler of nothing", "default", "what it scales is not there",
     lambda d: put(first(d, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"], "name", "x")),
    ("a ScaledObject of nothing", "keda", "what it scales is not there",
     lambda d: put(first(d, "ScaledObject")["spec"]["scaleTargetRef"], "name", "x")),
    ("more at least than at most", "default", "at least and",
     lambda d: put(first(d, "HorizontalPodAutoscaler")["spec"], "minReplicas", 9)),
    ("a Deployment that resets its scaler", "default", "says itself how many it is",
     lambda d: put(first(d, "Deployment")["spec"], "replicas", 2)),
    ("a share of no request", "default", "that is not made",
     lambda d: program(d)["resources"]["requests"].pop("cpu")),
    ("a metric that nobody measures", "keda", "which nobody measures",
     lambda d: put(first(d, "ScaledObject")["spec"]["triggers"][0]["metadata"], "query", "sum(mirador_inputs_waiting)")),
    ("a Secret that is not there", "keys-tls", "is not there",
     lambda d: d.remove(first(d, "Secret"))),
    ("a ConfigMap that is not there", "default", "is not there",
     lambda d: d.remove(first(d, "ConfigMap"))),
    ("a mount without a volume", "keys-tls", "which is no volume",
     lambda d: pod(d)["volumes"].pop(0)),
    ("a volume without a mount", "keys-tls", "which nothing mounts",
     lambda d: program(d)["volumeMounts"].pop(0)),
    ("2Gib", "default", "is no quantity",
     lambda d: put(program(d)["resources"]["limits"], "memory", "2Gib")),
    ("a request above its limit", "default", "than its limit",
     lambda d: put(program(d)["resources"]["requests"], "memory", "3Gi")),
    ("a probe of a route that is not there", "default", "the contract has no",
     lambda d: put(program(d)["livenessProbe"]["httpGet"], "path", "/healthz")),
    ("a probe of a port that is not there", "default", "there is no port",
     lambda d: put(program(d)["livenessProbe"]["httpGet"], "port", "metrics")),
    ("a flag that is not there", "default", "`mirador serve` has no",
     lambda d: program(d)["args"].append("--ops-port=9090")),
    ("a variable that is not there", "default", "`mirador serve` has no",
     lambda d: put(first(d, "ConfigMap")["data"], "MIRADOR_MAX_ROW", "5")),
    ("a value that is refused", "default", "refuses its settings",
     lambda d: put(first(d, "ConfigMap")["data"], "MIRADOR_MAX_BODY_BYTES", "3.3554432e+07")),
    ("a pod that is killed while it drains", "default", "is killed before it has drained",
     lambda d: put(pod(d), "terminationGracePeriodSeconds", 30)),
    ("two containers of a name", "default", "has two of the container",
     lambda d: pod(d)["containers"].append(copy.deepcopy(program(d)))),
    ("two documents of a name", "default", "twice",
     lambda d: d.append(copy.deepcopy(first(d, "Service")))),
    ("a document of another namespace", "default", "not in the release's namespace",
     lambda d: put(first(d, "Service")["metadata"], "namespace", "default")),
    ("variables of Services", "default", "has variables of Services",
     lambda d: pod(d).pop("enableServiceLinks")),
    ("a root that can be written", "default", "readOnlyRootFilesystem is not",
     lambda d: program(d)["securityContext"].pop("readOnlyRootFilesystem")),
    ("two pods of jobs", "jobs", "a StatefulSet of one",
     lambda d: put(first(d, "StatefulSet")["spec"], "replicas", 2)),
    ("jobs in a Deployment", "jobs", "a StatefulSet of one",
     lambda d: program(d)["args"].append("--jobs-dir=/tmp")),
]


def unnoticed(rendered, values, known, scalars):
    """Those that are let pass, or refused for another reason than theirs."""
    for name, rendering, sentence, spoil in BREAKS:
        documents = [d for d in yaml.load_all((rendered / f"{rendering}.yaml").read_text(), yaml.CSafeLoader) if d]
        known.given = scalars(yaml.load((values / f"{rendering}.yaml").read_text(), yaml.CSafeLoader) or {})
        spoil(documents)
        found = faults(documents, known)
        if not any(sentence in fault for fault in found):
            yield name, found or "no fault at all"
