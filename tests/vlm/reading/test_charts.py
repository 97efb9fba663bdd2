import pytest
import torch

from tests.readings import bar_chart, label, pie_chart
from vlm.reading.axis import fit_scale
from vlm.reading.charts import band_of, is_gappy, likeliest, mark_value, nearest_written
from vlm.reading.seen import SeenWord
from vlm.scene_heads import BAND, PLACES, SeriesPlaces
from vlm.structure import Label


def word(text, x, y, confidence=1.0):
    return SeenWord(Label(text=text, box=(x - 10, y - 5, x + 10, y + 5), confidence=confidence), "written", 0)


SCALE = fit_scale([word("0", 10, 200), word("50", 10, 100), word("100", 10, 0)], upright=True)


def test_a_place_between_two_cells_is_read_between_them():
    logits = torch.full((1, 1, BAND, PLACES), -20.0)
    logits[0, 0, 3, 40], logits[0, 0, 3, 41], logits[0, 0, 5, 80] = 5.0, 5.0, 2.0
    places = SeriesPlaces(logits, logits, torch.arange(BAND)[None] * 1.0, (torch.arange(PLACES) + 0.5) * 2)
    place, across, mass = likeliest(logits, places)
    assert place.item() == pytest.approx(82) and across.item() == 3 and 0.9 < mass.item() < 1


def test_a_flat_answer_is_not_sure():
    logits = torch.zeros(1, 1, BAND, PLACES)
    places = SeriesPlaces(logits, logits, torch.zeros(1, BAND), torch.arange(PLACES) * 1.0)
    assert likeliest(logits, places)[2].item() < 0.1


@pytest.mark.parametrize(("form", "value"), [("bar", 75), ("line", 75), ("stacked", 25)])
def test_a_value_is_read_on_the_scale(form, value):
    assert mark_value(form, SCALE, 100, 50, None) == (value, 1)


def test_what_is_written_at_a_mark_settles_its_value_if_it_is_near():
    assert mark_value("bar", SCALE, 200, 50, word("77", 0, 0).label) == (77, 1)
    assert mark_value("bar", SCALE, 200, 50, word("12", 0, 0).label) == (75, 1)
    assert mark_value("bar", SCALE, 200, 50, word("n/a", 0, 0).label) == (75, 1)


def test_without_a_scale_there_is_only_what_is_written():
    assert mark_value("bar", None, 200, 50, word("12", 0, 0, confidence=0.6).label) == (12, 0.6)
    assert mark_value("bar", None, 200, 50, None) == (None, 0)
    assert mark_value("bar", None, 200, 50, word("n/a", 0, 0).label) == (None, 0)


def test_written_values_belong_to_the_nearest_mark_in_their_band():
    written = [word("near", 102, 40), word("far", 100, 90), word("beside", 140, 50)]
    assert nearest_written(written, (100, 50), upright=True, band=40).text == "near"
    assert nearest_written(written, (100, 95), upright=True, band=40).text == "far"
    assert nearest_written(written, (300, 50), upright=True, band=40) is None
    assert nearest_written(written, (115, 52), upright=False, band=40).text == "near"


def test_the_width_of_a_category_is_that_between_neighbours():
    assert band_of(torch.tensor([50.0, 10.0, 92.0]), 300) in (40, 42)
    assert band_of(torch.tensor([10.0]), 300) == 100 and band_of(torch.tensor([10.0, 10.0]), 300) == 4


@pytest.mark.parametrize(("places", "gappy"), [((0, 40, 80, 120), False), ((0, 40, 120, 160), True), ((0,), True)])
def test_labels_are_missing_where_there_is_a_gap_between_others(places, gappy):
    categories = tuple(label(str(x), (x, 90, x + 20, 100)) for x in places)
    assert is_gappy(bar_chart(*places).model_copy(update={"categories": categories})) == gappy


def test_labels_are_missing_where_a_scale_or_a_slice_is():
    assert is_gappy(None) and is_gappy(bar_chart(1, 2, value_axis=None))
    assert is_gappy(pie_chart(50, 30)) and not is_gappy(pie_chart(50, 30, 20))
