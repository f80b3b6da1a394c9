"""Tags the strings of a JSON file with nagisa, in windows as worker.py does: japanese_worker.py TEXTS."""

import importlib.metadata
import json
import sys
import time

import nagisa

WARMUP_TEXTS = 100


def report(fields):
    """Prints one JSON line at once."""
    print(json.dumps(fields), flush=True)


def tag(texts):
    """Words and tags of all texts; the tags are made when asked for."""
    return [(tagged.words, tagged.postags) for tagged in map(nagisa.tagging, texts)]


def main():
    """Warms up, then runs a window for each line on the input."""
    with open(sys.argv[1]) as file:
        texts = json.load(file)
    first = tag(texts[:WARMUP_TEXTS])
    version = f"nagisa {importlib.metadata.version('nagisa')}"
    report({"event": "ready", "version": version, "first": first[:20]})
    position = 0
    for line in sys.stdin:
        seconds = float(line.split()[1])
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        elapsed = 0.0
        while elapsed < seconds:
            tag(texts[position : position + 1])
            count += 1
            position = (position + 1) % len(texts)
            elapsed = time.perf_counter() - start
        used = (time.process_time() - cpu) / elapsed
        report({"event": "window", "sentences_per_second": count / elapsed, "cores_used": used})


if __name__ == "__main__":
    main()
