"""What a file is, by its first bytes: what its sender, its name or a gateway says of it proves nothing."""

import re
from typing import Final

_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS: Final = {b"M4A ": "audio/mp4", b"3gp": "video/3gpp"}
_ENDING: Final = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf",
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/amr": "amr", "audio/wav": "wav", "audio/mp4": "m4a",
    "video/mp4": "mp4", "video/3gpp": "3gp", "text/vcard": "vcf",
}  # fmt: skip
TYPES: Final = frozenset(_ENDING)
# Drawn or played by browsers without running anything that is in them.
INLINE: Final = frozenset(one for one in _ENDING if one.partition("/")[0] in ("image", "audio"))
LONGEST_NAME: Final = 120
_ODD: Final = re.compile(r"[\x00-\x1f\x7f/\\<>:\"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def sniff(head: bytes) -> str | None:
    """The media type of a file that begins so (64 bytes are enough); None: none that texts carry."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return next((kind for brand, kind in _BRANDS.items() if head[8:].startswith(brand)), "video/mp4")
    return "text/vcard" if head.lstrip(b"\xef\xbb\xbf").upper().startswith(b"BEGIN:VCARD") else None


def safe_name(name: str, content_type: str) -> str:
    """A file name that can be shown and saved: no folders, no control or direction marks, the ending of its type."""
    ending = _ENDING.get(content_type, "bin")
    stem = _ODD.sub(" ", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if "." in stem:
        known, _, last = stem.rpartition(".")
        if last.isalnum() and len(last) <= 5:
            stem = known.strip(" .")
    return f"{stem[: LONGEST_NAME - 6] or 'file'}.{ending}"
