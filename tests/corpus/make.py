"""Writes broken and hostile packages into the folder named by the argument, and `cases.json`, which says what is expected.

A case is `{"name", "file", "when", "code", "bytes"}`. `when` is `open` (refused at once), `read` (opens, and reading every
file and every row ends with that code), or `never` (opens, and everything can be read; `code` is empty). What is expected
is written here by hand, from what the format says and what the service does, and not from what the reader answers.
"""

import io
import json
import os
import struct
import sys
import zipfile
import zlib

NS = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR, UTF8 = 1, 8, 0x800
ONES16, ONES32 = 0xFFFF, 0xFFFFFFFF
CORRUPT, LIMIT, NOT_A_PACKAGE = "PACKAGE_CORRUPT", "PACKAGE_LIMIT", "NOT_A_PACKAGE"
MANIFEST_INVALID, DATA_INVALID = "MANIFEST_INVALID", "DATA_INVALID"
GIB = 1 << 30


def deflate(data):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


class Entry:
    """An entry, of which every part may lie: `local` and `central` override fields of the two headers."""

    def __init__(self, name, data=b"", method=STORED, flags=0, payload=None, local=(), central=(), after=b""):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.payload = payload if payload is not None else deflate(data) if method == DEFLATED else data
        self.after = after
        true = {
            "name": self.name,
            "flags": flags,
            "method": method,
            "crc": zlib.crc32(data),
            "compressed": len(self.payload),
            "size": len(data),
            "extra": b"",
        }
        self.local = true | dict(local)
        self.central = true | {"offset": None} | dict(central)


def archive(entries, prefix=b"", gap=b"", suffix=b"", comment=b"", end=(), zip64=None, locator=None):
    """An archive; `end` overrides the end record, `zip64` gives fields of a ZIP64 end record."""
    out = bytearray(prefix)
    directory = bytearray()
    for entry in entries:
        offset = len(out)
        h = entry.local
        out += struct.pack("<4s5H3I2H", b"PK\3\4", 20, h["flags"], h["method"], 0, 0x21, h["crc"], h["compressed"], h["size"],
                           len(h["name"]), len(h["extra"]))
        out += h["name"] + h["extra"] + entry.payload + entry.after
        h = entry.central
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, h["flags"], h["method"], 0, 0x21, h["crc"], h["compressed"],
                                 h["size"], len(h["name"]), len(h["extra"]), 0, 0, 0, 0,
                                 offset if h["offset"] is None else h["offset"])
        directory += h["name"] + h["extra"]
    out += gap
    true = {"disk": 0, "entries": len(entries), "size": len(directory), "offset": len(out), "comment": len(comment)}
    out += directory
    if zip64 is not None:
        z = true | dict(zip64)
        at = len(out)
        out += struct.pack("<4sQ2H2I4Q", z.get("signature", b"PK\6\6"), 44, 45, 45, 0, 0, z["entries"], z["entries"], z["size"],
                           z["offset"])
        out += struct.pack("<4sIQI", b"PK\6\7", 0, at if locator is None else locator, 1)
    e = true | dict(end)
    out += struct.pack("<4s4H2IH", b"PK\5\6", e["disk"], e["disk"], e["entries"], e["entries"], e["size"], e["offset"],
                       e["comment"])
    return bytes(out + comment + suffix)


ALL_ONES = {"entries": ONES16, "size": ONES32, "offset": ONES32}
HEADER = f'<DataManagementPackageHeader xmlns="{NS}"><PackageVersion>2</PackageVersion></DataManagementPackageHeader>'
MAP = "<EntityMap><EntityField>A</EntityField><XMLField>A</XMLField></EntityMap>"


def manifest(file="c.csv", style="CSV", more=""):
    return (
        f'<DataManagementPackageManifest xmlns="{NS}"><DefinitionGroupName>P</DefinitionGroupName><PackageEntityList>'
        f"<DataManagementPackageEntityData><EntityMapList>{MAP}</EntityMapList><EntityName>E</EntityName>"
        f"<InputFilePath>{file}</InputFilePath><SourceFormat>{style}</SourceFormat></DataManagementPackageEntityData>"
        f"</PackageEntityList>{more}</DataManagementPackageManifest>"
    )


