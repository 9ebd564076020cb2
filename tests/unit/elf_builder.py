"""Small ELF files made by hand, one property at a time, so that no test needs a compiler.

`GNU` and `MUSL` are what stripped static programs of each libc hold: start code, thread set-up, notes and messages as
read from Rust programs (glibc 2.41, musl 1.2.5).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"
ABI_NOTE = struct.pack("<III4s4I", 4, 16, 1, b"GNU\0", 0, 3, 2, 0)
BUILD_ID_NOTE = struct.pack("<III4s20s", 4, 20, 3, b"GNU\0", bytes(range(20)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The parts of a libc that a static program contains: code at its entry, code elsewhere, read-only data, notes."""

    start: bytes = b"\xf4"
    code: bytes = b""
    messages: tuple[bytes, ...] = ()
    notes: bytes = b""


NO_LIBC = Signs(start=bytes.fromhex("b83c00000031ff0f05"), notes=BUILD_ID_NOTE)
GNU = Signs(
    start=bytes.fromhex("31ed4989d15e4889e24883e4f050544531c031c9488d3dd502000067e8bf540300f4"),
    messages=(b"malloc(): corrupted top size", b"GLIBC_TUNABLES", b"../elf/dl-tls.c"),
    notes=ABI_NOTE + BUILD_ID_NOTE,
)
MUSL = Signs(
    start=bytes.fromhex("4831ed4889e7488d3514b406004883e4f0e82b000000"),
    code=bytes.fromhex("4889febf02100000b89e0000000f05c3"),
    messages=(b"-+   0X0x", b"-0X+0X 0X-0x+0x 0x", b"No error information", b"Previous owner died"),
)


