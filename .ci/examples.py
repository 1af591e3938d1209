"""Runs the clients in examples/ against a running server: `examples.py HOST:PORT`, from the repository's root. All have
to give the same scores, as a table and as lines; and lines have to pass in a number that no buffer holds. R is passed
over where it is not installed.
"""

import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ENVIRONMENT = {**os.environ, "MIRADOR_URL": f"http://{sys.argv[1]}"}
MANY = 30_000
CLIENTS = {
    "curl": ["examples/score.sh"],
    "Python": [sys.executable, "examples/score.py"],
    "R": ["Rscript", "examples/score.R"],
}


def run(client, *arguments):
    """What a client writes."""
    done = subprocess.run([*CLIENTS[client], *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{client} {arguments}: {done.stderr}{done.stdout}"
    return done.stdout


def of_table(text):
    """Scores by id of a CSV reply."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["id"]: (float(row["probability"]), row["interacts"].lower(), row["site_type"]) for row in rows}


def of_lines(text):
    """Scores by id of an NDJSON reply."""
    rows = [json.loads(line) for line in text.splitlines()]
    return {row["id"]: (row["probability"], str(row["interacts"]).lower(), row["site_type"]) for row in rows}


def same(found, expected):
    """The same rows in the same order, probabilities within 1e-5."""
    assert list(found) == list(expected), (found, expected)
    for row, other in zip(found.values(), expected.values()):
        assert row[1:] == other[1:] and abs(row[0] - other[0]) < 1e-5, (found, expected)


def refuses(client):
    """A table with a wrong nucleotide: the client fails and shows what the server says of it."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as wrong:
        wrong.write("id,mirna,site\np1,UGAGGUAGUAGGUUGUAUAGUX,AACUAUACAACCUACUACCUCA\n")
        wrong.flush()
        arguments = [*CLIENTS[client], wrong.name]
        done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    told = done.stdout + done.stderr
    assert done.returncode != 0 and "letter 'X' at position 22" in told, (client, told)


def main():
    """Every client, both ways."""
    if shutil.which("Rscript") is None:
        print("SKIPPED: examples/score.R, since Rscript is not installed", file=sys.stderr)
        del CLIENTS["R"]
    expected = of_table(run("curl", "examples/pairs.csv"))
    assert len(expected) == 3, expected
    pair = pathlib.Path("examples/pairs.ndjson").read_bytes().splitlines(keepends=True)[0]
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as many:
        many.write(pair * MANY)
        many.flush()
        for client in CLIENTS:
            same(of_table(run(client, "examples/pairs.csv")), expected)
            same(of_lines(run(client, "examples/pairs.ndjson")), expected)
            other = of_table(run(client, "examples/pairs.csv", "dmiso"))
            assert other != expected, f"{client} does not pass the model's name on"
            answers = run(client, many.name).count("\n")
            assert answers == MANY, f"{client}: {answers} answers to {MANY} lines"
            refuses(client)
    print(f"{', '.join(CLIENTS)}: the same scores as a table and as lines, and {MANY} answers to {MANY} lines")


if __name__ == "__main__":
    main()
