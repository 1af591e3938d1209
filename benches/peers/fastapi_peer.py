"""FastAPI without batching: `fastapi_peer.py WEIGHTS PORT`. One process, the network called in the event loop, which is
faster for a network of a millisecond than the thread pool."""

import sys

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

import dmiso


class Pair(BaseModel):
    mirna: str
    site: str


class ScoreRequest(BaseModel):
    pairs: list[Pair]


app = FastAPI()
network = dmiso.load(sys.argv[1])


@app.post("/v1/target-sites/score")
async def score(request: ScoreRequest):
    pairs = [pair.model_dump() for pair in request.pairs]
    with torch.inference_mode():
        probabilities = network(dmiso.encode(pairs)).tolist()
    return dmiso.answer(pairs, probabilities)


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
