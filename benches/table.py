"""Puts what scripts/bench measured into one table, with ratios.

    table.py RESULTS

RESULTS has lines of fields between tabs: what was measured, on which database, whose, at how many
connections, and then "key=value …" of the load, or "missing=REASON".
"""

import sys

LOADS = ("1", "16", "64")
KEYLEND = "Keylend"
ROW_WORK = "row work alone, one writer, batches of 32"


class Results:
    def __init__(self, path):
        self.found = {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                what, database, name, load, pairs = line.rstrip("\n").split("\t")
                values = {"missing": pairs.partition("=")[2]}
                if not pairs.startswith("missing="):
                    values = dict(pair.split("=") for pair in pairs.split())
                self.found[what, database, name, load] = values

    def get(self, what, database, name, load, key="requests_per_s"):
        return self.found.get((what, database, name, load), {}).get(key)

    def rate(self, what, database, name, load):
        rate = self.get(what, database, name, load)
        return None if rate is None else float(rate)

    def names(self, what, database):
        """In the order in which they were measured."""
        return list(dict.fromkeys(key[2] for key in self.found if key[:2] == (what, database)))


def line(*cells):
    print("%-46s %9s %9s %9s %9s %7s" % cells)


def row(results, what, database, name, label=None):
    missing = [results.get(what, database, name, load, "missing") for load in ("", *LOADS)]
    if any(missing):
        print("%-46s missing: %s" % (label or "  " + name, next(filter(None, missing))))
        return
    rates = [results.get(what, database, name, load) or "" for load in LOADS]
    slowest = next((load for load in reversed(LOADS) if results.get(what, database, name, load)), "")
    errors = [results.get(what, database, name, load, key) for load in LOADS for key in ("errors_http", "errors_socket")]
    counted = [int(number) for number in errors if number is not None]
    p99 = results.get(what, database, name, slowest, "p99_ms") or ""
    line(label or "  " + name, *rates, p99, sum(counted) if counted else "")


def ratios(results, label, above, below):
    """`above` and `below` give a rate for a number of connections, or None."""
    cells = []
    for load in LOADS:
        upper, lower = above(load), below(load)
        cells.append("%.2f" % (upper / lower) if upper and lower else "")
    line("  = " + label, *cells, "", "")


def best(results, database, language):
    peers = [name for name in results.names("unlock", database) if name.startswith(language)]

    def rate(load):
        return max((results.rate("unlock", database, name, load) or 0 for name in peers), default=0)

    return rate


def unlocks(results, database):
    def keylend(load):
        return results.rate("unlock", database, KEYLEND, load)

    def relay(load):
        return results.rate("relay", "", "relay", load)

    def row_work(_):
        return results.rate("unlock", database, ROW_WORK, "64")

    print(database)
    for name in results.names("unlock", database):
        row(results, "unlock", database, name)
    ratios(results, "Keylend to the better of Go", keylend, best(results, database, "Go"))
    ratios(results, "Keylend to the better of Node", keylend, best(results, database, "Node"))
    ratios(results, "Keylend to the row work alone", keylend, row_work)
    ratios(results, "Keylend to the relay", keylend, relay)


def reads(results, database):
    for name in results.names("read", database):
        row(results, "read", database, name, "  %s: %s" % (database, name))
    ratios(
        results,
        "%s: Keylend to the simulator" % database,
        lambda load: results.rate("read", database, KEYLEND, load),
        lambda load: results.rate("read", database, "simulator's own", load),
    )


def beside_readers(results, database):
    row(results, "beside", database, KEYLEND, "  %s: unlocks at 16" % database)
    ratios(
        results,
        "%s: to 16 by themselves" % database,
        lambda load: results.rate("beside", database, KEYLEND, load),
        lambda load: results.rate("unlock", database, KEYLEND, load),
    )


def main(path):
    results = Results(path)
    databases = list(dict.fromkeys(key[1] for key in results.found if key[0] == "unlock"))
    line("a second, by connections", *LOADS, "p99 ms", "errors")
    row(results, "relay", "", "relay", "relay, nothing checked or recorded")
    row(results, "relay", "", "relay at the end", "relay, once more at the end")
    print("\nunlocks")
    for database in databases:
        unlocks(results, database)
    print("\nreads")
    for database in databases:
        reads(results, database)
    print("\nunlocks beside 64 readers")
    for database in databases:
        beside_readers(results, database)


if __name__ == "__main__":
    main(*sys.argv[1:])
