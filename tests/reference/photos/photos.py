"""Makes photographs in the form of phones with Pillow: progressive JPEGs of 24 and 50 million pixels with an Exif orientation
and a colour profile, and a screenshot as a PNG of 16 bits. `python photos.py FOLDER` writes them; `tests/inspect.rs` reads them.
"""
import sys
from pathlib import Path
from PIL import Image, ImageCms, ImageDraw

def seven(width, height, ink, paper):
    """A 7 in the middle of the picture."""
    picture = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(picture)
    unit = min(width, height) // 24
    left, top = width // 2 - 5 * unit, height // 2 - 7 * unit
    draw.rectangle([left, top, left + 10 * unit, top + 2 * unit], fill=ink)
    draw.line([left + 9 * unit, top + unit, left + 4 * unit, top + 14 * unit], fill=ink, width=2 * unit)
    return picture

def main(folder):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, width, height in [("photo-24", 4000, 6000), ("photo-50", 6144, 8160)]:
        # The picture is stored rotated; orientation 6 turns it clockwise.
        lying = seven(width, height, (40, 42, 60), (226, 222, 212)).transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        exif[0x010F] = "Pillow"
        lying.save(folder / f"{name}.jpg", quality=80, progressive=True, exif=exif, icc_profile=profile)
    grey = seven(1280, 800, (0, 0, 0), (255, 255, 255)).convert("L")
    grey.point(lambda value: value * 257, "I").convert("I;16").save(folder / "screenshot-16.png")

if __name__ == "__main__":
    main(Path(sys.argv[1]))
