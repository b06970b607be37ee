"""The folder on the volume. Names come from browsers: only their last part is used, and never a hidden or empty one."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(os.environ.get("FILES_ROOT", "/data"))


@dataclass(frozen=True)
class StoredFile:
    name: str
    size: int
    changed: datetime


def all_files() -> list[StoredFile]:
    ROOT.mkdir(parents=True, exist_ok=True)
    found = []
    for entry in os.scandir(ROOT):
        if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
            facts = entry.stat(follow_symlinks=False)
            found.append(StoredFile(entry.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime)))
    return sorted(found, key=lambda file: file.name.lower())


def place_of(name: str) -> Path:
    """The file's place on the volume; ValueError for a name that is none."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not last or last.startswith(".") or "\0" in last:
        raise ValueError(f"{name!r} is not the name of a file.")
    return ROOT / last


def keep(temporary: str) -> str:
    """Moves an uploaded file to the volume; one of the same name is replaced. Returns its name."""
    target = place_of(temporary)
    ROOT.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(temporary, part)
    part.replace(target)
    os.unlink(temporary)
    return target.name


def remove(name: str) -> None:
    place_of(name).unlink(missing_ok=True)


def human_size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
