"""Images of every kind look in the arrays as they look in a viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data.pictures import black_and_white, in_bytes, read_picture

SHAPE = (4, 6)
RAMP = np.linspace(0, 255, 24).reshape(SHAPE).astype(np.uint8)
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP // 2], axis=2)
GREY = np.repeat(RAMP[:, :, None], 3, axis=2)


def shown(*paths: Path, size: int | None = None) -> list[np.ndarray]:
    """The files as the images of one data set."""
    pictures = [read_picture(path, size) for path in paths]
    return [in_bytes(picture, black_and_white(pictures)) for picture in pictures]


def saved(folder: Path, image: Image.Image, name: str, **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("l.png", Image.fromarray(RAMP), GREY),
        ("rgb.png", Image.fromarray(COLOUR), COLOUR),
        ("1.png", Image.fromarray(RAMP).point(lambda v: 255 * (v > 99), "1"), np.where(GREY > 99, 255, 0)),
        ("16.png", Image.fromarray(RAMP.astype(np.uint16) * 257), GREY),
        ("16.tif", Image.fromarray(RAMP.astype(np.uint16) * 257), GREY),
        ("16.pgm", Image.fromarray(RAMP.astype(np.uint16) * 257), GREY),
        ("big.tif", Image.frombytes("I;16B", SHAPE[::-1], (RAMP.astype(">u2") * 257).tobytes()), GREY),
        ("32.tif", Image.fromarray(RAMP.astype(np.int32)), GREY),
        ("float.tif", Image.fromarray(RAMP.astype(np.float32) / 255), GREY),
        ("far.tif", Image.fromarray(RAMP.astype(np.float32) * 100 - 9000), GREY),
        ("cmyk.tif", Image.fromarray(COLOUR).convert("CMYK"), COLOUR),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_levels_keep_their_place_between_black_and_white(tmp_path, name, image, expected):
    assert np.array_equal(shown(saved(tmp_path, image, name))[0], expected)


def test_negatives_are_turned(tmp_path):
    """A TIFF may say that it stores white as 0."""
    levels = Image.fromarray((255 - RAMP).astype(np.uint16) * 257)
    assert np.array_equal(shown(saved(tmp_path, levels, "image.tif", tiffinfo={262: 0}))[0], GREY)


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_colour_models_come_close(tmp_path, mode):
    image = Image.new("RGB", (2, 2), (180, 60, 40)).convert("YCbCr")
    if mode == "LAB":
        image = Image.new("LAB", (2, 2), (43 * 255 // 100, 128 + 48, 128 + 38))  # L* 43, a* 48, b* 38
    found = shown(saved(tmp_path, image, "image.tif"))[0][0, 0].astype(int)
    assert np.abs(found - (180, 60, 40)).max() < 12


def transparent(mode: str) -> Image.Image:
    """A black image of which the right half is transparent."""
    alpha = Image.fromarray(np.repeat(np.array([[255] * 3 + [0] * 3], np.uint8), 4, axis=0))
    if mode in ("LA", "RGBA"):
        image = Image.new(mode, SHAPE[::-1])
        image.putalpha(alpha)
        return image
    levels = np.where(np.asarray(alpha) > 0, 0, 7)
    if mode == "P":
        image = Image.fromarray(levels.astype(np.uint8)).convert("P")
    else:
        image = Image.fromarray(levels.astype(np.uint16 if mode == "I;16" else np.uint8)).convert(mode)
    image.info["transparency"] = (7, 7, 7) if mode == "RGB" else 7
    return image


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L", "RGB", "I;16"])
def test_what_is_transparent_is_white(tmp_path, mode):
    image = shown(saved(tmp_path, transparent(mode), "image.png"))[0]
    assert (image[:, :3] == 0).all() and (image[:, 3:] == 255).all()


def test_half_of_the_light_comes_from_the_page(tmp_path):
    found = shown(saved(tmp_path, Image.new("RGBA", (2, 2), (100, 0, 255, 128)), "image.png"))[0]
    assert np.abs(found[0, 0].astype(int) - (177, 127, 255)).max() <= 1


def test_photographs_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter to the left of what it shows
    path = saved(tmp_path, Image.fromarray(COLOUR), "image.png", exif=exif)
    assert np.array_equal(shown(path)[0], np.rot90(COLOUR, -1))


def test_the_first_frame_counts(tmp_path):
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("black", "white")]
    path = saved(tmp_path, frames[0], "image.gif", save_all=True, append_images=frames[1:])
    assert (shown(path)[0] == 0).all()


@pytest.mark.parametrize("scale", [0.5 / 255, 40.0, -3.0])
def test_brightness_is_compared_over_all_float_images(tmp_path, scale):
    """A dark and a bright image without contrast of their own stay dark and bright."""
    levels = [np.full(SHAPE, level * scale, np.float32) for level in (10, 20, 200)]
    paths = [saved(tmp_path, Image.fromarray(x), f"{n}.tif") for n, x in enumerate(levels)]
    means = [image.mean() for image in shown(*paths)]
    assert (np.diff(means) > 0).all() if scale > 0 else (np.diff(means) < 0).all()
    assert [image.mean() for image in shown(*paths, size=3)] == means


def test_whole_numbers_beyond_16_bits_are_spread(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.array([[0, 100_000], [300_000, 200_000]], np.int32)), "image.tif")
    assert shown(path)[0][:, :, 0].tolist() == [[0, 85], [255, 170]]


def test_what_is_no_image_is_refused_with_its_name(tmp_path, monkeypatch):
    saved(tmp_path, Image.fromarray(COLOUR), "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no image")
    saved(tmp_path, Image.fromarray(np.full(SHAPE, np.nan, np.float32)), "nan.tif")
    for name, text in (("cut", "cannot be read as an image"), ("text", "cannot be read"), ("nan", "NaN or infinite")):
        [path] = tmp_path.glob(f"{name}.*")
        with pytest.raises(UsageError, match=rf"{path.name} .*{text}|{path.name} {text}.*repair or remove") as error:
            read_picture(path, None)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("limit", [15, 5], ids=["warned of by Pillow", "refused by Pillow"])
def test_more_pixels_than_are_harmless_are_refused(tmp_path, monkeypatch, limit):
    path = saved(tmp_path, Image.fromarray(COLOUR), "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(UsageError, match="bomb.png cannot be read as an image .*decompression bomb"):
        read_picture(path, None)
