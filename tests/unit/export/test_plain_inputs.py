"""The plain file prepares raw inputs as training did, and as evonas reads them; bad inputs are one line."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data.folder import Folder
from evonas_cli.data.splits import Splits
from evonas_cli.data.table import Csv
from evonas_cli.data.text_table import TextCsv
from evonas_cli.export.examples import read_examples
from evonas_cli.export.preprocessing import read_inputs
from evonas_cli.export.source import _constants
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task
from evonas_cli.training.candidates.built import signature_of

PARTS = {"pictures": "pictures", "arrays": "arrays", "table": "table", "text": "text"}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[Signature], ModuleType]:
    """The plain part for a signature, with its constants."""

    def make(signature: Signature) -> ModuleType:
        module = importlib.import_module(f"evonas_cli.export.plain.{signature.preparation['form']}")
        for name, value in _constants(signature).items():
            monkeypatch.setattr(module, name, value, raising=False)
        return module

    return make


def pictures(folder: Path) -> Folder:
    """Images of three modes: colours, transparent ones, and 16 bits."""
    rng = np.random.default_rng(1)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for n in range(6):
            levels = rng.integers(0, 255, (9, 7, 4), dtype=np.uint8)
            image = Image.fromarray(levels if n % 2 else levels[..., :3])
            if n == 4:
                image = Image.fromarray(rng.integers(0, 65535, (9, 7), dtype=np.uint16))
            image.save(folder / name / f"{n}.png")
    (folder / "cat" / "notes.txt").write_text("no image")
    return Folder(
        path=str(folder), size=6, valid_fraction=0.2, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0
    )


def raw(splits: Splits) -> np.ndarray:
    return np.concatenate([splits.x_train, splits.x_valid]).astype(np.float32)


def rows(x: np.ndarray) -> set[bytes]:
    return {row.astype(np.float32).tobytes() for row in x}


def test_pictures(tmp_path: Path, plain: Callable[[Signature], ModuleType]) -> None:
    splits = pictures(tmp_path / "p").prepare(0)
    signature = signature_of(splits)
    names, x = plain(signature).inputs([str(tmp_path / "p")])
    read = read_inputs(tmp_path / "p", signature)
    assert list(read.names) == names and len(names) == 12
    np.testing.assert_array_equal(read.x, x.numpy())
    assert rows(raw(splits)) <= rows(read.x)
    examples = read_examples(tmp_path / "p", signature)
    assert examples.y.tolist() == [0] * 6 + [1] * 6
    one = read_inputs(tmp_path / "p" / "cat" / "4.png", signature)
    np.testing.assert_array_equal(one.x[0], read.x[4])


TABLE = "age,pet,weight,ok,kind\n" + "".join(
    f"{20 + n % 13},{('cat', 'dog', '')[n % 3]},{'?' if n % 5 == 0 else n * 1.5},{('yes', 'no')[n % 2]},{'ab'[n % 2]}\n"
    for n in range(40)
)


def table(path: Path) -> Csv:
    path.write_text(TABLE)
    settings: dict[str, Any] = {"target": "kind", "kind": "classes", "missing": ("", "?"), "drop": (), "categories": ()}
    settings |= {
        "keep": (),
        "most_categories": 5,
        "valid_fraction": 0.2,
        "test_fraction": 0.2,
        "limit": None,
    }
    return Csv(path=str(path), **settings)


def test_rows_of_a_table(tmp_path: Path, plain: Callable[[Signature], ModuleType]) -> None:
    splits = table(tmp_path / "t.csv").prepare(0)
    signature = signature_of(splits)
    signature = Signature.from_json(signature.to_json())
    assert [column["type"] for column in signature.preparation["columns"]] == ["number", "category", "number", "number"]
    other = tmp_path / "other.csv"
    other.write_text("ok,weight,pet,age\nno,?,bird,31\nyes,2.5,cat,20\nYES,7,,29\n")
    _, x = plain(signature).inputs([str(other)])
    np.testing.assert_array_equal(read_inputs(other, signature).x, x.numpy())
    assert rows(raw(splits)) <= rows(read_inputs(tmp_path / "t.csv", signature).x)
    assert read_examples(tmp_path / "t.csv", signature).y[:4].tolist() == [0, 1, 0, 1]


TEXTS = "said,who\n" + "".join(f'"Good {("day", "Night")[n % 2]} , n°{n % 4}!",{"xy"[n % 2]}\n' for n in range(30))


@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_texts(tokens: str, tmp_path: Path, plain: Callable[[Signature], ModuleType], monkeypatch: Any) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TEXTS)
    dataset = TextCsv(
        path=str(path), text="said", target="who", kind="classes", missing=(), tokens=tokens, lower=True, vocabulary=9,
        least_count=1, max_length=7, valid_fraction=0.2, test_fraction=0.2, limit=None,
    )  # fmt: skip
    splits = dataset.prepare(0)
    signature = signature_of(splits)
    read = read_inputs(path, signature)
    assert rows(raw(splits)) <= rows(read.x)
    module = plain(signature)

    class Held:
        def __enter__(self) -> Held:
            return self

        def __exit__(self, *_: object) -> None: ...

        def metadata(self) -> dict[str, str]:
            import json

            return {"preprocessing": json.dumps(signature.to_json())}

    monkeypatch.setattr(module, "safe_open", lambda *_: Held())
    np.testing.assert_array_equal(module.inputs([str(path)])[1].numpy(), read.x)
    path.write_text(TEXTS.replace("said", "message", 1))
    assert (read_inputs(path, signature, "message").x == read.x).all()
    with pytest.raises(
        UsageError, match="has no column 'said', which the texts lie in; name it with --text; it has message"
    ):
        read_inputs(path, signature)


def arrays(shape: tuple[int, ...] = (1, 4, 4), bytes_: bool = True) -> Signature:
    return Signature(Task(shape, 2), (0.0,), (1.0,), ("a", "b"), preparation={"form": "arrays", "bytes": bytes_})


def test_arrays_of_several_layouts(tmp_path: Path, plain: Callable[[Signature], ModuleType]) -> None:
    x = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    for number, given in enumerate((x, x[:, None], x[..., None])):
        np.savez(tmp_path / f"{number}.npz", x=given, y=np.array(["b", "a", "b"]))
        np.testing.assert_array_equal(read_inputs(tmp_path / f"{number}.npz", arrays()).x, x[:, None])
        assert read_examples(tmp_path / f"{number}.npz", arrays()).y.tolist() == [1, 0, 1]
    _, found = plain(arrays()).inputs([str(tmp_path / "0.npz")])
    np.testing.assert_array_equal(found.numpy(), x[:, None])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"x": np.zeros((3, 5, 5), np.uint8)},
            r"x has shape \(3, 5, 5\), and the model takes images 1x4x4, \(N, 1, 4, 4\)",
        ),
        ({"x": np.zeros((3, 2), np.uint8)}, r"x has shape \(3, 2\)"),
        ({"x": np.zeros((0, 4, 4), np.uint8)}, r"x has shape \(0, 4, 4\), so no input; name a file with one"),
        (
            {"x": np.full((3, 4, 4), 0.5)},
            "x has numbers up to 0.5, and the model takes pixels of 0 to 255; multiply it by 255",
        ),
        ({"x": np.full((3, 4, 4), np.nan)}, "x has NaN or infinite values, first at index 0"),
        ({"z": np.zeros(3)}, "has no x; it has z; save the inputs under the key x"),
        (
            {"x": np.ones((3, 4, 4), np.uint8), "y": np.array(["a", "c", "d"])},
            "does not know the classes c, d; it knows a, b",
        ),
        ({"x": np.ones((3, 4, 4), np.uint8), "y": np.array(["a", "b"])}, "has 2 targets for 3 inputs"),
        ({"x": np.ones((3, 4, 4), np.uint8)}, "has no y; save the targets under the key y"),
    ],
)
def test_arrays_that_do_not_fit_are_one_line(given: dict[str, Any], text: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **given)
    with pytest.raises(UsageError, match=text) as caught:
        read_examples(tmp_path / "a.npz", arrays())
    assert "\n" not in str(caught.value) and "dataset." not in str(caught.value)


def test_tables_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    signature = signature_of(table(tmp_path / "t.csv").prepare(0))
    path = tmp_path / "other.csv"
    for text, message in (
        ("age,pet,weight,kind\n3,cat,2,a\n", "has no column 'ok', which the model was trained with"),
        ("age,pet,weight,ok,kind\nold,cat,2,no,a\n", "column 'age' has 'old' in line 2"),
        ("age,pet,weight,ok,kind\n3,cat,2,no,c\n", "the model does not know the class c; it knows a, b"),
        ("age,pet,weight,ok\n3,cat,2,no\n", "has no column 'kind', which holds the targets; name it with --target"),
        ("", "is empty; repair or replace the file"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError) as caught:
            read_examples(path, signature)
        assert message in str(caught.value) and "dataset." not in str(caught.value)
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 6)))
    with pytest.raises(UsageError, match="is an .npz file, but the model reads the columns of a table"):
        read_inputs(tmp_path / "a.npz", signature)


def test_pictures_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    signature = signature_of(pictures(tmp_path / "p").prepare(0))
    (tmp_path / "p" / "cat" / "0.png").write_bytes(b"no image")
    with pytest.raises(UsageError, match="0.png cannot be read as an image"):
        read_inputs(tmp_path / "p", signature)
    (tmp_path / "p" / "cat" / "0.png").unlink()
    (tmp_path / "p" / "cat").rename(tmp_path / "p" / "cow")
    with pytest.raises(UsageError, match="the model does not know the class cow; it knows cat, dog"):
        read_examples(tmp_path / "p", signature)
    Image.new("RGB", (5, 4)).save(tmp_path / "x.png")
    with pytest.raises(UsageError, match="x.png has 5x4 pixels, and the model takes 4x4"):
        read_inputs(tmp_path / "x.png", arrays())
    with pytest.raises(UsageError, match="holds images, but the model takes vectors 4; name an .npz file with x"):
        read_inputs(tmp_path / "x.png", arrays((4,)))
