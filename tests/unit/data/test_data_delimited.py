"""Tables in text files: what is found by itself, and what is refused in one line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.delimited import HEAD, header, table

PLAIN = b"a,b\n1,x\n2,y\n"


def written(folder, data, name="t.csv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def refused(path, read=table):
    with pytest.raises(UsageError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, PLAIN)
    return file.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separator_mark_and_line_ends_are_found(tmp_path, separator, start, end):
    text = start + end.join([f"a{separator}b", f'1{separator}"x{separator}y"', "", f"2{separator}z", ""])
    found = table(written(tmp_path, text))
    assert {name: list(cells) for name, cells in found.columns.items()} == {
        "a": ["1", "2"],
        "b": [f"x{separator}y", "z"],
    }
    assert found.lines.tolist() == [2, 4]


@pytest.mark.parametrize(
    "data",
    [gzip.compress(PLAIN), bz2.compress(PLAIN), lzma.compress(PLAIN), zipped("t.csv"), zipped("__MACOSX/t", "t")],
    ids=["gz", "bz2", "xz", "zip", "zip of macOS"],
)
def test_compression_is_found_whatever_the_name(tmp_path, data):
    assert list(table(written(tmp_path, data)).columns["b"]) == ["x", "y"]


def test_a_quoted_header_with_other_separators_in_it(tmp_path):
    assert header(written(tmp_path, '"a;b;c","d"\n1,2\n')).names == ("a;b;c", "d")


def test_lines_count_line_ends_in_quotes(tmp_path):
    path = written(tmp_path, 'a,b\n1,"x\ny"\n2,z\n')
    assert table(path).lines.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 values and the header names 2"),
        (b"a,b\n1\n", "line 2 has 1 values"),
        (b'a,b\n1,"x\n', "begins in line 2"),
        (b"a,b,a\n1,2,3\n", "names 'a' 2 times"),
        (b"5.1,3.5,x\n4.9,3.0,y\n", "5.1 is a number"),
        ("a,b\n1,ä\n".encode("latin1"), "byte 0xe4 in line 2"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,\0\n", "the byte 0"),
        (zipped("a", "b"), "2 files (a, b)"),
        (gzip.compress(PLAIN)[:-12], "cannot be read as a table"),
    ],
    ids=range(13),
)
def test_what_is_no_table_is_refused(tmp_path, data, words):
    path = written(tmp_path, data)
    message = refused(path)
    assert words in message and str(path) in message


def test_one_enormous_line_is_refused_from_its_beginning(tmp_path):
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"a," * HEAD)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 20])  # reading on would end in an error of gzip
    assert "no line ends in the first" in refused(path, header)


def test_folders_and_absent_files_are_refused(tmp_path):
    assert "is a folder" in refused(tmp_path)
    assert "not found" in refused(tmp_path / "absent.csv")
