import torch

from vlm.word_features import FLAGS, MARKS, NGRAMS, marks, pieces, word_features


def test_digits_are_alike_and_letters_are_not():
    assert pieces("2019") == pieces("1984") and pieces("2019") != pieces("201") and pieces("cat") != pieces("act")
    assert pieces("Rome") == pieces("ROME")


def test_pieces_are_rows_of_the_table_and_never_the_empty_one():
    rows = [row for text in ("", "a", "Zürich", "12,5 %", "x" * 500) for row in pieces(text)]
    assert min(rows) >= 1 and max(rows) < NGRAMS


def test_only_the_beginning_of_a_long_text_is_looked_at():
    assert pieces("x" * 24 + "abc") == pieces("x" * 24 + "def")


def test_every_mark_tells_some_texts_from_others():
    yes = ["1,200", "a1", "to", "5%", "€5", "why?", "x", "a b", "a:", "3k", "Rome", "USA"]
    no = ["two", "two", "2", "5", "5", "why", "xy", "ab", "a", "3", "rome", "Usa"]
    for i, (one, other) in enumerate(zip(yes, no, strict=True)):
        assert marks(one)[i] == 1 and marks(other)[i] == 0, MARKS[i]


def test_features_of_a_text_do_not_depend_on_the_others():
    alone, together = word_features(["Rome"]), word_features(["a much longer text", "Rome", ""])
    length = alone[0].shape[1]
    assert torch.equal(together[0][1, :length], alone[0][0]) and not together[0][1, length:].any()
    assert torch.equal(together[1][1], alone[1][0])


def test_no_words_have_no_rows():
    ngrams, flags = word_features([])
    assert ngrams.shape[0] == 0 and flags.shape == (0, FLAGS) and ngrams.dtype == torch.int64