# The program of rust-samples/no-std as the toolchain makes it: headers of itself and of two segments, code, a greeting.
BARE = bytes.fromhex(
    "7f454c4602010100000000000000000002003e0001000000b0004000000000004000000000000000"
    "000000000000000000000000400038000200000000000000"
    "0100000005000000000000000000000000004000000000000000400000000000"
    "ee00000000000000ee000000000000000800000000000000"
    "51e574640600000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000"
    "8b3c24e8000000004189f86a01586a015f6a0e5abee00040000f0541ffc84883f80e440f45c76a3c584489c70f050f0b"
    "48656c6c6f2c20776f726c64210a"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    kind: int = ET_DYN
    interpreter: str | None = GLIBC_LOADER
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    weak: tuple[str, ...] = ()
    defined: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    weak_imports: tuple[str, ...] = ()  # those of the imports that nobody need define
    exports: tuple[str, ...] = ()
    hash_table: str = "gnu"
    dlopens: bytes = b""
    flags_1: int = 0
    flags: int = 0
    bind_now: bool = False
    has_dynamic: bool = True
    relro: bool = True
    stack_flags: int | None = 6
    symbol_table: bool = False
    symbols: tuple[str, ...] = ()
    contents: tuple[tuple[str, bytes], ...] = ()
    loaded: bool = False  # whether the sections of `contents` have addresses, and may be code
    functions: tuple[tuple[str, str, int, int], ...] = ()  # symbols: name, section, offset in it, size
    section_headers: bool = True
    signs: Signs = NO_LIBC
    has_entry: bool = True
    is_64bit: bool = True
    order: str = "<"
    machine: int = 62


def build_elf(**options) -> bytes:
    """One program or shared object with a single loaded segment; the defaults are a stripped, hardened, dynamic PIE."""
    return _Builder(_Options(**options)).build()


def without_section_headers(data: bytes) -> bytes:
    """A 64-bit file as `objcopy --strip-section-headers` leaves it: its header names none, and its segments are all."""
    bare = bytearray(data)
    bare[40:48], bare[60:64] = bytes(8), bytes(4)
    return bytes(bare)


class _Builder:
    def __init__(self, options: _Options) -> None:
        self.options = options
        self.base = 0x400000 if options.kind == ET_EXEC else 0
        self.word = "Q" if options.is_64bit else "I"
        self.header_bytes, self.row_bytes = (64, 56) if options.is_64bit else (52, 32)
        self.body = bytearray(self.header_bytes + 6 * self.row_bytes)
        self.strings = bytearray(b"\0")
        self.segments: list[tuple[int, int, int, int]] = []

    def build(self) -> bytes:
        options = self.options
        entry = self.put(options.signs.start)[0] + self.base if options.has_entry else 0
        self.put(options.signs.code)
        self.put(b"\0" + b"\0".join(options.signs.messages) + b"\0")
        if options.interpreter:
            self.segments.append((3, 4, *self.put(options.interpreter.encode() + b"\0")))
        notes = self.reorder(options.signs.notes) + (self.dlopen_note() if options.dlopens else b"")
        if notes:
            self.segments.append((4, 4, *self.put(notes)))
        if options.has_dynamic:
            self.put_dynamic()
        if options.relro:
            self.segments.append((0x6474E552, 4, 0, 16))
        if options.stack_flags is not None:
            self.segments.append((0x6474E551, options.stack_flags, 0, 0))
        self.segments.append((1, 5, 0, len(self.body)))
        self.write_headers(entry)
        return bytes(self.body)

    def put(self, content: bytes) -> tuple[int, int]:
        self.body.extend(bytes(-len(self.body) % 16))
        self.body.extend(content)
        return len(self.body) - len(content), len(content)

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(f"{self.options.order}{form}", *values)

    def text(self, value: str) -> int:
        self.strings.extend(value.encode() + b"\0")
        return len(self.strings) - len(value.encode()) - 1

    def put_dynamic(self) -> None:
        options = self.options
        names = ((14, options.soname), (15, options.rpath), (29, options.runpath))
        numbers = ((0x6FFFFFFB, options.flags_1), (30, options.flags), (24, int(options.bind_now)))
        tags = [(1, self.text(name)) for name in options.needed]
        tags += [(tag, self.text(value)) for tag, value in names if value is not None]
        tags += [(tag, value) for tag, value in numbers if value]
        if options.versions:
            tags += [(0x6FFFFFFE, self.put(self.version_needs())[0] + self.base), (0x6FFFFFFF, len(options.versions))]
        if options.defined:
            tags += [(0x6FFFFFFC, self.put(self.version_offers())[0] + self.base), (0x6FFFFFFD, len(options.defined))]
        if options.imports or options.exports:
            tags += self.put_symbols()
        tags += [(5, self.put(bytes(self.strings))[0] + self.base), (10, len(self.strings)), (0, 0)]
        self.segments.append((2, 6, *self.put(b"".join(self.pack(self.word * 2, *tag) for tag in tags))))

    def version_needs(self) -> bytes:
        table, versions = bytearray(), self.options.versions
        for number, (library, names) in enumerate(versions):
            following = 16 + 16 * len(names) if number + 1 < len(versions) else 0
            table += self.pack("HHIII", 1, len(names), self.text(library), 16, following)
            for index, name in enumerate(names):
                flags = 2 if name in self.options.weak else 0
                table += self.pack("IHHII", 0, flags, 2, self.text(name), 16 if index + 1 < len(names) else 0)
        return bytes(table)

    def version_offers(self) -> bytes:
        table, names = bytearray(), self.options.defined
        for number, name in enumerate(names):
            following = 28 if number + 1 < len(names) else 0
            table += self.pack("HHHHIII", 1, int(number == 0), number + 1, 1, 0, 20, following)
            table += self.pack("II", self.text(name), 0)
        return bytes(table)

    def put_symbols(self) -> list[tuple[int, int]]:
        """The symbol table, undefined ones first as linkers have it, and a hash table of the kind wanted."""
        imports, exports = self.options.imports, self.options.exports
        count, first, tags = 1 + len(imports) + len(exports), 1 + len(imports), []
        if self.options.hash_table == "sysv":
            tags.append((4, self.put(self.pack("III", 1, count, 1) + bytes(4 * count))[0] + self.base))
        elif self.options.hash_table == "gnu":
            head = self.pack(f"IIII{self.word}I", 1, first if exports else 1, 1, 0, 0, first if exports else 0)
            links = [int(number + 1 == len(exports)) for number in range(len(exports))]
            tags.append((0x6FFFFEF5, self.put(head + self.pack("I" * len(links), *links))[0] + self.base))
        symbols = [self.symbol(name, int(number >= first)) for number, name in enumerate(("", *imports, *exports))]
        return [*tags, (6, self.put(b"".join(symbols))[0] + self.base)]

    def symbol(self, name: str, section: int) -> bytes:
        offset = self.text(name) if name else 0
        info = 0x22 if name in self.options.weak_imports else 0x12 if name else 0
        if self.options.is_64bit:
            return self.pack("IBBHQQ", offset, info, 0, section, 0, 0)
        return self.pack("IIIBBH", offset, 0, 0, info, 0, section)

    def dlopen_note(self) -> bytes:
        content = self.options.dlopens
        return self.pack("III", 4, len(content), 0x407C0C0A) + b"FDO\0" + content + bytes(-len(content) % 4)

    def reorder(self, notes: bytes) -> bytes:
        """The notes above, which are little-endian, with their heads in the file's order."""
        turned = b""
        while notes:
            name_bytes, content_bytes, kind = struct.unpack_from("<III", notes)
            end = 12 + -(-name_bytes // 4) * 4 + -(-content_bytes // 4) * 4
            turned += self.pack("III", name_bytes, content_bytes, kind) + notes[12:end]
            notes = notes[end:]
        return turned

    def sections(self) -> list[tuple[int, int, tuple[int, int], int]]:
        """Name, kind, place and link of each section; a symbol table is empty, and links to its symbols' names."""
        options, named = self.options, [("", 0, b"", 0), ("", 1, b"", 0)]
        if options.symbol_table or options.symbols:
            strings = b"\0".join([b"", *(name.encode() for name in options.symbols), b""]) if options.symbols else b""
            named += [("", 2, b"", 3), ("", 3, strings, 0)]
        named += [(name, 1, content, 0) for name, content in options.contents]
        names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _, _ in named if name)
        named.append(("", 3, names if options.contents else b"", 0))
        rows = [
            (names.index(name.encode() + b"\0"), kind, self.put(content) if content else (0, 0), link)
            for name, kind, content, link in named
        ]
        if options.functions:
            rows[-1:-1] = self.function_table(rows, [name for name, _, _, _ in named])
        return rows

    def function_table(self, rows: list, named: list[str]) -> list[tuple[int, int, tuple[int, int], int]]:
        """A symbol table of the functions, and the section with their names."""
        strings, table = bytearray(b"\0"), self.pack("IBBHQQ", 0, 0, 0, 0, 0, 0)
        for name, section, offset, size in self.options.functions:
            number = named.index(section)
            address = rows[number][2][0] + self.base + offset
            table += self.pack("IBBHQQ", len(strings), 0x12, 0, number, address, size)
            strings += name.encode() + b"\0"
        return [(0, 2, self.put(table), len(rows)), (0, 3, self.put(bytes(strings)), 0)]

    def loading(self, kind: int, offset: int) -> tuple[int, int]:
        """Flags and address of a section: every loaded one may be code."""
        return (4, offset + self.base) if self.options.loaded and kind == 1 and offset else (0, 0)

    def write_headers(self, entry: int) -> None:
        options, word = self.options, self.word
        section = f"II{word * 4}II{word * 2}"
        rows = self.sections() if options.section_headers else []
        if options.loaded:
            self.segments[-1] = (1, 5, 0, len(self.body))
        table = [
            self.pack(section, name, kind, *self.loading(kind, place[0]), *place, link, 0, 0, 0)
            for name, kind, place, link in rows
        ]
        sections_at = self.put(b"".join(table))[0] if rows else 0
        ident = b"\x7fELF" + bytes([2 if options.is_64bit else 1, 1 if options.order == "<" else 2, 1]) + bytes(9)
        self.body[: self.header_bytes] = ident + self.pack(
            f"HHI{word * 3}IHHHHHH",
            *(options.kind, options.machine, 1, entry, self.header_bytes, sections_at, 0, self.header_bytes),
            *(self.row_bytes, len(self.segments), struct.calcsize(f"<{section}"), len(rows), max(0, len(rows) - 1)),
        )
        for number, (what, access, offset, size) in enumerate(self.segments):
            place = (offset, offset + self.base, offset + self.base, size, size)
            fields = (what, access, *place, 16) if options.is_64bit else (what, *place, access, 16)
            row = self.pack(f"II{word * 6}", *fields)
            start = self.header_bytes + number * self.row_bytes
            self.body[start : start + len(row)] = row
