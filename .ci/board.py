"""Sends every query of docker/grafana/mirador.json to a real Prometheus with docker/prometheus/'s rules, which scrapes a
server under some load: `board.py FOLDER-OF-PROMETHEUS SERVER METRICS`. Every query has to give data, but for those whose
panel says what it is empty until.
"""

import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

BOARD = pathlib.Path("docker/grafana/mirador.json")
FILES = pathlib.Path("docker/prometheus")
REQUESTS = [
    ("/v1/target-sites/score", {"pairs": [{"mirna": "UAAAGUGCUUAUAGUGCAGGUAG", "site": "GACCUGCAAAAGUAAGCACUUUAGG"}]}),
    ("/v1/pre-mirnas/classify", {"pre_mirnas": [{"sequence": "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGA"
                                                 "GAUAACUAUACAAUCUACUGUCUUUCCUA"}]}),
    ("/v1/target-sites/score", {"pairs": []}),
]


def start(folder, prometheus, metrics):
    """Prometheus by our files, but at the server's address and every second; its process and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = (FILES / "prometheus.yml").read_text().replace("mirador:9100", metrics).replace("15s", "1s")
    (folder / "prometheus.yml").write_text(settings)
    (folder / "rules.yml").write_text((FILES / "rules.yml").read_text())
    command = [f"{prometheus}/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address={address}", "--log.level=error"]
    return subprocess.Popen(command), f"http://{address}"


def load(server, seconds):
    """Small requests, some of them refused, one whose caller leaves."""
    until = time.monotonic() + seconds
    connection = http.client.HTTPConnection(server, timeout=60)
    while time.monotonic() < until:
        for path, body in REQUESTS:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            connection.getresponse().read()
        time.sleep(0.02)
    connection.close()


def ask(url, query):
    """The series that a query gives."""
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=30) as reply:
        found = json.load(reply)["data"]["result"]
    return [series for series in found if series["value"][1] != "NaN"]


def faults(url):
    """Queries without data, and names that the server does not have; then how many have some, and which may be empty."""
    board, wrong, filled, empty = json.loads(BOARD.read_text()), [], 0, []
    for panel in board["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "15s").replace("$instance", ".*")
            if ask(url, query):
                filled += 1
            elif panel.get("description", "").startswith("Empty until "):
                empty.append(panel["title"])
            else:
                wrong.append(f"{panel['title']}: nothing for {query}")
    return wrong, filled, empty


def main():
    """Half a minute of load, then every query."""
    prometheus, server, metrics = sys.argv[1:]
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=30) as reply:
        text = reply.read()
    checked = subprocess.run([f"{prometheus}/promtool", "check", "metrics"], input=text, capture_output=True)
    if checked.returncode:
        raise SystemExit(f"promtool complains of the metrics: {checked.stderr.decode()}")
    # A name that no source file has would pass as empty for ever.
    sources = "".join(path.read_text() for path in pathlib.Path("src").rglob("*.rs"))
    named = set(re.findall(r"\bmirador_\w+", BOARD.read_text() + (FILES / "rules.yml").read_text()))
    unknown = [name for name in sorted(named) if re.sub("_(bucket|sum|count)$", "", name) not in sources]
    if unknown:
        raise SystemExit(f"the server has no {unknown}")
    with tempfile.TemporaryDirectory() as folder:
        process, url = start(pathlib.Path(folder), prometheus, metrics)
        try:
            load(server, 20)
            wrong, filled, empty = faults(url)
        finally:
            process.terminate()
            process.wait()
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"{filled} queries of the board have data; empty for the reason that they tell: {', '.join(empty) or 'none'}")


if __name__ == "__main__":
    main()
