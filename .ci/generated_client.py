"""A client that openapi-python-client makes from the served document, against the server: `generated_client.py HOST:PORT`.
It scores pairs as JSON, as a table and as tensors; all three have to tell the same."""

import csv
import importlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile

url = f"http://{sys.argv[1]}"
work = tempfile.TemporaryDirectory()
tools = str(pathlib.Path(sys.executable).parent)
made = subprocess.run(
    [f"{tools}/openapi-python-client", "generate", "--url", f"{url}/openapi.json", "--meta", "none"]
    + ["--output-path", f"{work.name}/mirador_client"],
    env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    capture_output=True,
    text=True,
)
if made.returncode != 0:
    raise SystemExit(made.stdout + made.stderr)
sys.path.insert(0, work.name)
client = importlib.import_module("mirador_client").Client(base_url=url)
models = importlib.import_module("mirador_client.models")
score = importlib.import_module("mirador_client.api.target_sites.score_target_sites")
infer = importlib.import_module("mirador_client.api.inference_protocol.v2_infer")

pairs = [
    {"id": "a", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"},
    {"id": "b", "mirna": "UGGAAUGUAAAGAAGUAUGUAU", "site": "GAUUACAGAUUACAGAUUACA"},
]

request = models.ScoreRequest.from_dict({"model": "dmiso", "pairs": pairs})
reply = score.sync_detailed(client=client, body=request, x_request_id="generated", x_deadline_ms=60_000)
assert reply.status_code == 200 and reply.headers["x-request-id"] == "generated", reply
expected = [(row.id, row.probability, row.interacts, row.site_type.value) for row in reply.parsed.results]
assert [row[0] for row in expected] == ["a", "b"] and all(0 <= row[1] <= 1 for row in expected), expected

refused = score.sync(client=client, body=models.ScoreRequest.from_dict({"pairs": [{"mirna": "UGAX", "site": "ACGUAC"}]}))
assert isinstance(refused, models.Problem) and refused.errors[0].code.value == "invalid_letter", refused

# The generator skips bodies of tables; its client sends them all the same.
text = io.StringIO()
table = csv.DictWriter(text, ["id", "mirna", "site"])
table.writeheader()
table.writerows(pairs)
reply = client.get_httpx_client().post(
    "/v1/target-sites/score", params={"model": "dmiso"}, content=text.getvalue(), headers={"Content-Type": "text/csv"}
)
assert reply.status_code == 200 and reply.headers["x-model"] == "dmiso@balanced", reply.text
rows = list(csv.DictReader(io.StringIO(reply.text)))
assert len(rows) == len(expected)


def same(row, other):
    return (row[0], row[2:]) == (other[0], other[2:]) and abs(row[1] - other[1]) < 1e-5


for row, other in zip(rows, expected):
    found = (row["id"], float(row["probability"]), row["interacts"] == "true", row["site_type"])
    assert same(found, other), (found, other)

tensor = lambda name: {"name": name, "datatype": "BYTES", "shape": [2], "data": [pair[name] for pair in pairs]}
request = models.InferRequest.from_dict({"inputs": [tensor(name) for name in pairs[0]]})
reply = infer.sync(name="dmiso", client=client, body=request)
assert isinstance(reply, models.InferResponse), reply
columns = {tensor.name: tensor.data for tensor in reply.outputs}
for found in zip(*(columns[name] for name in ("id", "probability", "interacts", "site_type"))):
    assert same(found, next(row for row in expected if row[0] == found[0])), found

print(f"a generated client reads the same answers as JSON, as a table and as tensors: {expected}")