CSV = b"A\r\n1\r\n2\r\n"


def entries(data=None, xml=None, header=None, extra=()):
    """The three entries of a sound package; each may be replaced."""
    return [
        data or Entry("c.csv", CSV),
        *extra,
        xml or Entry("Manifest.xml", manifest().encode()),
        header or Entry("PackageHeader.xml", HEADER.encode()),
    ]


def package(data=None, xml=None, header=None, extra=(), **options):
    return archive(entries(data, xml, header, extra), **options)


def of_manifest(xml):
    return package(xml=Entry("Manifest.xml", xml if isinstance(xml, bytes) else xml.encode(), DEFLATED))


def of_data(data, style="CSV", file="c.csv"):
    data = data if isinstance(data, bytes) else data.encode()
    return package(Entry(file, data, DEFLATED), Entry("Manifest.xml", manifest(file, style).encode()))


def of_xml(data, style="XML-Element"):
    return of_data(data, style, "c.xml")


def workbook(sheet, shared=None, method=DEFLATED):
    """A workbook of one sheet with that XML."""
    head = '<?xml version="1.0"?>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": f'{head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'{head}<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{rel}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{head}<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="E" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{head}<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{rel}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{rel}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
    }
    if shared is not None:
        parts["xl/sharedStrings.xml"] = shared
    return archive([Entry(name, text if isinstance(text, bytes) else text.encode(), method) for name, text in parts.items()])


def of_workbook(data):
    return of_data(data, "EXCEL", "c.xlsx")


def sheet(rows, before=""):
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{rows}</sheetData></worksheet>"
    )


def text_row(text, row=1):
    return f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c></row>'


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)
FILE_ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
CASES = []


def case(name, when, code, data):
    CASES.append((name, when, code, data))


def opens(name, data):
    case(name, "never", "", data)


def cut():
    whole = package(Entry("c.csv", CSV * 100, DEFLATED))
    places = {
        "nothing": (0, NOT_A_PACKAGE),
        "signature": (3, NOT_A_PACKAGE),
        "local-header": (20, CORRUPT),
        "name": (32, CORRUPT),
        "data": (45, CORRUPT),
        "second-entry": (whole.index(b"PK\3\4", 4) + 60, CORRUPT),
        "before-directory": (whole.index(b"PK\1\2"), CORRUPT),
        "directory": (whole.index(b"PK\1\2") + 70, CORRUPT),
        "before-end": (len(whole) - 22, CORRUPT),
        "end": (len(whole) - 10, CORRUPT),
        "last-byte": (len(whole) - 1, CORRUPT),
    }
    for place, (length, code) in places.items():
        case(f"cut-{place}", "open", code, whole[:length])
    long = package(comment=b"c" * 100)
    case("cut-comment", "open", CORRUPT, long[:-1])
    # The beginning is gone, as of a download that was taken up at the wrong place.
    case("cut-first-bytes", "open", CORRUPT, whole[10:])


