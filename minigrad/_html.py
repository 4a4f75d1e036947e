"""How tensors and modules show in a notebook: small matrices as tables, images as pictures, the rest as text."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
TABLE, LEAST, MOST = 12, 8, 512  #: the most rows and columns of a table; the least and most pixels per side of an image


def tensor(array: Array, text: str) -> str:
    """A tensor (H, W) as a table or a picture, (1, H, W) and (3, H, W) as a picture, anything else as its text."""
    picture = _pixels(array)
    if picture is not None:
        data = base64.b64encode(png(picture)).decode()
        scale = max(1, 112 // min(picture.shape[:2]))
        style = f"image-rendering: pixelated; width: {scale * picture.shape[1]}px"
        caption = f"{tuple(array.shape)}, {array.dtype}, {array.min():g} to {array.max():g}"
        return f'<img src="data:image/png;base64,{data}" style="{style}" alt="{caption}"/><br/><small>{caption}</small>'
    if array.ndim == 2 and 0 < max(array.shape) <= TABLE and array.size:
        rows = "".join(f"<tr>{''.join(f'<td>{_number(x)}</td>' for x in row)}</tr>" for row in array)
        return f"<table>{rows}</table><small>{tuple(array.shape)}, {array.dtype}</small>"
    return preformatted(text)


def preformatted(text: str) -> str:
    """Text in a fixed-width font."""
    return f"<pre>{html.escape(text)}</pre>"


def _number(x: Any) -> str:
    return f"{x:.4g}" if isinstance(x, np.floating) else str(x)


def _pixels(array: Array) -> Array | None:
    """Bytes (H, W) or (H, W, 3) of an image: of bytes, or of floats in [0, 1]."""
    if array.ndim == 3 and array.shape[0] in (1, 3):
        array = array[0] if array.shape[0] == 1 else array.transpose(1, 2, 0)
    elif array.ndim != 2:
        return None
    if not LEAST <= min(array.shape[:2]) <= max(array.shape[:2]) <= MOST:
        return None
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1) or array.max() == array.min():
        return None
    pixels: Array = np.rint(array * 255).astype(np.uint8)
    return pixels


def png(pixels: Array) -> bytes:
    """Bytes (H, W) or (H, W, 3) as a PNG file, https://www.w3.org/TR/png/.

    >>> png(np.zeros((2, 2), np.uint8))[:4]
    b'\\x89PNG'
    """

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = pixels.shape[:2]
    lines = np.zeros((height, 1 + pixels[0].size), np.uint8)  # each row starts with its filter type, 0 for none
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines.tobytes())), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
