"""Keeps what dsopt answers to many commands, and shows what another version answers differently.

    python -m benchmarks.answers.keep FOLDER             keep the answers of this tree
    python -m benchmarks.answers.keep FOLDER --only explain   those of commands that match, and what they read
    python -m benchmarks.answers.keep --compare OLD NEW  list the answers of NEW that differ from those of OLD

Each line of commands.txt is run in English and in Chinese; an answer is the exit code, both streams and the files that
the command wrote. Two versions that should answer the same are compared byte by byte: a redesign moves no answer.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INPUTS = {"HERE": HERE, "EXAMPLES": ROOT / "examples", "LATENCY": ROOT / "benchmarks/latency/data"}
"""Folders that commands.txt names."""
LANGUAGES = ("en", "zh")
AS_OF = "2026-11-24"
DATED = ("solve", "check", "compare", "xray")
"""Commands that take the day of the prices; others read it in a result or need none."""
SECONDS = re.compile(r'(?<="seconds": )(?:\{[^}]*\}|[0-9.]+)|[0-9.]+(?= (?:s\)|秒）))')
"""What an answer says of the time it took, in JSON and on the screen."""
CODE = "from optimizer.cli import main; main()"


def read_commands() -> list[list[str]]:
    """The words of each command; lines that start with # are headings."""
    lines = (HERE / "commands.txt").read_text(encoding="utf-8").splitlines()
    return [shlex.split(x) for x in lines if x.strip() and not x.startswith("#")]


def run(number: int, words: list[str], language: str, folder: Path) -> None:
    """Runs a command and keeps its answer as NUMBER.language.txt."""
    saved = f"saved-{language}"
    places = {"SAVED": saved, **{name: name.lower() for name in INPUTS}}
    typed = []
    for word in words:
        head, slash, rest = word.partition("/")
        typed.append(f"{places[head]}/{rest}" if slash and head in places else word)
    if words[0] in DATED and "--as-of" not in words and not any(x.startswith("SAVED/") for x in words[:2]):
        typed += ["--as-of", AS_OF]
    if words[:1] != ["quote"] and "-o" in words:
        typed.append("--force")
    environment = {**os.environ, "DSOPT_LANG": language, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *typed], cwd=folder, env=environment, capture_output=True, check=False
    )
    answer = [f"$ dsopt {shlex.join(words)}", f"exit {done.returncode}"]
    answer += ["--- stdout", done.stdout.decode(), "--- stderr", done.stderr.decode()]
    if "-o" in words:
        written = folder / saved / words[words.index("-o") + 1].partition("/")[2]
        answer += ["--- file", written.read_text(encoding="utf-8-sig") if written.exists() else "(none)"]
    text = SECONDS.sub("…", "\n".join(answer))
    (folder / f"{number:03}.{language}.txt").write_text(text, encoding="utf-8")


def chosen(only: str) -> list[tuple[int, list[str]]]:
    """Numbered commands that match a pattern, and those that save what they read."""
    commands = list(enumerate(read_commands(), 1))
    matching = [x for x in commands if re.search(only, shlex.join(x[1]))]
    read = {word for _, words in matching for word in words if word.startswith("SAVED/")}
    return [x for x in commands if x in matching or ("-o" in x[1] and x[1][-1] in read)]


def keep(folder: Path, jobs: int, only: str) -> None:
    """Keeps the answers chosen: first those whose files others read."""
    for language in LANGUAGES:
        (folder / f"saved-{language}").mkdir(parents=True, exist_ok=True)
    for name, place in INPUTS.items():  # copies, so that answers name the same paths wherever the tree lies
        shutil.copytree(place, folder / name.lower(), dirs_exist_ok=True)
    commands = chosen(only)
    first = [x for x in commands if x[1][0] == "solve" and "-o" in x[1]]
    then = [x for x in commands if x not in first]
    with ThreadPoolExecutor(jobs) as pool:
        for batch in (first, then):
            asked = [(number, words, language) for number, words in batch for language in LANGUAGES]
            kept = [pool.submit(run, number, words, language, folder) for number, words, language in asked]
            for answer in kept:
                answer.result()


def compare(old: Path, new: Path) -> int:
    """Prints the names of answers that differ; their number."""
    names = sorted(p.name for p in new.glob("*.txt"))
    different = [x for x in names if not (old / x).exists() or (old / x).read_bytes() != (new / x).read_bytes()]
    print(f"{len(names) - len(different)} of {len(names)} answers are equal; {len(list(old.glob('*.txt')))} were kept")
    for name in different:
        print(name, (new / name).read_text(encoding="utf-8").partition("\n")[0])
    return len(different)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"))
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if asked.compare:
        raise SystemExit(1 if compare(*asked.compare) else 0)
    keep(asked.folder.resolve(), asked.jobs, asked.only)


if __name__ == "__main__":
    main()
