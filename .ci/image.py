"""Holds the image `mirador`, and the container of that name, to what docs/container.md says: `image.py HOST:PORT REVISION`.

What the image tells of itself; who the container runs as; README's first request; and SIGTERM under load, after which
every request that was sent before it has to be answered.
"""

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

import readme

CLIENTS = 8
BODY = json.dumps({"pairs": [{"mirna": "UAAAGUGCUUAUAGUGCAGGUAG", "site": "GACCUGCAAAAGUAAGCACUUUAGG"}] * 64})


def podman(*words):
    """What podman prints."""
    return subprocess.run(["podman", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def holds(condition, words):
    """Ends with these words unless it holds."""
    if not condition:
        raise SystemExit(f"image: {words}")


def tells_of_itself(revision):
    """User, labels, health check, and the bill of materials."""
    image = json.loads(podman("image", "inspect", "mirador"))[0]
    config, labels = image["Config"], image["Labels"]
    user, _, group = config["User"].partition(":")
    holds(user.isdigit() and group.isdigit() and int(user) > 0, f"the user {config['User']} is no number, or root")
    for name in ("version", "revision", "licenses", "source", "title"):
        holds(labels.get(f"org.opencontainers.image.{name}") not in (None, "", "unknown"), f"no label {name}: {labels}")
    holds(labels["org.opencontainers.image.revision"] == revision, f"the label names another revision: {labels}")
    holds(image["Healthcheck"]["Test"][-2:] == ["mirador", "health"], f"no health check: {image.get('Healthcheck')}")
    root = pathlib.Path(podman("image", "mount", "mirador").strip())
    bill = json.loads((root / "usr/share/mirador/bill-of-materials.cdx.json").read_text())
    found = {part["name"] for part in bill["components"]}
    holds(bill["bomFormat"] == "CycloneDX", "the bill of materials is not CycloneDX")
    holds({"axum", "tch", "mirna", "torch", "libc6", "libgcc-s1", "libstdc++6"} <= found, f"the bill lacks parts: {found}")
    licences = {path.parent.name for path in (root / "usr/share/doc").rglob("*") if path.is_file()}
    holds({"mirador", "torch-2.11.0", "libc6"} <= licences, f"licences are missing: {licences}")
    shells = [name for name in ("bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/perl") if (root / name).exists()]
    holds(not shells, f"the image has {shells}")
    podman("image", "umount", "mirador")


def runs_as_nobody():
    """Not as root, without a capability, on a root that cannot be written."""
    state = json.loads(podman("container", "inspect", "mirador"))[0]
    status = pathlib.Path(f"/proc/{state['State']['Pid']}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    holds(fields["Uid"].split()[0] == "10001", f"it runs as {fields['Uid']}")
    holds(int(fields["CapEff"], 16) == 0 and int(fields["CapBnd"], 16) == 0, f"capabilities: {fields['CapEff']}")
    holds(fields["NoNewPrivs"] == "1" and state["HostConfig"]["ReadonlyRootfs"], "privileges, or a root to write to")


def answers_readme(address):
    """README's first request has the reply that is printed."""
    found = readme.commands(pathlib.Path("README.md"))
    command, printed = next((command, printed) for _, command, printed in found if command.startswith("curl "))
    replied = readme.run(command, address)
    holds(readme.same(printed, replied), f"README prints {printed}, and it replies {replied}")


class Load(threading.Thread):
    """One client: requests one behind the other, until none is accepted any more."""

    def __init__(self, address):
        super().__init__()
        self.address, self.answered, self.lost, self.faults = address, 0, [], []

    def run(self):
        while True:
            connection = http.client.HTTPConnection(self.address, timeout=60)
            try:
                connection.connect()
            except OSError:
                return
            sent = time.monotonic()
            try:
                connection.request("POST", "/v1/target-sites/score", BODY, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                whole = json.loads(reply.read())
            except (OSError, http.client.HTTPException) as error:
                self.lost.append((sent, repr(error)))
                continue
            finally:
                connection.close()
            if reply.status == 200 and len(whole["results"]) == 64:
                self.answered += 1
            elif reply.status != 503:
                self.faults.append(whole)


def ends_without_loss(address):
    """SIGTERM under load: exit status 0, and nothing that was sent before it is lost."""
    clients = [Load(address) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(3)
    before = sum(client.answered for client in clients)
    signalled = time.monotonic()
    podman("kill", "--signal", "TERM", "mirador")
    code = int(podman("wait", "mirador"))
    for client in clients:
        client.join()
    answered, faults = sum(client.answered for client in clients), sum((client.faults for client in clients), [])
    lost = [error for client in clients for sent, error in client.lost if sent <= signalled]
    holds(before > CLIENTS, f"{before} requests in three seconds are no load")
    holds(not lost and not faults, f"of {answered} requests were lost {lost}, failed {faults}")
    said = subprocess.run(["podman", "logs", "mirador"], capture_output=True, text=True, check=True)
    holds(code == 0 and "drained" in said.stderr + said.stdout, f"it ended with {code}: {said.stderr[-2000:]}")
    print(f"SIGTERM under load: {answered} requests of 64 pairs answered, {answered - before} of them after it; none lost")


def main():
    """All of it; the container has ended then."""
    address, revision = sys.argv[1:]
    tells_of_itself(revision)
    runs_as_nobody()
    answers_readme(address)
    ends_without_loss(address)


if __name__ == "__main__":
    main()
