"""easy-VQA (https://github.com/vzhou842/easy-VQA, MIT licence) as files: a data set to try fine-tuning with.

4,000 pictures of one coloured shape with 38,575 questions to train on, 1,000 with 9,673 to test on, out of the PyPI
package `easy-vqa`. `mini` was never trained on any of it.
"""

import json
import os
import shutil
from pathlib import Path

from .readers import DataError


def write(out: Path) -> int:
    """Writes `train.jsonl` and `test.jsonl` in the messages format, and their pictures; returns how many rows.

    A file appears when everything in it is there. Raises DataError where the package is missing.
    """
    try:
        import easy_vqa
    except ImportError:
        raise DataError("easy-VQA is not installed: run pip install easy-vqa==1.0") from None
    splits = {
        "train": (easy_vqa.get_train_questions(), easy_vqa.get_train_image_paths()),
        "test": (easy_vqa.get_test_questions(), easy_vqa.get_test_image_paths()),
    }
    written = 0
    for split, (questions, pictures) in splits.items():
        (out / split).mkdir(parents=True, exist_ok=True)
        for number, path in pictures.items():
            shutil.copyfile(path, out / split / f"{number}.png")
        unfinished = out / f"{split}.part"
        with unfinished.open("w", encoding="utf-8") as file:
            for question, answer, number in zip(*questions, strict=True):
                content = [{"type": "image", "path": f"{split}/{number}.png"}, {"type": "text", "text": question}]
                messages = [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]
                file.write(json.dumps({"messages": messages}) + "\n")
                written += 1
        os.replace(unfinished, out / f"{split}.jsonl")
    return written
