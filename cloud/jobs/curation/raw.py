"""A raw object taken apart: gzip members one after the other, each of whole lines, to rows of strings.

Whatever is wrong with an object costs itself only. The same rules as the local cloud's members.ts and tidy.ts, for both lakes
must be the same: a member is taken whole or not at all, checksum and length are looked at; what lies between members is lines
where it is text, and counted as passed over where it is not.
"""

import json
import re
import zlib

LINE_RULES = 4
"""Counts the changes of these rules, like LINE_RULES of cloud/sql/read.ts; it is part of the conversion's name."""
SHOWN_LINE_LENGTH = 4_096
"""UTF-16 units of a line kept for whoever looks at the reject."""
MAX_LINE_BYTES = 1 << 20
"""What is longer, its end counted in, is no line: without a limit one of a gigabyte would take a worker's memory, at every run."""

_MAGIC = b"\x1f\x8b\x08"
_GZIP = 16 + zlib.MAX_WBITS
_READ_BYTES = 64 * 1024
_KEPT_BYTES = 8 * 1024 * 1024
"""A member that unpacks to no more is unpacked once; others once to look and once to read, a step at a time."""
_LINE_END = re.compile("\r\n|\n|\r")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BLANK = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


class _Number(str):
    """A JSON number as it was written."""


class _Overlong(str):
    """How a line begins that is longer than MAX_LINE_BYTES."""


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_refuse)


class RowReader:
    """Makes rows (is_json, *readings' fields, raw_object, raw_line, status) of raw objects, all strings or None.

    `columns` and `status_columns` are (name, Spark type) in order. status is the list of a gateway's status line's fields, None
    of any other line; raw_line is None unless `with_lines`.
    """

    def __init__(self, columns, status_columns, with_lines):
        self._columns = [(name, _reader(kind)) for name, kind in columns]
        self._status = [(name, _reader(kind)) for name, kind in status_columns]
        self._nothing = (None,) * len(columns)
        self._with_lines = with_lines

    def rows(self, key, packed):
        for lines, lost in pieces(packed):
            for line in lines:
                yield self._row(key, line)
            if lost > 0:
                yield ("false", *self._nothing, key, self._shown(f"({lost} bytes passed over)"), None)

    def _row(self, key, line):
        found = None if isinstance(line, _Overlong) else _object_in(line)
        if found is None:
            return ("false", *self._nothing, key, self._shown(line), None)
        fields = tuple([read(found.get(name)) for name, read in self._columns])
        is_status = found.get("kind") == "gateway"
        status = [read(found.get(name)) for name, read in self._status] if is_status else None
        return ("true", *fields, key, self._shown(line), status)

    def _shown(self, line):
        if not self._with_lines or (len(line) <= SHOWN_LINE_LENGTH and line.isascii()):
            return line if self._with_lines else None
        return line.encode("utf-16-le", "surrogatepass")[: 2 * SHOWN_LINE_LENGTH].decode("utf-16-le", "replace")


def pieces(packed):
    """Yields (lines, bytes passed over) for each member of the object `packed`, and for what lies between members."""
    start, vain = 0, 4 * len(packed) + (1 << 20)
    at = packed.find(_MAGIC)
    while at >= 0:
        end, kept, looked = _look(packed, at)
        if end is not None:
            if at > start:
                yield _between(packed[start:at])
            yield _lines(kept if kept is not None else (piece for _, piece in _steps(packed, at))), 0
            start = at = end
        else:
            # The next member may begin within the bytes of one that is torn; but nobody may make us look at all for ever.
            vain -= looked
            at = at + 1 if vain > 0 else at + max(1, looked)
        at = packed.find(_MAGIC, at)
    if start < len(packed):
        yield _between(packed[start:])


def _look(packed, at):
    """(end of the whole member at `at` or None, its unpacked pieces where they are few, bytes that had to be looked at)."""
    kept, size, looked = [], 0, 0
    try:
        for end, piece in _steps(packed, at):
            looked, size = end - at, size + len(piece)
            if kept is not None:
                kept.append(piece)
                kept = kept if size <= _KEPT_BYTES else None
    except (zlib.error, EOFError):
        return None, None, max(looked, 1)
    return end, kept, looked


def _steps(packed, at):
    """Yields (how far it has read, unpacked bytes) of the member at `at`; raises zlib.error or EOFError where it is none."""
    inflater = zlib.decompressobj(_GZIP)
    view = memoryview(packed)
    for here in range(at, len(packed), _READ_BYTES):
        rest = view[here : here + _READ_BYTES]
        while len(rest) > 0 and not inflater.eof:
            piece = inflater.decompress(rest, _READ_BYTES)
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            yield min(here + _READ_BYTES, len(packed)) - len(rest), piece
        if inflater.eof:
            return
    raise EOFError


def _lines(unpacked):
    """Yields the lines of pieces of text, without those that are blank; of one that is too long how it begins."""
    begun, size = [], 0
    for piece in unpacked:
        cut = piece.rfind(b"\n") + 1
        if cut > 0:
            end = piece.find(b"\n")
            if size + end >= MAX_LINE_BYTES:
                yield _overlong(begun)
                begun, piece, cut = [], piece[end:], cut - end
            yield from _texts(b"".join([*begun, piece[:cut]]))
            begun, size = [], 0
        if size <= MAX_LINE_BYTES:
            begun.append(piece[cut:])
        size += len(piece) - cut
    if size > MAX_LINE_BYTES:
        yield _overlong(begun)
    else:
        yield from _texts(b"".join(begun))


def _overlong(begun):
    return _Overlong(b"".join(begun)[: 4 * SHOWN_LINE_LENGTH].decode("utf-8", "replace"))


def _texts(part):
    text = part.decode("utf-8", "replace")
    for line in _LINE_END.split(text) if "\r" in text else text.split("\n"):
        if line and line.strip(_BLANK):
            yield line


def _between(stretch):
    lines, lost = [], 0
    for part in re.findall(rb"[^\n]*\n|[^\n]+", stretch):
        try:
            text = part.decode("utf-8") if len(part) <= MAX_LINE_BYTES else None
        except UnicodeDecodeError:
            text = None
        if text is None or _CONTROLS.search(text):
            lost += len(part)
        else:
            lines.extend(_texts(part))
    return lines, lost


def _object_in(line):
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reader(kind):
    """What makes a column's text of a JSON value: only a string is a text, engines write 1.0 and 1e2 each in its own way."""
    return {"string": _text, "timestamp": _text, "kind": _any}.get(kind, _scalar)


def _text(value):
    return _well_formed(value) if type(value) is str else None


def _scalar(value):
    if isinstance(value, _Number):
        return _plain(value)
    return ("true" if value else "false") if isinstance(value, bool) else _text(value)


def _any(value):
    return "(no text)" if isinstance(value, (dict, list)) else _scalar(value)


def _plain(number):
    """1.0 and 1e0 are 1; beyond 15 digits a number is what a double holds of it."""
    if len(number) <= 15 and number.isdecimal():
        return str(number)
    value = float(number)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return "null" if value in (float("inf"), float("-inf")) else repr(value)


def _well_formed(text):
    """`text` with U+FFFD for each half of a surrogate pair, which no engine takes."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
