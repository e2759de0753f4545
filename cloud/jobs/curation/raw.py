"""A raw object taken apart: gzip NDJSON to rows of strings, so that whatever is wrong with it costs its own lines only.

The same rules as the local cloud's tidy.ts, line by line and byte by byte, for both lakes must be the same: what an
object cut short or damaged still gives, what is a line, what is JSON, how a value becomes text.
"""

import json
import re
import zlib

LINE_RULES = 2
"""Counts the changes of these rules, like LINE_RULES of cloud/sql/read.ts; of what older ones made all is made again."""
SHOWN_LINE_LENGTH = 4_096
"""UTF-16 units of a line kept for whoever looks at the reject."""
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""Unpacked bytes of an object that are looked at; Firehose's largest buffer is half of it."""
CUT_SHORT = "(the object is cut short)"

_GZIP = 16 + zlib.MAX_WBITS
# Damage is found where the unpacking stands, so both lakes unpack in the same steps.
_READ_BYTES = 64 * 1024
_STEP_BYTES = 16 * 1024
_TEXTS = ("string", "timestamp")
_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANK = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


class _Number(str):
    """A JSON number as it was written."""


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_refuse)


def rows_of(key, packed, columns, with_lines):
    """Yields (is_json, *fields, raw_object, raw_line) for each line of the object `key`, all strings or None.

    `columns` are (name, Spark type) in order; raw_line is None unless `with_lines`.
    """
    unpacked, whole = unpack(packed)
    nothing = (None,) * len(columns)
    text_of = [(name, _text if kind in _TEXTS else _text_or_number) for name, kind in columns]
    readable = True
    for line in _LINE_END.split(unpacked.decode("utf-8", "replace")):
        if not line.strip(_BLANK):
            continue
        found = _object_in(line)
        readable = found is not None
        shown = _shown(line) if with_lines else None
        if readable:
            yield ("true", *(read(found.get(name)) for name, read in text_of), key, shown)
        else:
            yield ("false", *nothing, key, shown)
    # A cut in the middle of a line shows by itself; one between two lines is told here.
    if not whole and (readable or not unpacked):
        yield ("false", *nothing, key, CUT_SHORT if with_lines else None)


def unpack(packed):
    """(all bytes that can be unpacked, whether that is all there were)."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        unpacked = inflater.decompress(packed, MAX_UNPACKED_BYTES)
        if inflater.eof and not inflater.unused_data:
            return unpacked, True
    except zlib.error:
        pass
    return _unpack_damaged(packed)


def _unpack_damaged(packed):
    pieces, size, room = [], 0, _STEP_BYTES
    inflater = zlib.decompressobj(_GZIP)
    for start in range(0, len(packed), _READ_BYTES):
        rest = packed[start : start + _READ_BYTES]
        while True:
            try:
                piece, rest, inflater = _step(inflater, rest, room)
            except zlib.error:
                return b"".join(pieces), False
            size += len(piece)
            if size > MAX_UNPACKED_BYTES:
                return b"".join(pieces), False
            pieces.append(piece)
            room -= len(piece)
            if room == 0:
                room = _STEP_BYTES
            elif not rest:
                break
    return b"".join(pieces), inflater.eof


def _step(inflater, packed, room):
    """One step's bytes, what is left to unpack, and with what: gzip files may follow one another, zeros are padding."""
    piece = b""
    while True:
        if inflater.eof:
            if not packed or packed[0] == 0:
                return piece, b"", inflater
            inflater = zlib.decompressobj(_GZIP)
        if len(piece) == room:
            return piece, packed, inflater
        piece += inflater.decompress(packed, room - len(piece))
        if not inflater.eof:
            return piece, inflater.unconsumed_tail, inflater
        packed = inflater.unused_data


def _object_in(line):
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value):
    """A JSON string's text; nothing else is one, for engines write 1.0 and 1e2 each in its own way."""
    return _well_formed(value) if type(value) is str else None


def _text_or_number(value):
    return _plain(value) if isinstance(value, _Number) else _text(value)


def _plain(number):
    """1.0 and 1e0 are 1; beyond 15 digits a number is what a double holds of it."""
    if len(number) <= 15 and number.isdecimal():
        return str(number)
    value = float(number)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return "null" if value in (float("inf"), float("-inf")) else repr(value)


def _shown(line):
    if len(line) <= SHOWN_LINE_LENGTH and line.isascii():
        return line
    return line.encode("utf-16-le", "surrogatepass")[: 2 * SHOWN_LINE_LENGTH].decode("utf-16-le", "replace")


def _well_formed(text):
    """`text` with U+FFFD for each half of a surrogate pair, which no engine takes."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
