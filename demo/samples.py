"""The sample files in the demo customer's bucket."""

import json
import math
import os
import struct
import sys
import zlib


def png(width, height, pixel):
    """A PNG image with 8-bit RGB; `pixel(x, y)` returns the three values."""
    rows = b"".join(
        b"\x00" + bytes(value for x in range(width) for value in pixel(x, y)) for y in range(height)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def _gradient(x, y):
    return x, y, 255 - (x + y) // 2


def _rings(x, y):
    wave = int(127 + 127 * math.sin(math.hypot(x - 128, y - 128) / 6))
    return wave, 96, 255 - wave


def _chequers(x, y):
    return (240, 240, 235) if (x // 32 + y // 32) % 2 else (40, 70, 110)


def _json(value):
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def sample_files():
    """Object key -> (content type, bytes). The demo's storage has the prefix `team/`."""
    files = {
        "team/images/gradient.png": ("image/png", png(256, 256, _gradient)),
        "team/images/rings.png": ("image/png", png(256, 256, _rings)),
        "team/images/chequers.png": ("image/png", png(256, 256, _chequers)),
        "team/labels/classes.json": ("application/json", _json({"classes": ["ring", "chequer", "gradient"]})),
        "team/labels/rings.json": ("application/json", _json({"file": "/images/rings.png", "class": "ring"})),
        "team/readme.txt": ("text/plain; charset=utf-8", b"Files that the team works on.\n"),
        # Keys that a client gets wrong when it joins, normalises or decodes once too often.
        "team/odd keys/with space.txt": ("text/plain; charset=utf-8", b"a space\n"),
        "team/odd keys/a+b=c.txt": ("text/plain; charset=utf-8", b"a plus sign\n"),
        "team/odd keys/100%25 & more?.txt": ("text/plain; charset=utf-8", b"a percent sign\n"),
        "team/odd keys/größe-日本語.txt": ("text/plain; charset=utf-8", "Größe, 日本語\n".encode()),
        # Outside the prefix: must never be visible through the storage.
        "team-b/secret.txt": ("text/plain; charset=utf-8", b"Another team's. Not below team/.\n"),
        "private/payroll.json": ("application/json", _json({"not": "for the product"})),
        "readme.txt": ("text/plain; charset=utf-8", b"At the top of the bucket.\n"),
    }
    for number in range(1, 13):
        files[f"team/texts/{number:02}.txt"] = (
            "text/plain; charset=utf-8",
            f"Sentence {number} to label.\n".encode(),
        )
    return files


def write(folder):
    """Writes the files into this folder, at their object keys."""
    for key, (_, body) in sample_files().items():
        path = os.path.join(folder, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Writes the sample files into a folder: samples.py FOLDER")
    write(sys.argv[1])
