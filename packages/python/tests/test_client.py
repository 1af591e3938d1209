"""The client against a server that fails in every way: `python -m unittest` in this folder, with mirador installed."""

import json
import unittest
from typing import Any
from unittest.mock import patch

import pandas
from fake import Fake, ok, refusal

from mirador import Client, Problem, Unreachable

PAIR = {"mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"}
MODEL = {"name": "dmiso", "version": "balanced"}


def results(count: int) -> dict[str, Any]:
    """As many results as rows."""
    row = {"probability": 0.9, "interacts": True, "site_type": "8mer", "warnings": []}
    return {"model": MODEL, "results": [row] * count}


class Slept(unittest.TestCase):
    """Nobody waits here: what would have been slept is kept."""

    def setUp(self) -> None:
        self.slept: list[float] = []
        sleeping = patch("time.sleep", self.slept.append)
        sleeping.start()
        self.addCleanup(sleeping.stop)


class Retries(Slept):
    """What is sent again, when, and how often."""

    def test_comes_back_when_it_was_told_to(self) -> None:
        for status in (429, 503):
            with Fake([refusal(status, "queue-full", {"Retry-After": "7"}), ok(results(1))]) as fake:
                self.assertEqual(Client(fake.url).score([PAIR])[0]["probability"], 0.9)
            self.assertGreaterEqual(self.slept.pop(), 7.0)
            self.assertEqual(len(fake.asked), 2)
            self.assertEqual(fake.asked[0].body, fake.asked[1].body)

    def test_does_not_wait_longer_than_its_caller_would(self) -> None:
        with Fake([refusal(503, "starting", {"Retry-After": "61"})]) as fake, self.assertRaises(Problem) as raised:
            Client(fake.url, patience=60).score([PAIR])
        self.assertEqual((raised.exception.kind, raised.exception.retry_after, self.slept), ("starting", 61.0, []))

    def test_a_refusal_is_final(self) -> None:
        for status in (400, 401, 404, 413, 422, 500, 502, 504):
            with Fake([refusal(status, "any", {"Retry-After": "1"})]) as fake, self.assertRaises(Problem) as raised:
                Client(fake.url).score([PAIR])
            self.assertEqual((raised.exception.status, len(fake.asked), self.slept), (status, 1, []))

    def test_a_broken_connection_is_tried_five_times(self) -> None:
        with Fake([None] * 9) as fake, self.assertRaises(Unreachable):
            Client(fake.url).score([PAIR])
        self.assertEqual((len(fake.asked), len(self.slept)), (5, 4))

    def test_deleting_is_not_repeated(self) -> None:
        with Fake([None] * 9) as fake, self.assertRaises(Unreachable):
            Client(fake.url).jobs.delete("j1")
        self.assertEqual([asked.path for asked in fake.asked], ["/v1/jobs/j1"])


class Problems(Slept):
    """What an exception tells."""

    def test_names_rows_and_fields_over_all_blocks(self) -> None:
        errors = [
            {"pointer": "/pairs/3/site", "code": "invalid_letter", "detail": "letter 'X' at position 4"},
            {"pointer": "/pairs/4", "code": "missing_field", "detail": "no mirna"},
            {"pointer": "/genes/0/half_life_features/utr5~1gc", "code": "out_of_range", "detail": "too much"},
            {"pointer": "/model", "code": "wrong_type", "detail": "no model"},
        ]
        second = refusal(422, "invalid-input", errors=errors, more_errors=2)
        with Fake([ok(results(1000)), second]) as fake, self.assertRaises(Problem) as raised:
            Client(fake.url).score([PAIR] * 1005)
        problem = raised.exception
        self.assertEqual([len(json.loads(asked.body)["pairs"]) for asked in fake.asked], [1000, 5])
        found = [(fault.row, fault.field, fault.code) for fault in problem.faults]
        self.assertEqual(
            found,
            [
                (1003, "site", "invalid_letter"),
                (1004, None, "missing_field"),
                (1000, "half_life_features.utr5/gc", "out_of_range"),
                (None, None, "wrong_type"),
            ],
        )
        self.assertEqual((problem.kind, problem.request_id, problem.more_faults), ("invalid-input", "r1", 2))
        lines = str(problem).splitlines()
        self.assertEqual(lines[0], "422 invalid-input: because")
        self.assertEqual(lines[1], "  row 1003, site: letter 'X' at position 4")
        self.assertEqual(lines[-1], "  and 2 more")

    def test_a_proxys_page_is_a_problem_too(self) -> None:
        with Fake([(502, {}, b"<html>Bad Gateway")]) as fake, self.assertRaises(Problem) as raised:
            Client(fake.url).models()
        self.assertEqual(str(raised.exception), "502: <html>Bad Gateway")

    def test_two_models_are_not_mixed(self) -> None:
        other = {**results(1), "model": {"name": "dmiso", "version": "paper"}}
        with Fake([ok(results(1000)), ok(other)]) as fake, self.assertRaisesRegex(Exception, "ask again"):
            Client(fake.url).score([PAIR] * 1001)