def disagreeing():
    """Directory and local header: who reads the one sees another archive than who reads the other."""
    for what, lie in {
        "name": {"name": b"d.csv"},
        "name-longer": {"name": b"c.csvv"},
        "method": {"method": DEFLATED},
        "size": {"size": 5},
        "compressed": {"compressed": 5},
        "crc": {"crc": 1},
        "encrypted": {"flags": ENCRYPTED},
        "descriptor-size": {"flags": DESCRIPTOR, "size": 5},
        "descriptor-crc": {"flags": DESCRIPTOR, "crc": 5},
    }.items():
        case(f"local-{what}", "read", CORRUPT, package(Entry("c.csv", CSV, local=lie)))
        xml = Entry("Manifest.xml", manifest().encode(), local=lie)
        case(f"local-manifest-{what}", "open", CORRUPT, package(xml=xml))
    case("local-no-signature", "read", CORRUPT, b"XK" + package()[2:])
    case("crc-wrong", "read", CORRUPT, package(Entry("c.csv", CSV, local={"crc": 1}, central={"crc": 1})))
    case("crc-wrong-manifest", "open", CORRUPT,
         package(xml=Entry("Manifest.xml", manifest().encode(), local={"crc": 1}, central={"crc": 1})))
    lie = {"size": 4}
    case("size-too-small", "read", CORRUPT, package(Entry("c.csv", CSV, DEFLATED, local=lie, central=lie)))
    lie = {"size": 400}
    case("size-too-large", "read", CORRUPT, package(Entry("c.csv", CSV * 10, DEFLATED, local=lie, central=lie)))
    case("stored-sizes-differ", "open", CORRUPT, package(Entry("c.csv", CSV, central={"size": 5})))
    case("deflate-garbage", "read", CORRUPT, package(Entry("c.csv", CSV, DEFLATED, payload=b"\xff" * 20)))
    # Something out of nothing: more than any ratio.
    case("deflate-empty", "open", LIMIT, package(Entry("c.csv", CSV, DEFLATED, payload=b"")))
    case("deflate-cut", "read", CORRUPT, package(Entry("c.csv", CSV * 9, DEFLATED, payload=deflate(CSV * 9)[:-3])))
    case("deflate-then-more", "read", CORRUPT, package(Entry("c.csv", CSV, DEFLATED, payload=deflate(CSV) + b"hidden")))


def overlapping():
    two = [Entry("a", b"x" * 100), Entry("b", b"y" * 100, central={"offset": 0})]
    case("overlap-same-header", "open", CORRUPT, package(extra=two))
    case("overlap-inside-data", "open", CORRUPT, package(extra=[Entry("a", b"x" * 100), Entry("b", b"y", central={"offset": 60})]))
    # One kernel, quoted by every entry before it: each reaches to the end of the last.
    kernel = deflate(b"\0" * (1 << 20))
    many = [Entry(f"{i}", payload=b"" if i < 200 else kernel, method=DEFLATED, central={"compressed": len(kernel) + 31 * (200 - i)})
            for i in range(201)]
    case("overlap-kernel", "open", CORRUPT, package(extra=many))
    data = Entry("c.csv", CSV, central={"compressed": 10_000, "size": 10_000}, local={"compressed": 10_000, "size": 10_000})
    case("data-into-next-entry", "open", CORRUPT, package(data))
    last = entries()
    last[-1].central["compressed"] = last[-1].central["size"] = last[-1].local["size"] = len(last[-1].payload) + 20
    last[-1].local["compressed"] = last[-1].central["size"]
    case("data-into-directory", "open", CORRUPT, archive(last))
    # The local header's own extra field pushes the data into what follows; the directory alone can't tell.
    case("extra-into-next-entry", "read", CORRUPT, package()[:28] + struct.pack("<H", 500) + package()[30:])
    whole = len(package())
    itself = {"compressed": whole, "size": whole, "offset": 0}
    case("quine-entry-is-the-archive", "open", CORRUPT, package(extra=[Entry("self.zip", central=itself)]))
    case("twice-data", "open", CORRUPT, package(extra=[Entry("c.csv", CSV)]))
    case("twice-manifest", "open", CORRUPT, package(extra=[Entry("Manifest.xml", manifest().encode())]))
    # Written in two ways, the same name when read: code page 437 and UTF-8.
    both = [Entry(b"\x84.csv"), Entry("ä.csv", flags=UTF8)]
    case("twice-encoded", "open", CORRUPT, package(extra=both))


def named():
    for what, name in {
        "parent": "../c.csv", "parent-inside": "a/../../c.csv", "parent-backslash": "..\\c.csv", "parent-mixed": "a\\../c.csv",
        "parent-alone": "..", "absolute": "/etc/passwd", "absolute-backslash": "\\c.csv", "share": "\\\\host\\share\\c.csv",
        "drive": "C:\\c.csv", "drive-relative": "c:c.csv", "drive-slash": "C:/c.csv", "nul": "c.csv\0.txt", "empty": "",
    }.items():
        case(f"name-{what}", "open", CORRUPT, package(extra=[Entry(name)]))
    case("name-not-utf8", "open", CORRUPT, package(extra=[Entry(b"\xff\xfe.csv", flags=UTF8)]))
    case("name-overlong-utf8", "open", CORRUPT, package(extra=[Entry(b"\xc0\xae\xc0\xae/c.csv", flags=UTF8)]))
    opens("name-of-65535-bytes", package(extra=[Entry("n" * 65_535)]))
    opens("name-backslash-folder", package(extra=[Entry("Resources\\c.txt")]))
    opens("name-dots-that-lead-nowhere", package(extra=[Entry("a..b/...c")]))
    opens("name-code-page-437", package(extra=[Entry(b"W\x84hrung.csv")]))
    inside = [Entry(f"export/{entry.name.decode()}", entry.payload) for entry in entries()]
    case("sub-folder", "open", NOT_A_PACKAGE, archive(inside))
    case("other-spelling", "open", NOT_A_PACKAGE, package(header=Entry("packageheader.XML", HEADER.encode())))


