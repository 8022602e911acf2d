"""Pictures as they are uploaded: honest ones, and what only looks like one."""

import io
import struct
import zlib

from PIL import Image


def picture(size=(64, 32), kind="PNG", mode="RGB", **more):
    written = io.BytesIO()
    Image.new(mode, size, "#336699").save(written, kind, **more)
    return written.getvalue()


def bomb_png(width, height):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def vp8x(width, height):
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


NOISE = bytes(range(256)) * 40
ATTACKS = {
    "nothing": (b"", "Choose a picture first."),
    "too much": (b"\x89PNG" + NOISE * 30, "at most 256 kB"),
    "a bomb": (bomb_png(50_000, 50_000), "4,000 pixels a side"),
    "a long bomb": (bomb_png(4_000, 4_000), "4,000 pixels a side"),
    "a WebP bomb": (vp8x(16_000, 16_000), "4,000 pixels a side"),
    "an empty WebP": (vp8x(100, 100), "damaged"),
    "a cut WebP": (b"RIFF\0\0\0\0WEBPVP8 ", "damaged"),
    "a dot": (picture((1, 1)), "at least 16 pixels"),
    "half of a PNG": (picture((300, 300))[:-60], "damaged"),
    "half of a JPEG": (picture((300, 300), "JPEG")[:400], "damaged"),
    "half of a WebP": (picture((300, 300), "WEBP")[:40], "damaged"),
    "many scans": (picture((64, 64), "JPEG") + b"\xff\xda" * 101, "damaged"),
    "a GIF": (picture((64, 64), "GIF"), "damaged"),
    "a BMP": (picture((64, 64), "BMP"), "damaged"),
    "a TIFF": (picture((64, 64), "TIFF"), "damaged"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "damaged"),
    "an SVG": (b"\xef\xbb\xbf \n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG can hold scripts"),
    "an SVG with a head": (b"<?xml version='1.0'?><svg/>", "SVG can hold scripts"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9", "damaged"),
    "a PNG's beginning": (b"\x89PNG\r\n\x1a\n" + NOISE, "damaged"),
}
