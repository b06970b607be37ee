"""Draws the icons of the samples: `python3 samples/icons.py`. The standard library alone: shapes as distances, PNG by zlib."""

import math
import struct
import zlib
from pathlib import Path

SIZE = 512
DARK, YELLOW, WHITE = (29, 33, 37), (254, 201, 37), (250, 250, 248)


def circle(x, y, cx, cy, r):
    return math.hypot(x - cx, y - cy) - r


def box(x, y, cx, cy, w, h, r):
    dx, dy = abs(x - cx) - w / 2 + r, abs(y - cy) - h / 2 + r
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r


def smile(x, y, cx, cy, r, width):
    """The lower part of a ring with round ends."""
    angle = math.atan2(y - cy, x - cx)
    low, high = math.radians(25), math.radians(155)
    nearest = min(max(angle if angle > -math.pi / 2 else math.pi, low), high)
    return math.hypot(x - cx - r * math.cos(nearest), y - cy - r * math.sin(nearest)) - width / 2


def hello(x, y):
    yield circle(x, y, 256, 256, 168), YELLOW
    yield circle(x, y, 196, 212, 24), DARK
    yield circle(x, y, 316, 212, 24), DARK
    yield smile(x, y, 256, 262, 84, 24), DARK


def who_am_i(x, y):
    yield box(x, y, 256, 256, 360, 264, 28), WHITE
    yield circle(x, y, 176, 220, 44), YELLOW
    yield max(circle(x, y, 176, 356, 84), y - 348), YELLOW
    for row, width in ((204, 128), (256, 128), (308, 84)):
        yield box(x, y, 268 + width / 2, row, width, 22, 11), DARK


def files(x, y):
    yield box(x, y, 188, 176, 176, 100, 22), YELLOW
    yield box(x, y, 256, 268, 344, 232, 28), YELLOW
    yield box(x, y, 256, 300, 288, 112, 16), WHITE
    for row, width in ((278, 208), (318, 140)):
        yield box(x, y, 148 + width / 2, row, width, 18, 9), DARK


def notebook(x, y):
    yield box(x, y, 272, 256, 272, 336, 28), WHITE
    yield box(x, y, 172, 256, 72, 336, 28), YELLOW
    for row in (168, 256, 344):
        yield box(x, y, 136, row, 56, 18, 9), YELLOW
        yield circle(x, y, 172, row, 12), DARK
    for row, width in ((208, 128), (256, 96), (304, 144)):
        yield box(x, y, 236 + width / 2, row, width, 18, 9), DARK


def partner_data(x, y):
    yield box(x, y, 168, 256, 168, 264, 28), WHITE
    yield box(x, y, 368, 256, 120, 264, 28), YELLOW
    yield box(x, y, 236, 256, 168, 30, 15), DARK
    yield max(box(x, y, 316, 256, 78, 78, 6), abs(y - 256) - (348 - x) * 0.9), DARK


def data_sets(x, y):
    yield box(x, y, 256, 256, 344, 280, 28), WHITE
    yield max(box(x, y, 256, 256, 344, 280, 28), y - 184), YELLOW
    for column in (172, 256, 340):
        for row in (228, 284, 340):
            yield box(x, y, column, row, 56, 18, 9), DARK


def draw(shapes):
    rows = bytearray()
    for py in range(SIZE):
        rows.append(0)
        for px in range(SIZE):
            x, y = px + 0.5, py + 0.5
            color = DARK
            for distance, paint in shapes(x, y):
                cover = min(max(0.5 - distance, 0), 1)
                if cover > 0:
                    color = tuple(round(a + (b - a) * cover) for a, b in zip(color, paint))
            corner = min(max(0.5 - box(x, y, 256, 256, SIZE, SIZE, 96), 0), 1)
            rows += bytes((*color, round(255 * corner)))
    return bytes(rows)


def png(rows):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    here = Path(__file__).parent
    samples = {"hello": hello, "who-am-i": who_am_i, "files": files, "notebook": notebook, "partner-data": partner_data}
    samples["data-sets"] = data_sets
    for name, shapes in samples.items():
        target = here / name / "static" / "icon.png"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(png(draw(shapes)))
        print(target, target.stat().st_size)
