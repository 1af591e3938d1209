"""Runs what the documents print, against a running server: `readme.py HOST:PORT`, from the repository's root.

In every ```console block of README.md and docs/ a line that begins with `$ ` is a command, and the next are its reply.
Each command is run and has to reply what is printed: numbers within 1e-5, everything else exactly. A reply in JSON may
be folded. Commands that cannot be run here are listed below with the reason: a new command has to be one or the other.
"""

import os
import pathlib
import re
import subprocess
import sys

PRINTED = "127.0.0.1:8080"
RUN = ("curl ", "printf ", "examples/job.sh ", "examples/score.sh ", "python3 examples/score.py ")
BY_HAND = "needs what CI has not: "
NOT_RUN = {
    "make run": "serves until it is stopped; this script has such a server",
    "make test": "another step of CI runs it",
    "make prepare DATA=folder-of-public-files": BY_HAND + "the public data",
    "make train MODEL=dmiso VERSION=balanced": BY_HAND + "the public data, and an hour",
    "make evaluate MODEL=dmiso@balanced FILE=my.tsv": BY_HAND + "a labelled table",
    "target/release/mirador key NAME --scopes score,read,metrics": "prints another key each time; a test runs it",
    "make image": BY_HAND + "a public registry; .ci/image builds its last stage",
    "docker buildx imagetools inspect rust:1-bookworm": BY_HAND + "a public registry",
    "make image RUST_IMAGE=rust:1-bookworm@sha256:DIGEST": BY_HAND + "a public registry",
    "docker compose -f docker/compose.yaml --profile cpu up --detach": BY_HAND + "a public registry",
    "docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges "
    "-p 127.0.0.1:8080:8080 mirador": "another step of CI does so with podman",
    "mirador-train prepare expression --genome genome.fa.gz --annotation genes.gtf.gz --expression levels.tsv "
    "--out data/full_length.tsv": BY_HAND + "a genome",
    "mirador-train train --model xpresso --version full_length --dataset data/full_length.tsv": BY_HAND + "a genome",
    "mirador-train select-mirnas --recipe recipes/xpresso/full_length.json --dataset data/full_length.tsv":
        BY_HAND + "a genome",
    "mirador-train train --model mirex --version own --dataset data/full_length.tsv": BY_HAND + "a genome",
    "python3 scripts/keras_to_safetensors.py humanMedian_trainepoch.11-0.426.h5 xpresso_human.safetensors":
        BY_HAND + "the authors' weights",
    "mirador-train import --model xpresso --version published --options "
    """'{"features": ["utr5_length", "cds_length", "intron_length", "utr3_length", "utr5_gc", "cds_gc"]}' """
    "xpresso_human.safetensors": BY_HAND + "the authors' weights",
    "mirador serve --weights-dir weights --models xpresso@full_length,xpresso@published":
        BY_HAND + "weights of a genome",
    "mirador predict --weights-dir weights --model xpresso@full_length --input data/full_length.tsv --out predicted.tsv "
    "--set column.id=ensg --set keep_columns=true $(for name in utr5_length cds_length intron_length utr3_length utr5_gc "
    "cds_gc utr3_gc orf_exon_density; do echo --set column.half_life_features.$name=$name; done)":
        BY_HAND + "weights of a genome",
    "make wheel": ".ci/wheel packs it",
    "python3 -m venv env": ".ci/wheel does so",
    "env/bin/pip install --no-deps torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85 urllib3":
        ".ci/wheel does so, by hash",
    "env/bin/pip install --no-deps target/wheel/dist/mirador-0.1.0-py3-none-manylinux_2_34_x86_64.whl": ".ci/wheel does so",
    "env/bin/mirador serve": ".ci/wheel does so",
    "make deb": BY_HAND + "cargo-deb, and minutes to compress libtorch",
    "mirador serve --jobs-dir /var/lib/mirador/jobs": "serves until it is stopped; this script has such a server",
    "mirador serve --jobs-dir /var/lib/mirador/jobs --callback-origin https://lims.example --callback-secret-file secret":
        BY_HAND + "somebody to call; a test runs it",
    "make build CUDA=1": BY_HAND + "a GPU",
    "scripts/gpu_check.sh": BY_HAND + "a GPU",
}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def documents():
    """The files that are looked at."""
    return [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").rglob("*.md"))]


def is_open(command):
    """Whether the shell would wait for more: a quote is open, or the line goes on."""
    quote, letters = None, iter(command)
    for letter in letters:
        if letter == "\\" and quote != "'":
            if next(letters, None) is None:
                return True
        elif quote:
            quote = None if letter == quote else quote
        elif letter in "'\"":
            quote = letter
    return quote is not None or command.rstrip().endswith("|")


def commands(document):
    """Every command of a document with its line and the reply that is printed."""
    inside, found = False, []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = not inside and line == "```console"
        elif inside and found and is_open(found[-1][1]):
            found[-1][1] += "\n" + line
        elif inside and line.startswith("$ "):
            found.append([number, line[2:], []])
        elif inside and found:
            found[-1][2].append(line)
        elif inside:
            raise SystemExit(f"{document}:{number}: a reply without a command")
    return [(number, command, "\n".join(reply).strip("\n")) for number, command, reply in found]


def folded(text):
    """JSON without the white space between its parts, so that a document may break the lines of a reply."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda part: part.group(1) or "", text)


def close(printed, found):
    """Two numbers as they are written; whole ones are counts and have to be equal."""
    if printed == found:
        return True
    if not any(letter in ".eE" for letter in printed + found):
        return False
    printed, found = float(printed), float(found)
    return abs(printed - found) <= 1e-5 * max(1, abs(printed), abs(found))


def same(printed, found):
    """Numbers within 1e-5, everything else exactly."""
    if printed.startswith("{"):
        printed, found = folded(printed), folded(found)
    if NUMBER.sub("#", printed) != NUMBER.sub("#", found):
        return False
    return all(map(close, NUMBER.findall(printed), NUMBER.findall(found)))


def run(command, address):
    """What the command replies, and what it complains of."""
    environment = {**os.environ, "MIRADOR_URL": f"http://{address}"}
    shell = ["bash", "-o", "pipefail", "-c", command.replace(PRINTED, address)]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=60)
    failure = f"\nexit status {done.returncode}: {done.stderr}" if done.returncode else ""
    return done.stdout.rstrip("\n") + failure


def main():
    """Compares every reply; ends with the list of faults, if there are any."""
    address, faults, ran, left = sys.argv[1], [], 0, set(NOT_RUN)
    for document in documents():
        for number, command, printed in commands(document):
            bare = re.sub(r"\s+#.*", "", command)
            left.discard(bare)
            if bare in NOT_RUN:
                continue
            if not command.startswith(RUN):
                faults.append(f"{document}:{number}: neither run here nor listed as not run: {command}")
                continue
            found, ran = run(command, address), ran + 1
            if not same(printed, found):
                faults.append(f"{document}:{number}: {command}\n--- printed\n{printed}\n--- replied\n{found}")
    faults += [f"listed as not run, and in no document: {command}" for command in sorted(left)]
    if faults:
        raise SystemExit("\n\n".join(faults))
    print(f"{ran} commands of the documents reply what is printed; {len(NOT_RUN)} are not run here")


if __name__ == "__main__":
    main()
