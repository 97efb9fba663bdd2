"""Real tables out of the data that vega-datasets has in its package."""

import warnings
from collections.abc import Sequence
from typing import Any

from vlm.structure import Point as XY

from .tables import Points, Table

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Frame = Any  # pandas has no types of its own


def tabulate(
    frame: Frame, source: str, title: str, category_title: str, value_title: str, decimals: int = 1, **kind: bool
) -> Table:
    """A table of a frame: its rows are the categories, its columns the series (one column: without a name)."""
    frame = frame.to_frame() if frame.ndim == 1 else frame.dropna()
    names = [str(column) for column in frame.columns] if frame.shape[1] > 1 else [None]
    rows = [tuple(round(float(value), decimals) for value in frame[column]) for column in frame.columns]
    categories = tuple(str(category) for category in frame.index)
    return Table(
        source, title, category_title, value_title, categories, tuple(names), tuple(rows), decimals, **kind
    )  # fmt: skip


def scattered(frame: Frame, x: str, y: str, by: str | None, decimals: int = 2) -> tuple[tuple[Any, ...], Any]:
    """The names of the groups, and their points."""
    groups = list(frame.dropna(subset=[x, y]).groupby(by)) if by else [(None, frame.dropna(subset=[x, y]))]
    points = tuple(tuple(_pairs(group[x], group[y], decimals)) for _, group in groups)
    return tuple(None if name is None else str(name) for name, _ in groups), points


def _pairs(xs: Any, ys: Any, decimals: int) -> Sequence[XY]:
    return [(round(float(x), decimals), round(float(y), decimals)) for x, y in zip(xs, ys, strict=True)]


def tables() -> list[Table]:
    from vega_datasets import local_data as data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, for how vega-datasets calls it
        return [*_cars(data), *_barley(data), *_money(data), *_weather(data), *_work(data), *_history(data)]


def _cars(data: Any) -> list[Table]:
    cars, source = data.cars(), "vega-datasets cars"
    cars["Year"] = cars.Year.dt.year
    cars["Make"] = cars.Name.str.split().str[0].str.title()
    makes = cars[cars.Make.isin(cars.Make.value_counts().index[:14].difference(["Vw", "Chevy"]))]
    found = [
        tabulate(cars.groupby(["Year", "Origin"]).Miles_per_Gallon.mean().unstack(), source,
                 "Mean mileage of cars", "Year", "Miles per gallon", ordered=True),
        tabulate(cars.groupby(["Year", "Origin"]).Horsepower.mean().unstack(), source,
                 "Mean power of cars", "Year", "Horsepower", 0, ordered=True),
        tabulate(cars.groupby(["Year", "Origin"]).Name.count().unstack(), source,
                 "Models by year and origin", "Year", "Models", 0, ordered=True, additive=True),
        tabulate(cars.groupby("Origin").Name.count(), source, "Models by origin", "Origin", "Models", 0, additive=True),
        tabulate(cars.groupby("Cylinders").Name.count(), source,
                 "Models by number of cylinders", "Cylinders", "Models", 0, additive=True),
        tabulate(cars.groupby(["Cylinders"]).Weight_in_lbs.mean(), source,
                 "Weight and cylinders", "Cylinders", "Weight (lbs)", 0, ordered=True),
        tabulate(makes.groupby("Make").Name.count(), source, "Models by make", "Make", "Models", 0, additive=True),
    ]  # fmt: skip
    for column, title, unit, decimals in (("Miles_per_Gallon", "Mileage by make", "Miles per gallon", 1),
                                          ("Horsepower", "Power by make", "Horsepower", 0),
                                          ("Acceleration", "0 to 60 mph by make", "Seconds", 1)):  # fmt: skip
        found.append(tabulate(makes.groupby("Make")[column].mean(), source, title, "Make", unit, decimals))
    return found


def _barley(data: Any) -> list[Table]:
    barley, source = data.barley(), "vega-datasets barley"
    by = barley.groupby
    return [
        tabulate(by(["variety", "site"])["yield"].mean().unstack(), source, "Barley yield", "Variety", "Bushels/acre"),
        tabulate(by(["site", "year"])["yield"].mean().unstack(), source, "Yield by site", "Site", "Bushels per acre"),
        tabulate(by(["variety", "year"])["yield"].mean().unstack(), source, "Yield of barley", "Variety", "Yield"),
        tabulate(by(["site", "year"])["yield"].sum().unstack(), source, "Harvest of all varieties", "Site",
                 "Total yield", 0, additive=True),
    ]  # fmt: skip


def _money(data: Any) -> list[Table]:
    stocks, ohlc = data.stocks(), data.ohlc()
    stocks["year"] = stocks.date.dt.year
    yearly = stocks.groupby(["year", "symbol"]).price.mean().unstack()
    last = stocks.groupby(["symbol", "year"]).price.last().unstack()[[2004, 2006, 2008, 2010]]
    days = ohlc.set_index(ohlc.date.dt.strftime("%d %b"))[["open", "high", "low", "close"]].iloc[::2]
    return [
        tabulate(yearly, "vega-datasets stocks", "Mean stock price", "Year", "Price (USD)", ordered=True),
        tabulate(last, "vega-datasets stocks", "Price at the end of the year", "Company", "US dollars"),
        tabulate(days, "vega-datasets ohlc", "Daily prices", "Date", "Price", 2, ordered=True),
    ]