def methods():
    for method in (1, 6, 9, 12, 14, 93, 95, 97, 98, 99, 65535):
        case(f"method-{method}", "read", CORRUPT, package(Entry("c.csv", CSV, method, payload=CSV)))
    case("method-9-manifest", "open", CORRUPT, package(xml=Entry("Manifest.xml", manifest().encode(), 9)))
    case("encrypted", "read", CORRUPT, package(Entry("c.csv", CSV, flags=ENCRYPTED)))
    case("encrypted-manifest", "open", CORRUPT, package(xml=Entry("Manifest.xml", manifest().encode(), flags=ENCRYPTED)))
    case("encrypted-header", "open", CORRUPT, package(header=Entry("PackageHeader.xml", HEADER.encode(), flags=ENCRYPTED)))
    signed = struct.pack("<4s3I", b"PK\7\x08", zlib.crc32(CSV), len(CSV), len(CSV))
    silent = {"crc": 0, "compressed": 0, "size": 0}
    for what, after in {
        "signed": signed,
        "unsigned": signed[4:],
        "zip64": struct.pack("<4sI2Q", b"PK\7\x08", zlib.crc32(CSV), len(CSV), len(CSV)),
        "absent": b"",
        # Nobody reads it: the directory has the same values, and those were found right.
        "lying": struct.pack("<4s3I", b"PK\7\x08", 1, 2, 3),
    }.items():
        opens(f"descriptor-{what}", package(Entry("c.csv", CSV, flags=DESCRIPTOR, local=silent, after=after)))
    lie = {"crc": 5}
    case("descriptor-directory-lies", "read", CORRUPT, package(Entry("c.csv", CSV, flags=DESCRIPTOR, local=silent, central=lie,
                                                                       after=signed)))


def ends():
    case("prefix-without-offsets", "open", CORRUPT, b"MZ" + b"\0" * 500 + package())
    opens("prefix-with-offsets", package(prefix=b"MZ" + b"\0" * 500))
    case("suffix", "open", CORRUPT, package(suffix=b"\r\n"))
    case("suffix-of-zeros", "open", CORRUPT, package(suffix=b"\0" * 70_000))
    opens("suffix-of-padding", package(suffix=b"\0" * 10_000))
    case("two-archives", "open", CORRUPT, package(Entry("c.csv", CSV * 2)) + package())
    opens("gap-before-directory", package(gap=b"\0" * 100))
    opens("comment", package(comment=b"a comment"))
    opens("comment-of-65535-bytes", package(comment=b"c" * 65_535))
    opens("comment-with-a-signature", package(comment=b"PK\5\6" + b"\0" * 30))
    # Whoever looks backwards finds this end first, as the service does.
    empty = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    case("comment-with-an-end", "open", NOT_A_PACKAGE, package(comment=empty))
    for what, lie in {
        "offset-beyond": {"offset": 1 << 20}, "offset-ones": {"offset": ONES32}, "offset-shifted": {"offset": 1},
        "size-beyond": {"size": 1 << 20}, "size-too-small": {"size": 60}, "size-zero": {"size": 0},
        "entries-more": {"entries": 4}, "entries-fewer": {"entries": 2}, "volumes": {"disk": 1},
    }.items():
        case(f"end-{what}", "open", CORRUPT, package(end=lie))
    case("end-entries-none", "open", CORRUPT, package(end={"entries": 0}))
    case("empty-archive", "open", NOT_A_PACKAGE, archive([]))


