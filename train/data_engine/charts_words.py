"""What charts are about: categories from many fields, measures with their units and usual sizes, names of series."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Measure:
    """Something that is counted or measured."""

    name: str  # "Revenue"
    unit: str  # "$", "%", "kg"; empty for counts
    least: float  # the usual sizes of the largest value in a chart
    most: float
    whole: bool = False  # whether parts of one make no sense


@dataclass(frozen=True)
class Pool:
    """Categories of one sort."""

    noun: str  # "country", as an axis is titled
    items: tuple[str, ...]
    measures: tuple[str, ...]
    in_order: bool = False  # whether the items follow each other as time does
    shares: bool = True  # whether the items may be parts of a whole


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("Sales", "$", 80, 9e6), Measure("Revenue", "$", 2e3, 9e7), Measure("Profit", "$", 500, 9e6),
        Measure("Costs", "€", 200, 5e6), Measure("Budget", "$", 1e3, 9e6), Measure("Price", "$", 2, 900),
        Measure("Income", "£", 900, 9e4), Measure("Donations", "€", 50, 2e4), Measure("Visitors", "", 20, 9e5, True),
        Measure("Orders", "", 10, 9e3, True), Measure("Customers", "", 20, 5e4, True),
        Measure("Students", "", 15, 4e3, True), Measure("Votes", "", 12, 9e5, True), Measure("Score", "", 8, 100),
        Measure("Points", "", 10, 120, True), Measure("Rating", "", 4, 10), Measure("Share", "%", 20, 60),
        Measure("Accuracy", "%", 60, 99), Measure("Growth", "%", 3, 40), Measure("Attendance", "%", 70, 100),
        Measure("Unemployment", "%", 5, 18), Measure("Temperature", "°C", 12, 40), Measure("Rainfall", "mm", 40, 320),
        Measure("Wind speed", "km/h", 15, 110), Measure("Population", "", 4e4, 9e7, True),
        Measure("Area", "km²", 50, 9e5),
        Measure("Energy", "kWh", 80, 9e4), Measure("Emissions", "t", 20, 9e5), Measure("Weight", "kg", 4, 900),
        Measure("Height", "cm", 20, 220), Measure("Distance", "km", 5, 900), Measure("Time", "min", 6, 180),
        Measure("Hours", "h", 5, 60), Measure("Speed", "km/h", 20, 320), Measure("Calories", "kcal", 150, 3e3, True),
        Measure("Production", "t", 30, 9e6), Measure("Exports", "$", 1e5, 9e8),
        Measure("Downloads", "", 100, 9e6, True),
        Measure("Users", "", 50, 9e7, True), Measure("Tickets sold", "", 40, 9e4, True),
        Measure("Goals", "", 6, 90, True), Measure("Medals", "", 5, 110, True), Measure("Books read", "", 5, 40, True),
        Measure("Latency", "ms", 5, 900), Measure("Memory", "GB", 2, 512), Measure("Life span", "years", 12, 120),
        Measure("Yield", "t/ha", 3, 60), Measure("Stock", "units", 20, 9e3, True), Measure("Births", "", 20, 9e5, True),
        Measure("Water use", "l", 40, 9e3), Measure("Views", "", 100, 9e7, True), Measure("Length", "m", 3, 900),
        Measure("Pressure", "hPa", 200, 1050), Measure("Error rate", "%", 2, 30), Measure("Age", "years", 20, 95),
    )
}  # fmt: skip
BUSINESS = ("Sales", "Revenue", "Profit", "Costs", "Orders", "Customers", "Budget", "Growth")
OVER_TIME = (*BUSINESS, "Visitors", "Downloads", "Energy", "Users", "Price", "Unemployment", "Water use", "Births")
WEATHER = ("Temperature", "Rainfall", "Wind speed")
POOLS = (
    Pool("month", ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
         (*OVER_TIME, *WEATHER), True, False),
    Pool("month", ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                   "November", "December"), (*OVER_TIME, *WEATHER), True, False),
    Pool("weekday", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ("Visitors", "Orders", "Sales", "Hours",
         "Calories", *WEATHER), True, False),
    Pool("day", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), ("Visitors", "Orders",
         "Tickets sold", "Sales", "Time"), True, False),
    Pool("year", tuple(str(year) for year in range(1988, 2027)), (*OVER_TIME, "Population", "Emissions", "Exports"),
         True, False),
    Pool("quarter", tuple(f"Q{q} {year}" for year in (2022, 2023, 2024, 2025) for q in (1, 2, 3, 4)), BUSINESS, True,
         False),
    Pool("quarter", ("Q1", "Q2", "Q3", "Q4"), BUSINESS, True, False),
    Pool("week", tuple(f"W{i}" for i in range(1, 31)), ("Downloads", "Orders", "Views", "Stock", "Weight"), True,
         False),
    Pool("hour", tuple(f"{hour}:00" for hour in range(6, 23)), ("Temperature", "Visitors", "Energy", "Users"), True,
         False),
    Pool("day", tuple(f"{month} {day}" for month in ("Mar", "Jun", "Sep") for day in range(1, 29, 3)),
         ("Stock", "Views", "Price", "Temperature", "Distance"), True, False),
    Pool("country", ("Germany", "France", "Italy", "Spain", "Poland", "Norway", "Sweden", "Japan", "China", "India",
         "Brazil", "Canada", "Mexico", "Kenya", "Egypt", "Chile", "Peru", "Austria", "Ireland", "Portugal", "Vietnam",
         "Turkey", "Greece", "Finland", "South Korea", "New Zealand", "USA", "UK"),
         ("Population", "Exports", "Area", "Emissions", "Medals", "Production", "Unemployment", "Energy", "Visitors")),
    Pool("city", ("Berlin", "Paris", "Rome", "Madrid", "London", "Oslo", "Tokyo", "Lima", "Cairo", "Delhi", "Toronto",
         "Boston", "Seattle", "Dublin", "Vienna", "Prague", "Lisbon", "Nairobi", "Sydney", "New York", "Hong Kong"),
         ("Population", "Visitors", "Rainfall", "Temperature", "Price", "Income", "Wind speed")),
    Pool("fruit", ("Apples", "Bananas", "Cherries", "Grapes", "Kiwis", "Lemons", "Mangoes", "Pears", "Plums",
         "Strawberries", "Melons", "Figs"), ("Sales", "Production", "Price", "Weight", "Votes", "Stock")),
    Pool("product", ("Laptop", "Tablet", "Phone", "Camera", "Printer", "Monitor", "Router", "Headset", "Speaker",
         "Keyboard", "Mouse", "Smart watch"), ("Sales", "Price", "Rating", "Orders", "Revenue", "Stock")),
    Pool("name", ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Hugo", "Ivan", "Julia", "Kim", "Liam",
         "Maria", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tina", "Victor", "Yusuf", "Zoe"),
         ("Score", "Points", "Books read", "Goals", "Height", "Age", "Distance", "Hours", "Votes")),
    Pool("department", ("Sales", "Marketing", "Finance", "Support", "Research", "Design", "Legal", "Logistics",
         "Human resources", "Engineering", "IT", "Purchasing"), ("Budget", "Costs", "Hours", "Attendance")),
    Pool("subject", ("Math", "Physics", "Chemistry", "Biology", "History", "Art", "Music", "English", "French",
         "Sports", "Geography"), ("Students", "Score", "Attendance", "Hours", "Votes")),
    Pool("sport", ("Football", "Tennis", "Swimming", "Running", "Cycling", "Rowing", "Boxing", "Skiing", "Hockey",
         "Golf", "Volleyball", "Judo"), ("Calories", "Votes", "Medals", "Students", "Tickets sold", "Hours")),
    Pool("animal", ("Lion", "Horse", "Dog", "Cat", "Elephant", "Rabbit", "Wolf", "Bear", "Tiger", "Fox", "Giraffe",
         "Dolphin", "Eagle"), ("Speed", "Weight", "Life span", "Votes", "Length")),
    Pool("energy source", ("Coal", "Gas", "Oil", "Nuclear", "Wind", "Solar", "Hydro", "Biomass", "Geothermal"),
         ("Share", "Energy", "Costs", "Emissions", "Growth")),
    Pool("means of transport", ("Car", "Bus", "Train", "Bicycle", "Tram", "Walking", "Ferry", "Plane", "Subway"),
         ("Share", "Time", "Distance", "Emissions", "Speed", "Votes")),
    Pool("age group", ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+"),
         ("Users", "Income", "Population", "Share", "Visitors"), True),
    Pool("genre", ("Rock", "Pop", "Jazz", "Classical", "Folk", "Metal", "Blues", "Country", "Soul", "Techno"),
         ("Votes", "Downloads", "Share", "Hours")),
    Pool("region", ("North", "South", "East", "West", "Central", "North West", "South East", "Coast", "Islands"),
         (*BUSINESS, "Population", "Rainfall", "Yield")),
    Pool("language", ("Python", "Java", "C++", "Rust", "Go", "Ruby", "Swift", "Kotlin", "PHP", "Julia", "Scala"),
         ("Users", "Share", "Memory", "Latency", "Rating")),
    Pool("method", ("Baseline", "Method A", "Method B", "Method C", "Ours", "Oracle", "Random", "Linear", "Ensemble"),
         ("Accuracy", "Error rate", "Latency", "Memory", "Score")),
    Pool("group", ("Group A", "Group B", "Group C", "Group D", "Group E", "Group F", "Group G", "Control"),
         ("Score", "Weight", "Height", "Time", "Age", "Growth")),
    Pool("sample", ("A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M"),
         ("Weight", "Length", "Pressure", "Score", "Temperature", "Time")),
    Pool("dish", ("Pizza", "Pasta", "Soup", "Salad", "Burger", "Sushi", "Curry", "Tacos", "Steak", "Pancakes", "Rice"),
         ("Calories", "Orders", "Price", "Votes", "Rating", "Sales")),
    Pool("channel", ("Search", "Email", "Social media", "Direct", "Ads", "Referral", "Video", "Print", "Radio"),
         ("Visitors", "Costs", "Revenue", "Customers", "Share")),
    Pool("crop", ("Wheat", "Maize", "Barley", "Oats", "Rye", "Soy", "Potatoes", "Beets", "Cotton", "Rice"),
         ("Yield", "Production", "Price", "Area", "Exports")),
    Pool("expense", ("Rent", "Food", "Transport", "Clothes", "Leisure", "Savings", "Insurance", "Phone", "Travel",
         "Health", "Gifts"), ("Costs", "Share", "Budget")),
)  # fmt: skip
SERIES = (
    ("2019", "2020", "2021", "2022", "2023", "2024"), ("Men", "Women"), ("Plan", "Actual"), ("Online", "Stores"),
    ("North", "South", "East", "West"), ("Product A", "Product B", "Product C", "Product D"), ("Before", "After"),
    ("Adults", "Children", "Seniors"), ("Team 1", "Team 2", "Team 3", "Team 4"), ("Model X", "Model Y", "Model Z"),
    ("Imports", "Exports"), ("Public", "Private"), ("Basic", "Plus", "Premium"),
    ("Morning", "Noon", "Evening", "Night"),
    ("Gold", "Silver", "Bronze"), ("Urban", "Rural"), ("Low", "Medium", "High"), ("Alpha", "Beta", "Gamma", "Delta"),
    ("Domestic", "Foreign"), ("Series 1", "Series 2", "Series 3"), ("New", "Used", "Refurbished"),
    ("Lyon", "Turin", "Porto", "Ghent", "Graz"), ("Group 1", "Group 2"), ("First half", "Second half"),
)  # fmt: skip
ORDERED_POOLS = tuple(pool for pool in POOLS if pool.in_order)
SHARE_POOLS = tuple(pool for pool in POOLS if pool.shares)
PLACES = ("in Europe", "worldwide", "at our school", "in the club", "of the company", "per year", "in the survey",
          "last season", "at the market", "of the city", "(test run)", "this year")  # fmt: skip


def pick_items(pool: Pool, count: int, rng: Random) -> list[str]:
    """Neighbours in their order where they follow each other, else any."""
    if pool.in_order:
        start = rng.randrange(len(pool.items) - count + 1)
        return list(pool.items[start : start + count])
    return rng.sample(pool.items, count)


def make_title(measure: str, noun: str, rng: Random) -> str:
    """A title for `measure` over categories called `noun`, in several ways of writing."""
    place, year = rng.choice(PLACES), rng.randint(2001, 2026)
    if noun in ("year", "quarter"):
        return rng.choice((f"{measure} {place}", f"{measure} per {noun}", f"{measure} by {noun} {place}", measure))
    title = rng.choice(
        (f"{measure} by {noun}", f"{measure} by {noun} {place}", f"{measure} {place}", f"{measure} in {year}",
         f"{measure} per {noun}", f"{measure} by {noun} in {year}", f"{measure} and {noun}", f"{measure} report {year}",
         f"Comparison of {measure.lower()} by {noun}", f"{noun} overview: {measure.lower()}", f"{measure}, {year}",
         f"How {measure.lower()} differs by {noun}", measure)
    )  # fmt: skip
    way = rng.random()
    title = title[0].upper() + title[1:]
    return title.upper() if way < 0.06 else title.title() if way < 0.25 else title
