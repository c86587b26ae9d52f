"""Seeded attacks on the promises of the project.

An attack is a sequence of steps on a root of its own, drawn from a seed: inputs
are written, rotated or damaged, commands run or are killed. After each step
`promises.py` compares what was ever readable below the root with what is
published. `python -m tests.fuzz --help` says how to run them.
"""
