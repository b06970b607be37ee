"""The sample notebooks on the person's volume."""

import shutil
from pathlib import Path

NOTE = ".samples-copied"


def copy_samples(source: Path, target: Path) -> list[str]:
    """Copies each sample once: what was edited is kept, what was deleted does not come back. Returns what was copied."""
    target.mkdir(parents=True, exist_ok=True)
    note = target / NOTE
    known = note.read_text().splitlines() if note.exists() else []
    copied = []
    for sample in sorted(source.glob("*.ipynb")):
        if sample.name in known:
            continue
        if not (target / sample.name).exists():
            shutil.copyfile(sample, target / sample.name)
            copied.append(sample.name)
        known.append(sample.name)
        note.write_text("".join(f"{name}\n" for name in known))
    return copied
