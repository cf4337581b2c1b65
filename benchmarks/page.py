"""Run benchmarks, and put what they print into docs/benchmarks.md.

    python benchmarks/page.py --list
    python benchmarks/page.py serving bounds
    python benchmarks/page.py serving --from-file serving.txt

The page has a pair of markers for each benchmark; what stands between them is written
by this script only, so that a number on the page is one that was printed. Words around
the markers are for people to write. --from-file takes what a run elsewhere has printed.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/benchmarks.md"
# What is run for each pair of markers, as words behind `python benchmarks/`.
RUNS = {
    "votes_needed": ["votes_needed.py"],
    "serving": ["serving.py"],
    "bounds": ["bounds.py"],
    "exact": ["exact.py"],
    "analytic": ["analytic.py"],
    "regression": ["regression.py"],
    "packing": ["packing.py"],
    "many_rows": ["many_rows.py", "--rounds", "2"],
    "grid": ["grid.py"],
    "large_forests": ["large_forests.py"],
    "nets": ["nets.py"],
    "nets_2": ["nets.py", "2"],
    "nets_ready": ["nets.py", "--ready-only"],
    "nets_bfloat16": ["nets.py", "--nets", "resnet", "--bfloat16"],
    "training_noise": ["training_noise.py"],
    "shared_noise": ["shared_noise.py"],
}


def markers(name):
    """Return the lines between which the output of a benchmark stands."""
    return f"<!-- begin {name} -->", f"<!-- end {name} -->"


def between(page, name):
    """Return the place of what stands between the markers, as a match."""
    begin, end = map(re.escape, markers(name))
    found = list(re.finditer(f"(?<={begin}\n).*?(?={end})", page, flags=re.S))
    if len(found) != 1:
        raise ValueError(
            f"the page needs one pair of markers {name}, has {len(found)}."
        )
    return found[0]


def as_markdown(output):
    """Return printed text: as it is if it is a table of Markdown, else as a block."""
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    if not any(line.startswith("|") for line in lines):
        lines = ["```text", *lines, "```"]
    text = "\n".join(lines) + "\n"
    # A line of words right before or behind a row would be taken for one.
    text = re.sub(r"(\|\n)(?=[^|\n])", r"\1\n", text)
    return re.sub(r"([^|\n]\n)(?=\|)", r"\1\n", text)


def put(page, name, output):
    """Return the page with this output between the markers of a benchmark."""
    place = between(page, name)
    command = " ".join(["python", f"benchmarks/{RUNS[name][0]}", *RUNS[name][1:]])
    content = f"`{command}` printed:\n\n{as_markdown(output)}"
    return page[: place.start()] + content + page[place.end() :]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of --list")
    parser.add_argument("--list", action="store_true", help="what can be run")
    parser.add_argument("--from-file", type=Path, help="what one of them has printed")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in RUNS]
    if unknown:
        parser.error(f"{unknown[0]} is none of {', '.join(RUNS)}")
    if options.from_file is not None and len(options.names) != 1:
        parser.error("--from-file is for one NAME")
    if options.list or not options.names:
        print("\n".join(RUNS))
    for name in options.names:
        if options.from_file is not None:
            output = options.from_file.read_text(encoding="utf-8")
        else:
            script, *words = RUNS[name]
            print(f"{name} ...", file=sys.stderr, flush=True)
            run = [sys.executable, HERE / script, *words]
            output = subprocess.run(
                run, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
        page = put(PAGE.read_text(encoding="utf-8"), name, output)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
