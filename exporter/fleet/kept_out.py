"""What does not count of a storage, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

REMEDIES = {
    "damaged": "sync it again from {machine}",
    "closed": "let this user read it: see to rights, links and mounts",
    "future": "set the clock of {machine}; the file counts once its day has come",
    "newer": "bring ops-atomic up to date here",
    "older": "bring ops-atomic up to date on {machine}, export there, and sync again",
    "foreign": "sync the file that ops-atomic publishes on {machine}",
    "misplaced": "remove it here, and sync again from {machine}",
    "odd name": "rename the folder: letters, digits, `.`, `_` and `-`",
    "other name": "sync into a folder of that name; or export there with "
    "OPS_ATOMIC_MACHINE={machine}, and sync",
    "twice": "keep the folder that bears the machine's name, remove the other",
}


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A file, or a machine's folder, that does not count. `path` is relative to
    the storage; `kind` is a key of REMEDIES."""

    machine: str
    path: str
    kind: str
    reason: str

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind].format(machine=self.machine)

    @classmethod
    def closed(cls, machine: str, path: str, why: str) -> KeptOut:
        return cls(machine, path, "closed", f"cannot be read: {why}")

    @classmethod
    def damaged(cls, machine: str, path: str, why: str) -> KeptOut:
        return cls(machine, path, "damaged", f"damaged or half synced: {why}")

    def as_json(self) -> dict[str, str]:
        return {
            "machine": self.machine,
            "path": self.path,
            "kind": self.kind,
            "reason": self.reason,
            "remedy": self.remedy,
        }
