"""What `mirador.Client` does, as one would try it out: needs `pip install mirador pandas` and a server (MIRADOR_URL)."""

import pandas

from mirador import Client, Problem

client = Client()

# Pairs as a frame: each has its scores beside it.
pairs = pandas.DataFrame(
    {
        "mirna": ["UGAGGUAGUAGGUUGUAUAGUU", "UAAAGUGCUUAUAGUGCAGGUAG"],
        "site": ["AACUAUACAACCUACUACCUCA", "GACCUGCAAAAGUAAGCACUUUAGG"],
    },
    index=["let-7a", "miR-20a"],
)
reply = client.score(pairs)
print(reply.model)
print(pandas.concat([pairs, reply.frame()], axis=1)[["probability", "interacts", "site_type"]])

# Why: what masking each nucleotide of the miRNA does to the score; and how the strands pair.
why = client.explain(pairs[:1], methods=["n_mask"])[0]
print(dict(enumerate(why["importance"]["mirna"], 1)))
print(client.fold(pairs)[0]["drawing"])

# miRNAs on transcripts: letters by name.
utr = "GCAUUAACUAUACAACCUACUACCUCAAUUUGCCGAAUAAAGCUACCUCUGGGAUAUA"
scan = client.scan({"let-7a": "UGAGGUAGUAGGUUGUAUAGUU"}, {"made-up": utr})
print(scan.transcripts.frame()[["transcript", "rank_score"]])
print(scan.sites.frame()[["site_type", "start", "end", "probability"]])

# Hairpins and promoters, as dictionaries.
hairpin = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"
print(client.classify([{"id": "hsa-let-7a-1", "sequence": hairpin}])[0]["class"])
print(client.fold_hairpins([{"sequence": hairpin}])[0]["dot_bracket"])
promoter = "TCCACATGCTGCTCGGCCTGAAAAGGCAGTGGGGAGCCGGAGGGGAGGCAGAGATCGCGAGCGAGGCACCAGCCTGCAGCCGGCCC"
print(client.predict([{"promoter": promoter, "tss": 49}])[0]["log10_expression"])

# A refusal names rows and fields.
try:
    client.score([{"mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "ACGUACG"}, {"mirna": "UGAX", "site": "ACGUACG"}])
except Problem as problem:
    print(problem)
    assert [(fault.row, fault.field) for fault in problem.faults] == [(1, "mirna")]
