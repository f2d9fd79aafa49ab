# Writes one package in many shapes into the folder named by the argument.
import io
import os
import sys
import warnings
import zipfile

warnings.simplefilter("ignore")
folder = sys.argv[1]
NS = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
DATA = "Verträge.csv"
rows = "ID,NAME\r\n" + "".join(f'{i},"naïve, ""quoted""\nvalue 😀"\r\n' for i in range(20000))
maps = "".join(f"<EntityMap><EntityField>{c}</EntityField><XMLField>{c}</XMLField></EntityMap>" for c in ("ID", "NAME"))
entity = (
    f"<EntityMapList>{maps}</EntityMapList><EntityName>Verträge</EntityName><InputFilePath>{DATA}</InputFilePath>"
    "<SourceFormat>CSV-Unicode</SourceFormat>"
)
manifest = (
    f'<?xml version="1.0" encoding="utf-8"?>\n<DataManagementPackageManifest xmlns="{NS}">\n'
    "  <DefinitionGroupName>Verträge</DefinitionGroupName>\n  <PackageEntityList><DataManagementPackageEntityData>"
    f"{entity}</DataManagementPackageEntityData></PackageEntityList>\n</DataManagementPackageManifest>\n"
)
header = f'<DataManagementPackageHeader xmlns="{NS}"><PackageVersion>2</PackageVersion></DataManagementPackageHeader>'
FILES = [(DATA, rows.encode("utf-16")), ("Manifest.xml", manifest.encode()), ("PackageHeader.xml", header.encode())]


class Forwards(io.RawIOBase):
    """A file that can't be sought, so that sizes go behind the data."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def close(self):
        self.file.close()
        super().close()


def write(shape, method=zipfile.ZIP_DEFLATED, forwards=False, zip64=False, prefix="", comment=b"", extra=()):
    path = os.path.join(folder, shape + ".zip")
    with Forwards(path) if forwards else open(path, "wb") as file:
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in extra:
                archive.writestr(name, b"")
            for name, data in FILES:
                with archive.open(prefix + name, "w", force_zip64=zip64) as entry:
                    entry.write(data)
            archive.comment = comment


write("stored", method=zipfile.ZIP_STORED)
write("deflated")
write("descriptors", forwards=True)
write("zip64", zip64=True)
write("zip64-descriptors", forwards=True, zip64=True)
write("comment", comment=b"written for a test")
write("folders", extra=["Resources/"])
write("bzip2", method=zipfile.ZIP_BZIP2)
write("sub-folder", prefix="export/")
write("twice", extra=["Manifest.xml"])
write("truncated")
path = os.path.join(folder, "truncated.zip")
os.truncate(path, os.path.getsize(path) - 100)
