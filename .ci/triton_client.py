"""Triton's own client against a running server: `triton_client.py HOST:PORT`. Its answers have to equal those of the
service's own route, as JSON and as binary tensors, plain and compressed."""

import json
import sys
import urllib.request

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address = sys.argv[1]
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata()["name"] == "mirador"
assert client.is_model_ready("dmiso") and client.is_model_ready("dmiso", "paper")
assert not client.is_model_ready("no_such_model")
metadata = client.get_model_metadata("dmiso")
assert [tensor["name"] for tensor in metadata["inputs"]] == ["mirna", "site"], metadata

pairs = [
    {"mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"},
    {"mirna": "UGGAAUGUAAAGAAGUAUGUAU", "site": "GAUUACAGAUUACAGAUUACA"},
]
request = urllib.request.Request(
    f"http://{address}/v1/target-sites/score",
    json.dumps({"model": "dmiso@paper", "pairs": pairs}).encode(),
    {"content-type": "application/json"},
)
expected = json.load(urllib.request.urlopen(request))["results"]


def column(name, binary):
    values = np.array([pair[name].encode() for pair in pairs], dtype=np.object_)
    tensor = triton.InferInput(name, [len(pairs)], "BYTES")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


for binary in (False, True):
    for compression in (None, "gzip"):
        answer = client.infer(
            "dmiso",
            [column("mirna", binary), column("site", binary)],
            model_version="paper",
            request_id="7",
            outputs=[
                triton.InferRequestedOutput(name, binary_data=binary)
                for name in ("probability", "interacts", "site_type")
            ],
            request_compression_algorithm=compression,
            response_compression_algorithm=compression,
        )
        assert answer.get_response()["id"] == "7"
        probability = answer.as_numpy("probability")
        np.testing.assert_allclose(probability, [row["probability"] for row in expected], atol=1e-6)
        assert answer.as_numpy("interacts").tolist() == [row["interacts"] for row in expected]
        site_types = [text.decode() if binary else text for text in answer.as_numpy("site_type")]
        assert site_types == [row["site_type"] for row in expected], site_types

hairpin = triton.InferInput("sequence", [1], "BYTES")
hairpin.set_data_from_numpy(np.array([b"GUGAG" + b"ACGU" * 15 + b"UUCAG"], dtype=np.object_))
assert client.infer("premirna_cnn_lstm", [hairpin]).as_numpy("class")[0] in (b"mirtron", b"canonical")

promoter = triton.InferInput("promoter", [1], "BYTES")
promoter.set_data_from_numpy(np.array([b"ACGTACGTAC" * 9], dtype=np.object_))
start = triton.InferInput("tss", [1], "INT64")
start.set_data_from_numpy(np.array([45]))
level = client.infer("xpresso", [promoter, start]).as_numpy("log10_expression")
assert np.isfinite(level).all(), level

wrong = triton.InferInput("mirna", [1], "BYTES")
wrong.set_data_from_numpy(np.array([b"GAXT"], dtype=np.object_))
try:
    client.infer("dmiso", [wrong, column("site", True)])
    raise SystemExit("a bad tensor was taken")
except InferenceServerException as error:
    assert "as many rows" in str(error), error

print("Triton's client reads the same answers, as JSON and binary, plain and compressed")
