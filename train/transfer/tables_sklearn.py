"""Real tables out of the data that scikit-learn has in its package."""

from typing import Any

from .tables import Points, Table
from .tables_vega import scattered, tabulate

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def frames() -> dict[str, Any]:
    """The data sets as data frames, with their classes by name."""
    from sklearn import datasets

    found = {}
    for name in ("iris", "wine", "breast_cancer"):
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        names = [str(one).replace("_", " ").capitalize() for one in bunch.target_names]
        found[name] = bunch.frame.assign(kind=[names[target] for target in bunch.target])
    found["diabetes"] = datasets.load_diabetes(as_frame=True, scaled=False).frame
    found["linnerud"] = datasets.load_linnerud(as_frame=True).frame
    found["digits"] = datasets.load_digits(as_frame=True).frame
    return found


def tables() -> list[Table]:
    data = frames()
    return [*_flowers(data["iris"]), *_wines(data["wine"]), *_health(data), *_digits(data["digits"])]


def _flowers(iris: Any) -> list[Table]:
    measures = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    means = iris.groupby("kind")[measures].mean()
    means.columns = ["Sepal length", "Sepal width", "Petal length", "Petal width"]
    largest = iris.groupby("kind")[measures].max().set_axis(means.columns, axis=1)
    source = "scikit-learn iris"
    return [
        tabulate(means, source, "Measures of iris flowers", "Species", "Centimetres", 2),
        tabulate(means.T, source, "Mean sizes of iris", "Part", "Length (cm)", 2),
        tabulate(largest.T, source, "Largest iris measured", "Measure", "cm", 1),
    ]


def _wines(wine: Any) -> list[Table]:
    source = "scikit-learn wine"
    names = {"malic_acid": "Malic acid", "ash": "Ash", "total_phenols": "Phenols", "flavanoids": "Flavanoids",
             "proanthocyanins": "Proanthocyanins", "color_intensity": "Color intensity"}  # fmt: skip
    means = wine.groupby("kind")[list(names)].mean().rename(columns=names)
    return [
        tabulate(means.T, source, "Contents of three wines", "Constituent", "Mean", 2),
        tabulate(means, source, "Three cultivars of wine", "Cultivar", "Amount", 2),
        tabulate(wine.groupby("kind").alcohol.mean(), source, "Alcohol by cultivar", "Cultivar", "Per cent", 1),
        tabulate(wine.groupby("kind").magnesium.mean(), source, "Magnesium in wine", "Cultivar", "mg", 0),
        tabulate(wine.groupby("kind").proline.mean(), source, "Proline in wine", "Cultivar", "mg/l", 0),
        tabulate(wine.groupby("kind").hue.count(), source, "Samples of wine", "Cultivar", "Samples", 0, additive=True),
    ]


def _health(data: dict[str, Any]) -> list[Table]:
    diabetes, cancer, gym = data["diabetes"], data["breast_cancer"], data["linnerud"].head(12)
    decades = (diabetes.age // 10 * 10).astype(int).astype(str) + "s"
    sexes = diabetes.sex.map({1: "Group 1", 2: "Group 2"})
    people = gym.set_axis([f"P{number}" for number in range(1, len(gym) + 1)])
    columns = ["mean radius", "mean texture", "radius error", "texture error", "worst radius", "worst texture"]
    cells = cancer.groupby("kind")[columns].mean().rename(columns=str.capitalize)
    by_age, source = diabetes.groupby([decades, sexes]), "scikit-learn diabetes"
    decimals = {"Chins": 0, "Situps": 0, "Jumps": 0}
    return [
        tabulate(by_age.bmi.mean().unstack(), source, "Body mass index by age", "Age", "BMI", ordered=True),
        tabulate(by_age.bp.mean().unstack(), source, "Blood pressure by age", "Age", "mm Hg", ordered=True),
        tabulate(by_age.target.mean().unstack(), source, "Progression of diabetes", "Age", "Score", 0, ordered=True),
        tabulate(by_age.age.count().unstack(), source, "Patients by age", "Age", "Patients", 0,
                 ordered=True, additive=True),
        tabulate(cells.T, "scikit-learn breast_cancer", "Cell nuclei", "Measure", "Mean", 1),
        tabulate(cancer.groupby("kind").target.count(), "scikit-learn breast_cancer", "Diagnoses", "Diagnosis",
                 "Patients", 0, additive=True),
        *(tabulate(people[name], "scikit-learn linnerud", f"{name} of club members", "Person", name, count,
                   additive=True) for name, count in decimals.items()),
        tabulate(people[["Waist", "Pulse"]], "scikit-learn linnerud", "Waist and pulse", "Person", "Measured", 0),
    ]  # fmt: skip


def _digits(digits: Any) -> list[Table]:
    pixels = [column for column in digits.columns if column.startswith("pixel")]
    ink = digits[pixels].sum(axis=1).groupby(digits.target).mean().set_axis(DIGITS)
    halves = {"Upper half": pixels[:32], "Lower half": pixels[32:]}
    both = ink.to_frame("all")
    for name, part in halves.items():
        both[name] = digits[part].sum(axis=1).groupby(digits.target).mean().set_axis(DIGITS)
    counts = digits.target.value_counts().sort_index().set_axis(DIGITS)
    return [
        tabulate(both[list(halves)], "scikit-learn digits", "Ink of written digits", "Digit", "Mean ink", 0,
                 additive=True),
        tabulate(counts, "scikit-learn digits", "Samples of every digit", "Digit", "Samples", 0, additive=True),
    ]  # fmt: skip


def points() -> list[Points]:
    data = frames()
    iris, wine, gym, cancer = data["iris"], data["wine"], data["linnerud"], data["breast_cancer"]
    return [
        Points("scikit-learn iris", "Petals of iris", "Petal length (cm)", "Petal width (cm)",
               *scattered(iris, "petal length (cm)", "petal width (cm)", "kind")),
        Points("scikit-learn iris", "Sepals and petals", "Sepal length", "Petal length",
               *scattered(iris, "sepal length (cm)", "petal length (cm)", "kind")),
        Points("scikit-learn wine", "Alcohol and color of wine", "Alcohol (%)", "Color intensity",
               *scattered(wine, "alcohol", "color_intensity", "kind")),
        Points("scikit-learn wine", "Flavanoids and hue", "Flavanoids", "Hue",
               *scattered(wine, "flavanoids", "hue", "kind")),
        Points("scikit-learn linnerud", "Waist and sit-ups", "Waist", "Sit-ups",
               *scattered(gym, "Waist", "Situps", None)),
        Points("scikit-learn breast_cancer", "Cell nuclei", "Mean radius", "Mean texture",
               *scattered(cancer, "mean radius", "mean texture", "kind")),
        Points("scikit-learn diabetes", "Body mass and blood pressure", "BMI", "Blood pressure",
               *scattered(data["diabetes"], "bmi", "bp", None)),
    ]  # fmt: skip
