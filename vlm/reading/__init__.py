"""Reading a picture: what it shows, as typed data (`vlm read`).

    from vlm import read
    reading = read(image)
    reading.family, reading.structure

Words come from OCR (`vlm/ocr.py`), everything else from the scene encoder (`vlm/scene_encoder.py`) and its heads;
ordinary code puts the two together, one module for each family.
"""

from .reader import Reader, load_reader, read

__all__ = ["Reader", "load_reader", "read"]
