# Checks a package with Python's own readers, against figures written here by hand.
import codecs
import csv
import io
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

NAMESPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def names(element):
    return [child.tag.removeprefix(NAMESPACE) for child in element]


def value(element, path):
    return element.find("/".join(NAMESPACE + part for part in path.split("/"))).text


archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
infos = archive.infolist()
assert [info.filename for info in infos] == [
    "Verträge.csv",
    "CLM integration contract.csv",
    "Resources/a.txt",
    "Manifest.xml",
    "PackageHeader.xml",
], [info.filename for info in infos]
for info in infos:
    assert info.compress_type == zipfile.ZIP_DEFLATED
    assert info.flag_bits == (0x800 if info.filename.startswith("Vertr") else 0)
    assert (info.create_system, info.create_version, info.extract_version) == (0, 20, 20)
    assert (info.extra, info.comment, info.external_attr) == (b"", b"", 0)
    assert info.date_time == (1980, 1, 1, 0, 0, 0)

for name in ("Manifest.xml", "PackageHeader.xml"):
    data = archive.read(name)
    assert data.startswith(codecs.BOM_UTF16_LE)
    text = data.decode("utf-16")
    assert text.startswith("<Data") and "\n" not in text and "<?xml" not in text

manifest = ElementTree.fromstring(archive.read("Manifest.xml"))
assert manifest.tag == NAMESPACE + "DataManagementPackageManifest"
assert value(manifest, "DefinitionGroupName") == "Contracts & more"
assert value(manifest, "Description") == "<ü>"
for element in manifest.iter():
    children = names(element)
    if element.tag.removeprefix(NAMESPACE) not in ("PackageEntityList", "EntityMapList"):
        assert children == sorted(set(children)), children
entities = manifest.find(NAMESPACE + "PackageEntityList")
assert [value(entity, "EntityName") for entity in entities] == [
    "CLM integration contract types",
    "CLM integration contract",
]
assert [value(entity, "LevelInExecutionUnit") for entity in entities] == ["1", "2"]
assert [value(entity, "InputFilePath") for entity in entities] == ["Verträge.csv", "CLM integration contract.csv"]
assert [value(entity, "SourceFormat") for entity in entities] == ["CSV", "CSV-Unicode"]
assert all(entity.find(NAMESPACE + "EntityTransformList").get(NIL) == "true" for entity in entities)
maps = entities[1].find(NAMESPACE + "EntityMapList")
assert [(value(m, "EntityField"), value(m, "XMLField")) for m in maps] == [
    (name, name) for name in ("CONTRACTID", "CONTRACTNAME", "EFFECTIVEDATE")
]

assert archive.read("Verträge.csv") == "NAME\r\nLizenzverträge\r\n".encode("cp1252")
data = archive.read("CLM integration contract.csv")
assert data.startswith(codecs.BOM_UTF16_LE)
rows = list(csv.reader(io.StringIO(data.decode("utf-16"), newline=""), strict=True))
assert rows[0] == ["CONTRACTID", "CONTRACTNAME", "EFFECTIVEDATE"]
assert rows[1] == ["C-1", 'say "hi",\r\n日本 😀', "2026-04-01"], rows[1]
assert rows[2] == ["10000", "x", ""] and rows[-1] == ["39999", "x", ""]
assert len(rows) == 30002
print("all is well")
