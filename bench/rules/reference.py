"""Runs the prototype's scenario generators (gen_epoch.py, gen_trace.py of the folder in argv[1]).

One scenario a line on standard input, {"scale", "kind", "seed"}; one line of JSON for each on standard output, with the
generator's own numbers (see reference.ts). With "lent" as argv[2] the generators draw from the chance of random.ts
instead of Python's own, so that both sides must come to the same scenario.
"""

import json
import math
import random
import sys
import types

MASK = 0xFFFFFFFF


class LentChance(random.Random):
    """sfc32 as in random.ts; the distributions are Python's own."""

    def seed(self, seed=0, version=2):
        self.state = (0, seed & MASK, 0, 1)
        self.gauss_next = None
        for _ in range(12):
            self.word()

    def word(self):
        a, b, c, counter = self.state
        total = (a + b + counter) & MASK
        self.state = (
            b ^ (b >> 9),
            (c + (c << 3)) & MASK,
            ((((c << 21) & MASK) | (c >> 11)) + total) & MASK,
            (counter + 1) & MASK,
        )
        return total

    def random(self):
        return ((self.word() >> 5) * 67108864 + (self.word() >> 6)) / 9007199254740992

    def _randbelow(self, n):
        return int(self.random() * n)


def finite(value):
    """JSON has no NaN: a word stands for what is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def main():
    folder, chance = sys.argv[1], sys.argv[2]
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import gen_epoch
    import gen_trace

    if chance == "lent":
        lent = types.SimpleNamespace(Random=LentChance)
        gen_epoch.random = lent
        gen_trace.random = lent

    for line in sys.stdin:
        asked = json.loads(line)
        if asked["scale"] == "rows":
            made = gen_epoch.gen(asked["seed"], asked["kind"], "real")
            values = [[finite(value) for value in row.values()] for row in made["rows"]]
        else:
            made = gen_trace.gen(asked["seed"], asked["kind"], "test")
            values = made["S"]
        labels = [{name: finite(value) for name, value in label.items()} for label in made["labels"]]
        length = made["E"] if asked["scale"] == "rows" else made["dur"]
        answer = {"clean": made["clean"], "length": length, "meta": made["meta"], "labels": labels, "values": values}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
