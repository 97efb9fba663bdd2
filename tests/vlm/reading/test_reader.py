"""Reading with an untrained network: whatever it makes of a picture, it is a Reading."""

import pytest
import skimage.data
import torch
from PIL import Image

from tests.readings import bar_chart
from vlm.reading import Reader
from vlm.reading.reader import DECODERS, _corrected, inside
from vlm.reading.weights import Vocabulary, load_weights, save_weights
from vlm.scene_encoder import prepare
from vlm.scene_heads import FAMILIES, FORMS, ROLES, SceneReader
from vlm.structure import Label, Reading

KINDS, COLOURS = ("circle", "square", "part"), ("red", "blue")
PICTURES = {
    "photograph": lambda: Image.fromarray(skimage.data.coffee()),
    "blank": lambda: Image.new("RGB", (300, 200), "white"),
    "dot": lambda: Image.new("RGB", (1, 1)),
    "strip": lambda: Image.new("RGB", (12_000, 40), "white"),
    "column": lambda: Image.new("RGB", (40, 12_000), "white"),
    "grey": lambda: Image.new("L", (50, 60)),
    "transparent": lambda: Image.new("RGBA", (50, 60), (0, 0, 0, 0)),
}


@pytest.fixture(scope="module")
def network() -> SceneReader:
    torch.manual_seed(0)
    return SceneReader(len(KINDS), len(COLOURS)).eval()


@pytest.fixture
def reader(network) -> Reader:
    return Reader(network, Vocabulary(KINDS, COLOURS))


@torch.no_grad()
def prefer(monkeypatch, layer, index, size):
    """A layer that answers with one class out of `size`, whatever it sees."""
    monkeypatch.setattr(layer, "forward", lambda x: torch.eye(size)[index] * 20 + x[..., :1] * 0)


@pytest.mark.parametrize("picture", PICTURES)
def test_any_picture_gives_a_reading(reader, picture):
    reading = reader.read(PICTURES[picture](), ())
    assert isinstance(reading, Reading) and reading.words == ()
    assert (reading.structure is None) == (reading.family == "none")


@pytest.mark.parametrize("picture", ["photograph", "dot", "strip"])
@pytest.mark.parametrize("family", [*DECODERS])
def test_any_family_is_read_from_any_picture(reader, monkeypatch, family, picture):
    prefer(monkeypatch, reader.network.family, FAMILIES.index(family), len(FAMILIES))
    assert reader.read(PICTURES[picture](), ()).family in (family, "none")


@pytest.mark.parametrize("form", FORMS)
def test_no_numbers_without_words(reader, monkeypatch, form):
    prefer(monkeypatch, reader.network.family, FAMILIES.index("charts"), len(FAMILIES))
    prefer(monkeypatch, reader.network.form, FORMS.index(form), len(FORMS))
    reading = reader.read(PICTURES["photograph"](), ())
    assert reading.family == "none" and reading.structure is None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("family", [*DECODERS])
def test_words_that_are_all_the_same_do_no_harm(reader, monkeypatch, family, role):
    words = tuple(Label(text=f"{i}", box=(20 * i, 30, 20 * i + 14, 40)) for i in range(3))
    words += (Label(text="12", box=(-3, -2, 400, 300)), Label(text="x", box=(10, 10, 10, 10)))
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: words)
    prefer(monkeypatch, reader.network.family, FAMILIES.index(family), len(FAMILIES))
    prefer(monkeypatch, reader.network.words.role, ROLES.index(role), len(ROLES))
    reading = reader.read(PICTURES["transparent"]())
    assert len(reading.words) == len(words)


@pytest.mark.parametrize("form", FORMS)
def test_a_chart_of_words_alone_says_only_what_is_written(reader, monkeypatch, form):
    """Categories, but no tick: there is no scale to read values on."""
    words = tuple(
        Label(text=name, box=(60 * i, 180, 60 * i + 30, 190)) for i, name in enumerate(("one", "two", "three"))
    )
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: words)
    prefer(monkeypatch, reader.network.family, FAMILIES.index("charts"), len(FAMILIES))
    prefer(monkeypatch, reader.network.form, FORMS.index(form), len(FORMS))
    prefer(monkeypatch, reader.network.words.role, ROLES.index("category"), len(ROLES))
    reading = reader.read(PICTURES["blank"]())
    assert reading.structure is None or form == "pie"
    assert reading.family == "charts"  # that it is one is known all the same


@pytest.mark.parametrize(("more", "kept"), [(4, 4), (1, 2)])
def test_a_chart_with_gaps_is_looked_at_again_and_the_fuller_reading_stays(reader, monkeypatch, more, kept):
    words = [Label(text=f"{i}", box=(20 * i, 30, 20 * i + 14, 40)) for i in range(4)]
    monkeypatch.setattr("vlm.reading.reader.with_blurred", lambda image, found: tuple(words[:more]))
    monkeypatch.setattr("vlm.reading.reader.is_gappy", lambda chart: True)
    monkeypatch.setitem(DECODERS, "charts", lambda seen: bar_chart(*range(len(seen.words))))
    prefer(monkeypatch, reader.network.family, FAMILIES.index("charts"), len(FAMILIES))
    prefer(monkeypatch, reader.network.words.role, ROLES.index("category"), len(ROLES))
    reading = reader.read(PICTURES["blank"](), words[:2])
    assert len(reading.structure.marks) == len(reading.words) == kept


