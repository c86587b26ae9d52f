"""`python -m tests.fuzz`: attacks for some minutes, or one of them again."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.play import ATTACKS, Played, ground, play
from tests.fuzz.world import World

STEPS = 8


def main() -> int:
    """Exit code 1 if a promise was broken."""
    arguments = _arguments()
    names = arguments.attacks or sorted(ATTACKS)
    seed = arguments.seed
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}", flush=True)
    done: Counter[str] = Counter()
    ends = time.monotonic() + 60 * arguments.minutes
    with ground() as first:
        while True:
            for name in names:
                steps = arguments.steps or STEPS
                played = _play(first, name, seed, steps)
                done[name] += len(played.steps)
                if played.broken:
                    return 1
                if arguments.steps is None and time.monotonic() > ends:
                    _tell(done)
                    return 0
            if arguments.steps is not None:
                _tell(done)
                return 0
            seed += 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "attacks", nargs="*", metavar="ATTACK", help=f"one of {', '.join(ATTACKS)}"
    )
    parser.add_argument("--seed", type=int, help="of the first round; else any")
    parser.add_argument("--minutes", type=float, default=5.0, help="default 5")
    parser.add_argument("--steps", type=int, help="one round of so many steps each")
    arguments = parser.parse_args()
    if unknown := set(arguments.attacks) - ATTACKS.keys():
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    return arguments


def _play(first: World, name: str, seed: int, steps: int) -> Played:
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-{seed}-")).resolve()
    played = play(first, name, seed, steps, folder)
    if played.broken is None:
        print(f"✓ {name}, seed {seed}: {len(played.steps)} steps", flush=True)
        shutil.rmtree(folder)
        return played
    print(f"✗ {name}, seed {seed}, step {len(played.steps) + 1}")
    for number, said in enumerate(played.steps, start=1):
        print(f"  {number}. {said}")
    print(f"  {len(played.steps) + 1}. {'; '.join(played.notes)} ✗")
    print(played.broken)
    print(f"all of it is in {folder}; to play it again:")
    print(
        f"  python -m tests.fuzz --seed {seed} --steps {len(played.steps) + 1} {name}"
    )
    return played


def _tell(done: Counter[str]) -> None:
    told = ", ".join(f"{steps} of {name}" for name, steps in sorted(done.items()))
    print(f"✓ {done.total()} steps: {told}")


if __name__ == "__main__":
    sys.exit(main())
