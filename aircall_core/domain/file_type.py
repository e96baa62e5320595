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
# Brands of ISO base media files (ISO 14496-12), of which pictures, sound and video are: by their first letters.
_BRANDS: Final = (
    ((b"hei", b"hevc", b"hevx"), "image/heic"),  # what iPhones take pictures as
    ((b"avi",), "image/avif"),
    ((b"mif1", b"msf1"), "image/heif"),
    ((b"M4A", b"M4B"), "audio/mp4"),
    ((b"3g",), "video/3gpp"),
    ((b"qt",), "video/quicktime"),
    ((b"iso", b"mp4", b"avc", b"M4V", b"MSNV", b"mmp4", b"f4v", b"dash", b"XAVC"), "video/mp4"),
)
_ENDING: Final = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf",
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/amr": "amr", "audio/wav": "wav", "audio/mp4": "m4a",
    "video/mp4": "mp4", "video/3gpp": "3gp", "video/quicktime": "mov", "text/vcard": "vcf", "image/heic": "heic",
    "image/heif": "heif", "image/avif": "avif",
}  # fmt: skip
TYPES: Final = frozenset(_ENDING)
# Drawn or played by browsers without running anything that is in them.
_SAVED: Final = frozenset({"image/heic", "image/heif", "image/avif", "audio/amr"})  # what not every browser knows
INLINE: Final = frozenset(one for one in _ENDING if one.partition("/")[0] in ("image", "audio")) - _SAVED
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
        return _by_brand(head)
    return "text/vcard" if head.lstrip(b"\xef\xbb\xbf").upper().startswith(b"BEGIN:VCARD") else None


def _by_brand(head: bytes) -> str | None:
    """By the brand that the file names first, else by those that it says to be compatible with."""
    size = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    for brand in brands:
        for beginnings, kind in _BRANDS:
            if brand.startswith(beginnings):
                return kind
    return None


def safe_name(name: str, content_type: str) -> str:
    """A file name that can be shown and saved: no folders, no control or direction marks, the ending of its type."""
    ending = _ENDING.get(content_type, "bin")
    stem = _ODD.sub(" ", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if "." in stem:
        known, _, last = stem.rpartition(".")
        if last.isalnum() and len(last) <= 5:
            stem = known.strip(" .")
    return f"{stem[: LONGEST_NAME - 6] or 'file'}.{ending}"
