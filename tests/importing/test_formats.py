"""What kind of file it is, by its content: read, unpacked, or refused by what it is and with what to do."""

import gzip
import io
import random
import struct
import zipfile

import pytest

from lists.importing import formats
from lists.importing.formats import kind, table_in_zip
from lists.importing.opening import plain_table
from lists.importing.refusals import FileRefused
from tests.importing.workbook_bytes import ods, ole, xls, xlsx, zipped

TABLE = [["Name", "Mobile"], ["Asha", 9800000001]]
CSV = "Name,Mobile\nAsha,9800000001\n"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (CSV, "text"), ("\ufeff" + CSV, "text"), (CSV.encode("utf-16"), "text"), ("[Name],[Mobile]\nAsha,1\n", "text"),
        ("<Name>,Mobile\n", "text"), (xlsx({"A": TABLE}), "workbook"), (ods({"A": TABLE}), "workbook"),
        (xls(TABLE), "workbook"), (zipped({"a.csv": CSV}), "zip"),
    ],
)  # fmt: skip
def test_the_content_says_what_a_file_is(write, content, wanted):
    assert kind(write(content)) == wanted


HTML = "<html><body><table><tr><td>Asha</td></tr></table></body></html>"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (gzip.compress(b"Phone\n1\n", mtime=0), "gzip"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "JPEG"),
        (HTML, "HTML table under the name of a workbook"),
        ("\ufeff" + HTML, "HTML table"),
        (HTML.encode("utf-16"), "HTML table"),
        ("<table border=1><tr><td>Asha</td></tr></table>", "HTML table"),
        ("\n<!DOCTYPE html><html><title>Log in</title>", "web page"),
        ("<html><form><table><tr><td><input type=password></table></form></html>", "web page"),
        (
            '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "XML table under the name of a workbook",
        ),
        ('<?xml version="1.0"?><contacts/>', "XML file"),
        ("MIME-Version: 1.0\nX: y\nContent-Type: multipart/related\n", "web archive"),
        ('[{"phone": "+919800012345"}]', "JSON"),
        ('{"data": [' + '{"phone": "+919800012345"},' * 5000, "JSON"),
        ("BEGIN:VCARD\nVERSION:3.0\n", "contact cards"),
        ("\ufeffBEGIN:VCARD\nVERSION:3.0\n", "contact cards"),
        ("begin:vcard\n".encode("utf-16"), "contact cards"),
        (zipped({"word/document.xml": "x"}), "Word document"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "no spreadsheet"),
        (ole({"WordDocument": b"x"}), "Office document"),
    ],
)
def test_what_is_no_table_is_called_by_its_name_and_with_what_to_do(write, content, says):
    with pytest.raises(FileRefused) as caught:
        kind(write(content))
    assert caught.value.code == "not_a_table"
    assert says in caught.value.message
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    "content", [ole({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), ole({"EncryptedPackage": b""})]
)
def test_an_encrypted_workbook_is_refused_for_its_password(write, content):
    with pytest.raises(FileRefused, match="password") as caught:
        kind(write(content))
    assert caught.value.code == "password"


@pytest.mark.parametrize("seed", range(50))
def test_random_bytes_after_any_signature_are_called_something_or_refused(write, seed):
    chaos = random.Random(seed)
    begins = chaos.choice([b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<", b"{", b"[", b"\xff\xfe"])
    try:
        assert kind(write(begins + chaos.randbytes(chaos.randrange(3000)))) in ("text", "workbook", "zip")
    except FileRefused as refused:
        assert refused.message.endswith(".")


# ZIP archives --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "july/Contacts.CSV", "a.tsv", "a.txt"])
def test_the_one_table_of_an_archive_is_unpacked(write, tmp_path, name):
    source = write(zipped({"__MACOSX/._a.csv": "x", ".hidden.csv": "x", "july/": "", "logo.png": "x", name: CSV}))
    assert table_in_zip(source, tmp_path / "table") == name
    assert (tmp_path / "table").read_text() == CSV
    found = plain_table(source, tmp_path)
    assert (found.inside, found.path.read_text()) == (name, CSV)


@pytest.mark.parametrize("content", [xlsx({"A": TABLE}), ods({"A": TABLE}), xls(TABLE)])
def test_a_workbook_inside_an_archive_is_read(write, tmp_path, content):
    found = plain_table(write(zipped({"a.xls": content})), tmp_path)
    assert found.path.read_text() == CSV
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith("unpacked")] == []


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        ({"a.csv": CSV, "july/b.xlsx": "x"}, "several_tables", "“a.csv”, “b.xlsx”"),
        ({f"{at}.csv": CSV for at in range(9)}, "several_tables", "and 4 more"),
        ({"logo.png": "x"}, "no_table", "holds no table"),
        ({}, "no_table", "holds no table"),
        ({"inner.zip": "x"}, "no_table", "holds no table"),
        ({"a.csv": "a" * 20_000_000}, "too_large", "100 times"),
        ({"a.csv": zipped({"b.csv": CSV})}, "no_table", "holds no table"),
        ({"a.csv": "%PDF-1.7"}, "not_a_table", "PDF"),
    ],
)
def test_an_archive_without_exactly_one_table_is_refused_and_leaves_nothing(write, tmp_path, files, code, says):
    source = write(zipped(files))
    with pytest.raises(FileRefused) as caught:
        plain_table(source, tmp_path)
    assert caught.value.code == code
    assert says in caught.value.message
    assert list(tmp_path.iterdir()) == [source]


def test_an_archive_is_measured_before_anything_is_unpacked(write, tmp_path, monkeypatch):
    source = write(zipped({"a.csv": CSV * 1000}))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(FileRefused) as caught:
        table_in_zip(source, tmp_path / "table", largest_bytes=1000)
    assert caught.value.code == "too_large"


def test_an_archive_whose_directory_lies_about_a_size_is_refused_while_unpacking(write, tmp_path):
    packed = bytearray(zipped({"a.csv": CSV * 1000}))
    size = struct.pack("<I", len(CSV) * 1000)
    while size in packed:
        packed[packed.index(size) : packed.index(size) + 4] = struct.pack("<I", 10)
    with pytest.raises(FileRefused):
        table_in_zip(write(bytes(packed)), tmp_path / "table")
    assert not (tmp_path / "table").exists()


@pytest.mark.parametrize("keep", [10, 40, 100])
def test_an_archive_cut_off_is_refused(write, keep):
    with pytest.raises(FileRefused) as caught:
        kind(write(zipped({"a.csv": CSV * 100})[:keep]))
    assert caught.value.code == "damaged_archive"


def test_an_archive_with_a_password_is_refused(write, tmp_path):
    buffer = io.BytesIO(zipped({"a.csv": CSV}))
    packed = bytearray(buffer.getvalue())
    directory = packed.index(b"PK\x01\x02")
    packed[directory + 8] |= 1
    packed[6] |= 1
    with pytest.raises(FileRefused) as caught:
        table_in_zip(write(bytes(packed)), tmp_path / "table")
    assert caught.value.code == "password"


def test_the_caps_are_what_the_documentation_says():
    assert (formats.LARGEST_UNPACKED, formats.LARGEST_RATIO) == (200 * 1024 * 1024, 100)
