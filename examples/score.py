"""Scores miRNA-site pairs with Python's standard library alone: `score.py FILE [MODEL]`.

FILE.csv or FILE.tsv (columns mirna, site and, if you like, id) is sent and answered whole. FILE.ndjson (an object a
line) is streamed: answers are read while rows are sent, so that millions of rows need little memory. MIRADOR_URL names
the server, MIRADOR_KEY holds a key. Both functions can be copied into a program of your own.
"""

import http.client
import itertools
import json
import math
import os
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

SERVER = os.environ.get("MIRADOR_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("MIRADOR_KEY")
TABLES = {".csv": "text/csv", ".tsv": "text/tab-separated-values"}
# Lines that are sent at once; at most two such blocks wait for their answers.
BLOCK = 256


class Refused(Exception):
    """The server's reasons, as a text for people."""


def score_table(table, content_type="text/csv", model=None):
    """A table (bytes) as a whole; the reply is a table with a row for each of its rows."""
    request = urllib.request.Request(url(model), table, headers(content_type))
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as error:
        raise refused(error) from None


def score_lines(lines, model=None):
    """Yields an answer (a dict) for each of `lines` (bytes, a JSON object each), while later ones are not yet read.

    A program that sends everything before it reads waits for ever: the server reads no faster than its answers are
    taken. Here a block is sent only when the one before the last is answered.
    """
    lines = (line.rstrip(b"\r\n") + b"\n" for line in lines)
    place = urllib.parse.urlsplit(url(model))
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = connect(place.netloc)
    connection.putrequest("POST", urllib.parse.urlunsplit(("", "", place.path, place.query, "")))
    for name, value in headers("application/x-ndjson").items():
        connection.putheader(name, value)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    upload, reply, waiting = connection.sock, None, 0
    while True:
        block = list(itertools.islice(lines, BLOCK))
        text = b"".join(block)
        try:
            upload.sendall(b"%x\r\n%s\r\n" % (len(text), text))  # without lines: the end of the body
            waiting += sum(1 for line in block if line.strip())  # a blank line has no answer
        except OSError:
            block, waiting = [], math.inf  # the reply's last line says why no more is taken
        if reply is None and (waiting > BLOCK or not block):
            reply = connection.getresponse()
            if reply.status != 200:
                raise refused(reply)
        while waiting > (BLOCK if block else 0):
            answer = json.loads(reply.readline() or b'{"error": "the connection broke off"}')
            if "error" in answer:
                raise Refused(f"the stream ended early: {answer}")
            yield answer
            waiting -= 1
        if not block:
            return


def url(model):
    """The route that scores pairs, with the model that is to answer."""
    return f"{SERVER}/v1/target-sites/score" + (f"?model={urllib.parse.quote(model)}" if model else "")


def headers(content_type):
    """What every request says."""
    return {"Content-Type": content_type} | ({"Authorization": f"Bearer {KEY}"} if KEY else {})


def refused(reply):
    """Every fault that an error reply (RFC 9457) names, a line each."""
    problem = json.load(reply)
    faults = [problem["detail"]]
    for error in problem.get("errors", []):
        place = f"line {error['line']}, {error['pointer']}" if "line" in error else error["pointer"]
        faults.append(f"{place}: {error['detail']}")
    return Refused("\n".join(faults))


def main():
    """The command line."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    file, model = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else None
    try:
        if file.suffix in TABLES:
            print(score_table(file.read_bytes(), TABLES[file.suffix], model), end="")
            return
        with file.open("rb") as lines:
            for answer in score_lines(lines, model):
                print(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
    except Refused as reasons:
        raise SystemExit(f"refused: {reasons}") from None


if __name__ == "__main__":
    main()