def test_an_unsure_network_reads_nothing(reader, monkeypatch):
    monkeypatch.setattr(reader.network.family, "forward", lambda x: torch.zeros(len(FAMILIES)))
    reading = reader.read(PICTURES["blank"](), ())
    assert reading.family == "none" and reading.structure is None and reading.confidence == pytest.approx(1 / 8)


def test_without_ocr_there_are_no_words(reader, monkeypatch):
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: None)
    assert reader.read(PICTURES["blank"]()).words == ()


def test_what_is_called_none_has_the_chance_of_none(reader, monkeypatch):
    """Not that of what nothing could be read of."""
    chances = torch.full((len(FAMILIES),), 0.01)
    chances[FAMILIES.index("charts")], chances[FAMILIES.index("none")] = 0.8, 0.14
    monkeypatch.setattr(reader.network.family, "forward", lambda x: chances.log())
    reading = reader.read(PICTURES["blank"](), ())
    assert reading.family == "none" and reading.confidence == pytest.approx(0.14)


def test_how_sure_a_family_is_can_be_calibrated(network, monkeypatch):
    words = (Label(text="a word", box=(10, 10, 60, 20)),)
    prefer(monkeypatch, network.family, FAMILIES.index("charts"), len(FAMILIES))
    reader = Reader(network, Vocabulary(KINDS, COLOURS, {"family": (0.5, 0.0)}))
    reading = reader.read(PICTURES["blank"](), words)
    assert reading.family == "charts" and 0.98 < reading.confidence < 0.995  # log-odds of 0.9999, halved


@pytest.mark.parametrize(
    ("family", "named"), [("charts", "charts"), ("tables", "tables"), ("things", "none"), ("shapes", "none")]
)
def test_what_is_read_by_its_words_keeps_its_name_and_a_photograph_does_not_get_one(reader, monkeypatch, family, named):
    """Words may be found anywhere, in a photograph too."""
    words = (Label(text="a word", box=(10, 10, 60, 20)),)
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: words)
    monkeypatch.setitem(DECODERS, family, lambda seen: None)
    prefer(monkeypatch, reader.network.family, FAMILIES.index(family), len(FAMILIES))
    assert reader.read(PICTURES["blank"]()).family == named


def test_words_end_at_the_edges_of_the_picture():
    assert inside(Label(text="a", box=(-3, 5, 200, 80)), (100, 50)).box == (0, 5, 100, 50)


@torch.no_grad()
def test_saved_weights_see_the_same(network, tmp_path):
    vocabulary = Vocabulary(list(KINDS), list(COLOURS), {"bar": [2.0, -1.0]})
    save_weights(network, vocabulary, tmp_path)
    loaded, again = load_weights(tmp_path)
    given = prepare(PICTURES["photograph"]().resize((96, 64)), [Label(text="a", box=(1, 2, 30, 12))])
    assert again == vocabulary
    pairs = zip(network(given), loaded(given), strict=True)  # equal but for where weights lie in memory
    assert all(torch.allclose(one, two, atol=1e-5) for one, two in pairs)
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in network.state_dict().items())


def test_calibration_keeps_order_and_range():
    vocabulary = Vocabulary(KINDS, COLOURS, {"bar": (1.5, -0.4)})
    said = [vocabulary.calibrated("bar", chance) for chance in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert said == sorted(said) and 0 <= said[0] < said[-1] <= 1 and said[2] < 0.5
    assert vocabulary.calibrated("edge", 0.3) == 0.3
    assert Vocabulary(KINDS, COLOURS, {"bar": (1.0, 0.0)}).calibrated("bar", 0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("family", "texts", "looks"),
    [
        ("parts", ["A", "B"], ["letters"]),
        ("charts", ["Sales", "A"], ["ink"]),
        ("graphs", ["A", "7", "City map"], ["letters", "ink"]),
        ("graphs", ["Bridge", "Park", "City map", "7"], ["ink"]),
        ("tables", ["A", "B"], []),
    ],
)
def test_words_are_looked_for_again_where_such_pictures_have_more(monkeypatch, family, texts, looks):
    found = []

    def look(name):
        monkeypatch.setattr(f"vlm.reading.reader.{name}", lambda _, words: found.append(name) or words)

    look("with_letters")
    look("with_inked")
    words = tuple(Label(text=text, box=(0, 20 * i, 40, 20 * i + 10)) for i, text in enumerate(texts))
    assert _corrected(family, Image.new("RGB", (50, 90)), words) == words
    assert found == [{"letters": "with_letters", "ink": "with_inked"}[look] for look in looks]


def test_labels_of_a_chart_that_run_together_are_told_apart(monkeypatch):
    monkeypatch.setattr("vlm.reading.reader.with_inked", lambda _, words: words)
    (word,) = words = (Label(text="Q1 Q2", box=(0, 0, 50, 10)),)
    image = Image.new("RGB", (50, 90))
    assert [one.text for one in _corrected("charts", image, words)] == ["Q1", "Q2"]
    assert _corrected("tables", image, words) == (word,)