def _weather(data: Any) -> list[Table]:
    seattle, source = data.seattle_weather(), "vega-datasets seattle-weather"
    seattle["month"], seattle["year"] = seattle.date.dt.month, seattle.date.dt.year
    monthly = seattle.groupby("month")[["temp_max", "temp_min"]].mean().set_axis(MONTHS)
    rain = seattle.groupby(["month", "year"]).precipitation.sum().unstack().set_axis(MONTHS)
    kinds = seattle.groupby(["year", "weather"]).date.count().unstack(fill_value=0)[["fog", "rain", "sun"]]
    wind = seattle.groupby("month").wind.mean().set_axis(MONTHS)
    cities = {}
    for city, frame in (("Seattle", data.seattle_temps()), ("San Francisco", data.sf_temps())):
        frame = frame.assign(date=frame.date.astype("datetime64[ns]"))
        cities[city] = frame.groupby(frame.date.dt.month).temp.mean().set_axis(MONTHS)
    both = cities["Seattle"].to_frame("Seattle").assign(**{"San Francisco": cities["San Francisco"]})
    return [
        tabulate(monthly.set_axis(["Daily high", "Daily low"], axis=1), source, "Temperature in Seattle", "Month",
                 "Degrees Celsius", ordered=True),
        tabulate(rain, source, "Rain in Seattle", "Month", "Millimetres", 0, ordered=True, additive=True),
        tabulate(kinds, source, "Days by weather", "Year", "Days", 0, ordered=True, additive=True),
        tabulate(kinds.T, source, "Weather in Seattle", "Weather", "Days", 0, additive=True),
        tabulate(wind, source, "Wind in Seattle", "Month", "Metres per second", 1, ordered=True),
        tabulate(both, "vega-datasets seattle-temps and sf-temps", "Temperature in 2010", "Month", "Fahrenheit",
                 ordered=True),
    ]  # fmt: skip


def _work(data: Any) -> list[Table]:
    jobs, source = data.us_employment(), "vega-datasets us-employment"
    names = ["construction", "manufacturing", "retail_trade", "information", "financial_activities", "government",
             "leisure_and_hospitality", "education_and_health_services", "wholesale_trade"]  # fmt: skip
    yearly = jobs.groupby(jobs.month.astype(str).str[:4].astype(int))[names].mean() / 1000
    yearly.columns = [name.replace("_and_", " & ").replace("_", " ").capitalize() for name in names]
    airports = data.airports().state.value_counts()[:12]
    power = data.iowa_electricity()
    power["Year"] = power.year.dt.year
    power = power.groupby(["Year", "source"]).net_generation.sum().unstack() / 1000
    return [
        tabulate(yearly, source, "Jobs in the United States", "Year", "Millions", 1, ordered=True, additive=True),
        tabulate(yearly.T[[2006, 2009, 2012, 2015]], source, "Jobs by industry", "Industry", "Millions of jobs", 1,
                 additive=True),
        tabulate(airports, "vega-datasets airports", "Airports by state", "State", "Airports", 0, additive=True),
        tabulate(power, "vega-datasets iowa-electricity", "Electricity in Iowa", "Year", "Thousand MWh", 1,
                 ordered=True, additive=True),
        tabulate(power.T[[2001, 2006, 2011, 2016]], "vega-datasets iowa-electricity", "Sources of electricity",
                 "Source", "Generation", 1, additive=True),
    ]  # fmt: skip


def _history(data: Any) -> list[Table]:
    wheat, driving, crimea = data.wheat(), data.driving(), data.crimea()
    crimea = crimea.set_index(crimea.date.dt.strftime("%b %y"))[["wounds", "other", "disease"]]
    wheat, driving = wheat.set_index("year"), driving.set_index("year")
    return [
        tabulate(wheat.wheat.iloc[::4], "vega-datasets wheat", "Price of wheat", "Year", "Shillings", ordered=True),
        tabulate(wheat.wages.dropna().iloc[::4], "vega-datasets wheat", "Wages of a mechanic", "Year",
                 "Shillings a week", ordered=True),
        tabulate(driving.miles.iloc[::4], "vega-datasets driving", "Miles driven per person", "Year", "Miles", 0,
                 ordered=True),
        tabulate(driving.gas.iloc[::4], "vega-datasets driving", "Price of gasoline", "Year", "USD per gallon", 2,
                 ordered=True),
        tabulate(crimea.set_axis(["Wounds", "Other", "Disease"], axis=1).iloc[::2], "vega-datasets crimea",
                 "Deaths in the Crimean War", "Month", "Deaths", 0, ordered=True, additive=True),
    ]  # fmt: skip


def points() -> list[Points]:
    from vega_datasets import local_data as data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        cars, seattle, driving, anscombe = data.cars(), data.seattle_weather(), data.driving(), data.anscombe()
    found = [
        Points("vega-datasets cars", "Power and mileage", "Horsepower", "Miles per gallon",
               *scattered(cars, "Horsepower", "Miles_per_Gallon", "Origin")),
        Points("vega-datasets cars", "Weight and mileage", "Weight (lbs)", "Miles per gallon",
               *scattered(cars, "Weight_in_lbs", "Miles_per_Gallon", "Origin")),
        Points("vega-datasets cars", "Displacement and acceleration", "Displacement", "Acceleration",
               *scattered(cars, "Displacement", "Acceleration", None)),
        Points("vega-datasets seattle-weather", "Days in Seattle", "Low (C)", "High (C)",
               *scattered(seattle, "temp_min", "temp_max", "weather")),
        Points("vega-datasets driving", "Driving and the price of gas", "Miles", "Gas price (USD)",
               *scattered(driving, "miles", "gas", None)),
    ]  # fmt: skip
    for name, group in anscombe.groupby("Series"):
        found.append(
            Points("vega-datasets anscombe", f"Anscombe's data {name}", "x", "y", *scattered(group, "X", "Y", None))
        )
    return found