def zip64():
    opens("zip64", package(zip64={}, end=ALL_ONES))
    opens("zip64-not-needed", package(zip64={}))
    case("zip64-entries", "open", LIMIT, package(zip64={"entries": 1 << 63}, end=ALL_ONES))
    case("zip64-entries-fewer", "open", CORRUPT, package(zip64={"entries": 2}, end=ALL_ONES))
    case("zip64-size", "open", LIMIT, package(zip64={"size": 1 << 40}, end=ALL_ONES))
    case("zip64-offset", "open", CORRUPT, package(zip64={"offset": (1 << 64) - 1}, end=ALL_ONES))
    offset = {"offset": ONES32}
    case("zip64-no-record", "open", CORRUPT, package(end=offset))
    case("zip64-record-damaged", "open", CORRUPT, package(zip64={"signature": b"PK\6\0"}, end=offset))
    case("zip64-locator-beyond", "open", CORRUPT, package(zip64={}, end=offset, locator=1 << 62))
    case("zip64-locator-elsewhere", "open", CORRUPT, package(zip64={}, end=offset, locator=0))
    size = struct.pack("<2HQ", 1, 8, len(CSV))
    opens("zip64-entry", package(Entry("c.csv", CSV, central={"size": ONES32, "extra": size})))
    opens("zip64-entry-behind-others", package(Entry("c.csv", CSV, central={"size": ONES32, "extra": b"\x99\x99\1\0x" + size})))
    for what, central in {
        "short": {"size": ONES32, "extra": size[:-1]},
        "length-lies": {"size": ONES32, "extra": struct.pack("<2HQ", 1, 80, len(CSV))},
        "two-of-one": {"size": ONES32, "compressed": ONES32, "extra": size},
        "other-size": {"size": ONES32, "extra": struct.pack("<2HQ", 1, 8, 5)},
        "offset": {"offset": ONES32, "extra": struct.pack("<2HQ", 1, 8, (1 << 64) - 1)},
        "wraps": {"compressed": ONES32, "size": ONES32, "extra": struct.pack("<2H2Q", 1, 16, *[(1 << 36) - 1] * 2)},
    }.items():
        case(f"zip64-entry-{what}", "open", CORRUPT, package(Entry("c.csv", CSV, central=central)))


