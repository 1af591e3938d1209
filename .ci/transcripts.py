"""Two miRNAs and 600 made-up transcripts, the same on every run: `transcripts.py FOLDER`."""

import pathlib
import random
import sys

folder, letters = pathlib.Path(sys.argv[1]), random.Random(7)
(folder / "mirnas.fa").write_text(">let-7a\nUGAGGUAGUAGGUUGUAUAGUU\n>miR-20a\nUAAAGUGCUUAUAGUGCAGGUAG\n")
with open(folder / "utrs.fa", "w") as utrs:
    for number in range(600):
        utrs.write(f">made-up-{number}\n{''.join(letters.choices('ACGU', k=letters.randint(2000, 4000)))}\n")
