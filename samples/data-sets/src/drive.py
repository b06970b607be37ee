"""The Drive of whoever opened the app, by the official client."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Callable

import h2o_drive

HOME = h2o_drive.Space.HOME.prefix()


def acts_for_owner() -> bool:
    """The platform gives a handle for its owner's tokens to private instances only."""
    return bool(os.environ.get("H2O_CLOUD_CLIENT_PLATFORM_TOKEN"))


class Home:
    """Data sets in somebody's home. One of these per visitor, and never one for all: it is as good as their key."""

    def __init__(self, drive: h2o_drive.Drive) -> None:
        self._bucket = drive.user_bucket().with_prefix(HOME)

    @classmethod
    async def of_owner(cls) -> "Home":
        """Nothing is passed: address and token come from the environment."""
        return cls(await asyncio.to_thread(h2o_drive.connect))

    @classmethod
    async def of_visitor(cls, token: Callable[[], str]) -> "Home":
        """`token` is asked whenever new temporary keys are needed, and answers with a fresh access token of the visitor."""
        return cls(await asyncio.to_thread(h2o_drive.connect, token_provider=token))

    async def data_sets(self) -> list[tuple[str, int]]:
        """Names and sizes in bytes."""
        found = await self._bucket.list_objects()
        return sorted((item.key, item.size) for item in found if item.key.endswith(".csv"))

    async def read(self, name: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "data.csv"
            await self._bucket.download_file(name, str(file))
            return file.read_text(encoding="utf-8")

    async def write(self, name: str, content: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "data.csv"
            file.write_text(content, encoding="utf-8")
            await self._bucket.upload_file(str(file), name)