def bombs():
    def large(size, compressed):
        return {"size": ONES32, "compressed": ONES32, "extra": struct.pack("<2H2Q", 1, 16, size, compressed)}

    case("bomb-one-entry", "open", LIMIT, package(extra=[Entry("a", method=DEFLATED, central=large(65 * GIB, GIB))]))
    five = [Entry(f"{i}", method=DEFLATED, central=large(60 * GIB, GIB)) for i in range(5)]
    case("bomb-total", "open", LIMIT, package(extra=five))
    case("bomb-ratio", "open", LIMIT, package(Entry("c.csv", CSV, DEFLATED, central={"size": 1 << 30})))
    lie = {"size": 1000}
    case("bomb-more-than-promised", "read", CORRUPT,
         package(Entry("c.csv", b"A\r\n" + b"1\r\n" * 10_000_000, DEFLATED, local=lie, central=lie)))
    case("bomb-entries", "open", LIMIT, package(extra=[Entry(f"{i:05}") for i in range(10_000)]))
    opens("bomb-nested", package(extra=[Entry("a.zip", archive([Entry("b", b"\0" * (1 << 20), DEFLATED)]) * 50, DEFLATED)]))
    opens("bomb-64-mib-of-rows", of_data(b"A\r\n" + b"1\r\n" * ((64 << 20) // 3)))
    case("bomb-zeros", "read", DATA_INVALID, of_data(b"\0" * (64 << 20)))
    case("bomb-manifest", "open", LIMIT, of_manifest(manifest() + " " * (64 << 20)))
    case("bomb-header", "open", LIMIT, package(header=Entry("PackageHeader.xml", HEADER.encode() + b" " * (64 << 20), DEFLATED)))
    case("bomb-row", "read", DATA_INVALID, of_data(b"A\r\n" + b"x" * (32 << 20)))
    case("bomb-quoted-row", "read", DATA_INVALID, of_data(b'A\r\n"' + b"x\r\n" * (11 << 20)))
    case("bomb-columns", "read", DATA_INVALID, of_data(b"," * (32 << 20)))


def xml():
    root = f'<DataManagementPackageManifest xmlns="{NS}">'
    close = "</DataManagementPackageManifest>"
    case("xml-laughs", "open", MANIFEST_INVALID, of_manifest(LAUGHS + manifest(more="<X>&j;</X>")))
    case("xml-laughs-header", "open", MANIFEST_INVALID, package(header=Entry("PackageHeader.xml", (LAUGHS + HEADER).encode())))
    case("xml-external", "open", MANIFEST_INVALID, of_manifest(FILE_ENTITY + manifest(more="<X>&a;</X>")))
    case("xml-doctype-alone", "open", MANIFEST_INVALID, of_manifest("<!DOCTYPE x>" + manifest()))
    case("xml-unknown-entity", "open", MANIFEST_INVALID, of_manifest(manifest(more="<X>&a;</X>")))
    opens("xml-depth-64", of_manifest(manifest(more="<a>" * 63 + "</a>" * 63)))
    case("xml-depth-65", "open", LIMIT, of_manifest(manifest(more="<a>" * 64 + "</a>" * 64)))
    case("xml-depth-million", "open", LIMIT, of_manifest(root + "<a>" * 1_000_000))
    case("xml-elements-million", "open", LIMIT, of_manifest(root + "<a/>" * 1_000_000 + close))
    attributes = " ".join(f"a{i}='1'" for i in range(200_000))
    opens("xml-attributes", of_manifest(f"{root}<X {attributes}/>{close}"))
    spaces = " ".join(f"xmlns:n{i}='u{i}'" for i in range(20_000))
    case("xml-namespaces", "open", LIMIT, of_manifest(root[:-1] + " " + spaces + ">" + "<a/>" * 200_000 + close))
    opens("xml-long-name", of_manifest(manifest(more=f"<{'n' * (1 << 20)}/>")))
    opens("xml-long-text", of_manifest(manifest(more=f"<X>{'x' * (8 << 20)}</X>")))
    for what, text in {
        "cut": manifest()[:-20], "two-roots": manifest() + manifest(), "unbalanced": manifest(more="<a></b>"),
        "nul": manifest(more="<X>\0</X>"), "empty": "", "text-after": manifest() + "text", "attribute-twice": manifest(more="<a b='1' b='2'/>"),
        "wrong-root": "<Workbook/>", "open-tag": "<", "comment-endless": manifest() + "<!-- ", "cdata-endless": root + "<![CDATA[",
    }.items():
        case(f"xml-{what}", "open", MANIFEST_INVALID, of_manifest(text))
    utf16 = b"\xff\xfe" + manifest().encode("utf-16-le")
    opens("utf16", of_manifest(utf16))
    case("utf16-odd", "open", MANIFEST_INVALID, of_manifest(utf16 + b"\0"))
    lone = (manifest(more="<X>?</X>")).encode("utf-16-le").replace(b"?\0", b"\0\xd8")
    case("utf16-lone-surrogate", "open", MANIFEST_INVALID, of_manifest(b"\xff\xfe" + lone))
    case("utf8-broken", "open", MANIFEST_INVALID, of_manifest(manifest(more="<X>?</X>").encode().replace(b"?", b"\xc3")))
    case("manifest-missing", "open", MANIFEST_INVALID, archive([Entry("c.csv", CSV), Entry("PackageHeader.xml", HEADER.encode())]))
    case("file-missing", "read", DATA_INVALID, package(xml=Entry("Manifest.xml", manifest("other.csv").encode())))
    case("file-is-the-manifest", "read", DATA_INVALID, package(xml=Entry("Manifest.xml", manifest("Manifest.xml", "EXCEL").encode())))


def data():
    mark = b"\xff\xfe"
    opens("csv-utf16", of_data(mark + "A\r\n1\r\n".encode("utf-16-le")))
    case("csv-utf16-odd", "read", DATA_INVALID, of_data(mark + "A\r\n1\r\n".encode("utf-16-le") + b"x"))
    case("csv-utf16-lone-surrogate", "read", DATA_INVALID, of_data(mark + "A\r\n".encode("utf-16-le") + b"\0\xdcx\0"))
    case("csv-nul", "read", DATA_INVALID, of_data(b"A\r\n1\0\r\n"))
    case("csv-quote-open", "read", DATA_INVALID, of_data(b'A\r\n"1\r\n'))
    case("csv-longer-row", "read", DATA_INVALID, of_data(b"A\r\n1,2\r\n"))
    case("csv-column-twice", "read", DATA_INVALID, of_data(b"A,A\r\n1,2\r\n"))
    record = "<R><A>1</A></R>"
    opens("rows-xml", of_xml(f"<Document>{record}</Document>"))
    for what, text in {
        "laughs": f"{LAUGHS}<Document><R><A>&j;</A></R></Document>",
        "external": f"{FILE_ENTITY}<Document><R><A>&a;</A></R></Document>",
        "unknown-entity": "<Document><R><A>&a;</A></R></Document>",
        "cut": f"<Document>{record}",
        "endless-value": "<Document><R><A>" + "x" * (32 << 20),
        "endless-name": "<Document><R><" + "x" * (32 << 20),
        "endless-comment": "<Document><!--" + "x" * (32 << 20),
        "columns": "<Document><R>" + "".join(f"<C{i}/>" for i in range(100_000)) + "</R></Document>",
    }.items():
        case(f"rows-xml-{what}", "read", DATA_INVALID, of_xml(text))
    case("rows-xml-depth", "read", LIMIT, of_xml("<Document>" + "<R>" * 1_000_000))
    attributes = " ".join(f"C{i}='1'" for i in range(100_000))
    case("rows-xml-attributes", "read", DATA_INVALID, of_xml(f"<Document><R {attributes}/></Document>", "XML-Attribute"))
    case("rows-xml-endless-attribute", "read", DATA_INVALID, of_xml("<Document><R A='" + "x" * (32 << 20), "XML-Attribute"))
    good = sheet(text_row("A") + text_row("1", 2))
    opens("workbook", of_workbook(workbook(good)))
    case("workbook-is-text", "read", DATA_INVALID, of_workbook(CSV))
    case("workbook-cut", "read", DATA_INVALID, of_workbook(workbook(good)[:-30]))
    case("workbook-laughs", "read", DATA_INVALID, of_workbook(workbook(sheet(text_row("&j;"), LAUGHS))))
    case("workbook-external", "read", DATA_INVALID, of_workbook(workbook(sheet(text_row("&a;"), FILE_ENTITY))))
    case("workbook-bomb", "read", LIMIT, of_workbook(workbook(sheet(" " * (70 << 20)))))
    case("workbook-bomb-shared", "read", LIMIT, of_workbook(workbook(good, "<sst>" + " " * (70 << 20))))
    case("workbook-last-row-lies", "read", DATA_INVALID, of_workbook(workbook(sheet(text_row("A") + text_row("1", 4_000_000_000)))))
    case("workbook-last-column-lies", "read", DATA_INVALID,
         of_workbook(workbook(sheet('<row r="1"><c r="ZZZZZZZ1"><v>1</v></c></row>'))))
    case("workbook-method", "read", DATA_INVALID, of_workbook(workbook(good, method=9)))


def main():
    folder = sys.argv[1]
    for make in (cut, disagreeing, overlapping, named, methods, ends, zip64, bombs, xml, data):
        make()
    opens("sound", package())
    names = [name for name, *_ in CASES]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    listed = []
    for name, when, code, content in CASES:
        with open(os.path.join(folder, name + ".zip"), "wb") as file:
            file.write(content)
        listed.append({"name": name, "file": name + ".zip", "when": when, "code": code, "bytes": len(content)})
    with open(os.path.join(folder, "cases.json"), "w", encoding="utf-8") as file:
        json.dump(listed, file, indent=1)
    # The script's own view of what is sound, with an independent reader.
    assert zipfile.ZipFile(io.BytesIO(package())).testzip() is None


main()