class Frames(unittest.TestCase):
    """pandas in and out."""

    def test_a_frame_becomes_rows_and_results_a_frame(self) -> None:
        genes = pandas.DataFrame(
            {
                "id": [7, 8],
                "promoter": ["ACGT", "ACGA"],
                "tss": [1, 2],
                "half_life_features.measured": [0.5, float("nan")],
                "mirnas.mir-1.2": [None, 1.0],
            },
            # Frames that were put together have labels twice.
            index=["a", "a"],
        )
        row = {"log10_expression": 1.0, "isomir": {"type": ["snp"]}, "warnings": []}
        rows = [{"id": "7", **row}, {"id": "8", **row, "log10_expression": 2.0}]
        with Fake([ok({"model": MODEL, "results": rows})]) as fake:
            reply = Client(fake.url, key="k").predict(genes)
        self.assertEqual(
            json.loads(fake.asked[0].body)["genes"],
            [
                {"id": "7", "promoter": "ACGT", "tss": 1, "half_life_features": {"measured": 0.5}},
                {"id": "8", "promoter": "ACGA", "tss": 2, "mirnas": {"mir-1.2": 1.0}},
            ],
        )
        self.assertEqual(fake.asked[0].headers["Authorization"], "Bearer k")
        frame = reply.frame()
        self.assertEqual(list(frame.index), ["a", "a"])
        self.assertEqual(list(frame.columns), ["log10_expression", "isomir.type", "warnings"])
        beside = pandas.concat([genes, frame], axis=1)
        self.assertEqual(list(beside["log10_expression"]), [1.0, 2.0])
        self.assertEqual(list(beside["id"]), [7, 8])


class JobsOf(Slept):
    """Jobs, against the contract's words."""

    def test_one_job_however_often_it_is_sent(self) -> None:
        job = {"id": "j1", "state": "QUEUED"}
        lines = b'{"probability": 0.9}\n{"line": 2, "errors": []}\n'
        replies = [
            None,
            (202, {"Location": "/v1/jobs/j1"}, job),
            ok({**job, "state": "RUNNING"}),
            ok({**job, "state": "COMPLETE"}),
            ok(lines),
            (204, {}, b""),
        ]
        with Fake(list(replies)) as fake, Client(fake.url) as client:
            sent = client.jobs.submit("target-sites/score", [PAIR, PAIR], model="dmiso")
            done = client.jobs.wait(sent)
            rows = client.jobs.results(done)
            client.jobs.delete(done)
        self.assertEqual((sent.id, done.state, len(rows)), ("j1", "COMPLETE", 2))
        first, second = fake.asked[:2]
        self.assertEqual(first.path, "/v1/jobs?operation=target-sites/score&model=dmiso")
        self.assertEqual(first.headers["Idempotency-Key"], second.headers["Idempotency-Key"])
        self.assertEqual(first.body.count(b"\n"), 2)
        self.assertEqual((fake.asked[-1].method, fake.asked[-1].path), ("DELETE", "/v1/jobs/j1"))

    def test_waiting_ends(self) -> None:
        with Fake([ok({"id": "j1", "state": "RUNNING"})]) as fake, self.assertRaisesRegex(TimeoutError, "RUNNING"):
            Client(fake.url).jobs.wait("j1", timeout=0)


if __name__ == "__main__":
    unittest.main()
