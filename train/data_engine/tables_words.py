"""What tables are about: topics with their rows and columns. The names are real words, the values are made up."""

from dataclasses import dataclass

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
YEARS = tuple(str(year) for year in range(2008, 2027))
QUARTERS = ("Q1", "Q2", "Q3", "Q4")
PEOPLE = ("Anna", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kate", "Liam", "Maya",
          "Noah", "Olga", "Paul", "Rosa", "Samir", "Tina", "Victor", "Wanda", "Yusuf", "Zoe")  # fmt: skip
TOWNS = ("Berlin", "Cairo", "Dublin", "Geneva", "Hanoi", "Lagos", "Lima", "London", "Madrid", "Milan", "Oslo", "Paris",
         "Prague", "Quito", "Riga", "Rome", "Seoul", "Sydney", "Tokyo", "Vienna")  # fmt: skip
CURRENCIES = "$€£"


@dataclass(frozen=True)
class Measure:
    """A column of numbers between two bounds."""

    name: str
    low: float
    high: float
    decimals: int = 0
    unit: str = ""  # "kg"; "$" stands for any currency
    additive: bool = False  # whether a sum over rows makes sense
    signed: bool = False  # written with + or -


@dataclass(frozen=True)
class Choice:
    """A column of words, each out of a few."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """A column of dates or times of day."""

    name: str
    clock: bool = False


Column = Measure | Choice | Moment


@dataclass(frozen=True)
class Topic:
    """Tables of one kind: the name of a row stands in the first column, under the heading `row`."""

    row: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    titles: tuple[str, ...]
    in_order: bool = False  # names keep their order and leave no gaps, as months do


TOPICS = (
    Topic(
        "Product",
        ("Apples", "Bananas", "Bread", "Butter", "Carrots", "Cheese", "Coffee", "Eggs", "Flour", "Honey", "Milk",
         "Olive oil", "Onions", "Pasta", "Rice", "Salt", "Sugar", "Tea", "Tomatoes", "Yogurt"),
        (Measure("Price", 0.5, 20, 2, "$"), Measure("Stock", 0, 400, additive=True),
         Measure("Sales", 5, 950, additive=True), Measure("Rating", 1, 5, 1), Measure("Weight", 100, 2000, unit="g"),
         Moment("Delivery"), Choice("Supplier", ("Nordmann", "Field & Co", "Ortega", "Sunrise", "Huber", "Delta")),
         Measure("Discount", 2, 60, unit="%")),
        ("Products in stock", "Grocery prices", "Shop inventory", "Weekly offers"),
    ),
    Topic(
        "Name", PEOPLE,
        (Measure("Age", 18, 70), Measure("Hours", 4, 180, additive=True),
         Measure("Salary", 1800, 9800, unit="$", additive=True), Choice("Town", TOWNS), Moment("Birthday"),
         Choice("Team", ("Design", "Finance", "Legal", "Marketing", "Sales", "Support", "Research")),
         Measure("Height", 150, 199, unit="cm"), Measure("Bonus", 50, 900, unit="$", additive=True)),
        ("Staff list", "Our employees", "Team overview", "Members of the club"),
    ),
    Topic(
        "Town", TOWNS,
        (Measure("High", 8, 38, unit="°C"), Measure("Low", -12, 7, unit="°C"), Measure("Rain", 0, 60, 1, "mm"),
         Measure("Wind", 2, 70, unit="km/h"), Measure("Humidity", 20, 98, unit="%"),
         Choice("Weather", ("clear", "cloudy", "foggy", "rainy", "sunny", "windy", "snow")), Moment("Local time",
         True)),
        ("Weather today", "Weather forecast", "Temperatures in Europe and beyond"),
    ),
    Topic(
        "Team",
        ("Bears", "Comets", "Dragons", "Eagles", "Falcons", "Foxes", "Giants", "Hawks", "Lions", "Owls", "Panthers",
         "Pirates", "Rangers", "Sharks", "Tigers", "Wolves"),
        (Measure("Games", 10, 34, additive=True), Measure("Wins", 0, 20, additive=True),
         Measure("Draws", 0, 12, additive=True), Measure("Losses", 0, 18, additive=True), Measure("Points", 4, 72),
         Measure("Goals", 8, 88, additive=True), Choice("Coach", PEOPLE), Measure("Form", -20, 35, signed=True)),
        ("League table", "Season results", "Standings after the last round"),
    ),
    Topic(
        "Student", PEOPLE,
        (*(Measure(name, 21, 100) for name in ("Maths", "Science", "History", "Music", "English", "Art")),
         Choice("Grade", ("A", "B", "C", "D", "E")), Measure("Absences", 0, 15, additive=True)),
        ("Exam results", "Test scores", "Final marks"),
    ),
    Topic(
        "Item",
        ("Cleaning", "Clothing", "Electricity", "Food", "Gifts", "Heating", "Insurance", "Internet", "Leisure", "Phone",
         "Rent", "Repairs", "School", "Travel", "Water"),
        (Measure("Budget", 20, 2500, unit="$", additive=True), Measure("Cost", 20, 2500, unit="$", additive=True),
         Measure("Share", 0.5, 40, 1, "%"), Measure("Change", -25, 25, 1, "%", signed=True),
         Choice("Payer", PEOPLE), Moment("Due date"), Choice("Payment", ("card", "cash", "transfer", "invoice"))),
        ("Household budget", "Monthly costs", "Expenses"),
    ),
    Topic(
        "Train",
        tuple(f"{kind} {number}" for kind, number in
              (("IC", 14), ("IC", 72), ("RE", 5), ("RE", 31), ("S", 3), ("S", 8), ("EC", 117), ("EC", 208), ("RB", 46),
               ("RB", 63), ("NJ", 401), ("IC", 550))),
        (Choice("Destination", TOWNS), Moment("Departure", True), Moment("Arrival", True),
         Choice("Platform", tuple("123456789")), Measure("Delay", 0, 55, unit="min", additive=True),
         Measure("Distance", 18, 890, unit="km", additive=True), Measure("Fare", 3, 150, 2, "$", additive=True)),
        ("Departures", "Timetable", "Trains this morning"),
    ),
    Topic(
        "Food",
        ("Almonds", "Avocado", "Beans", "Broccoli", "Chicken", "Chocolate", "Lentils", "Muesli", "Orange", "Potato",
         "Salmon", "Spinach", "Tofu", "Walnuts"),
        (Measure("Energy", 20, 650, unit="kcal", additive=True), Measure("Protein", 0.5, 32, 1, "g", additive=True),
         Measure("Fat", 0.1, 55, 1, "g", additive=True), Measure("Sugar", 0.1, 48, 1, "g", additive=True),
         Measure("Fibre", 0.1, 14, 1, "g", additive=True), Measure("Salt", 0.01, 2, 2, "g", additive=True),
         Measure("Water", 4, 95, unit="%")),
        ("Nutrition per 100 g", "What is in our food", "Nutrition facts"),
    ),
    Topic(
        "Month", MONTHS,
        (Measure("Revenue", 1200, 98000, unit="$", additive=True), Measure("Cost", 900, 80000, unit="$", additive=True),
         Measure("Visitors", 120, 9900, additive=True), Measure("Orders", 15, 1400, additive=True),
         Measure("Growth", -20, 30, 1, "%", signed=True), Measure("Returns", 0, 90, additive=True),
         Measure("Energy", 80, 950, unit="kWh", additive=True)),
        ("Monthly report", "Business figures", "The year so far"), in_order=True,
    ),
    Topic(
        "Order",
        tuple(f"{letter}-{number}" for letter, number in zip("ABCDEFGHKMNPRT", range(1042, 9000, 571), strict=False)),
        (Choice("Customer", PEOPLE), Moment("Date"), Measure("Amount", 8, 1900, 2, "$", additive=True),
         Choice("Status", ("new", "open", "packed", "paid", "sent", "returned")),
         Measure("Pieces", 1, 60, additive=True), Measure("Weight", 0.2, 45, 1, "kg", additive=True),
         Choice("Town", TOWNS)),
        ("Open orders", "Orders of the week", "Deliveries"),
    ),
    Topic(
        "Sample",
        tuple(f"{letter}{number}" for letter in "ABC" for number in range(1, 6)),
        (Measure("Temperature", 15, 95, 1, "°C"), Measure("Pressure", 0.8, 6, 2, "bar"), Measure("Mass", 1, 250, 1,
        "g"),
         Measure("Time", 2, 240, unit="min", additive=True), Measure("Yield", 5, 99, 1, "%"),
         Measure("Volume", 5, 500, unit="ml", additive=True), Choice("Result", ("clear", "red", "blue", "pass",
         "fail"))),
        ("Measurements", "Results of the experiment", "Laboratory data"),
    ),
    Topic(
        "Model",
        ("Atlas", "Basalt", "Cobalt", "Echo", "Fern", "Halo", "Iris", "Juno", "Nimbus", "Onyx", "Pixel", "Quartz",
         "Raven", "Terra"),
        (Measure("Price", 49, 1900, unit="$"), Measure("Battery", 4, 48, unit="h"), Measure("Weight", 120, 2600,
        unit="g"),
         Measure("Memory", 2, 64, unit="GB"), Measure("Score", 12, 99, 1), Choice("Colour", ("black", "blue", "gold",
         "gray", "red", "silver", "white")), Measure("Accuracy", 51, 99, 1, "%"), Moment("Release")),
        ("Comparison of devices", "Test results", "Phones and tablets", "Benchmark"),
    ),
    Topic(
        "Book",
        ("Blue Harbour", "Cold Rivers", "Dust", "Far North", "Glass Towers", "Hidden Roads", "Iron Sky", "Last Light",
         "Night Train", "Paper Boats", "Salt Winds", "The Garden", "The Visit", "Winter Song"),
        (Choice("Author", ("A. Novak", "B. Stone", "C. Lind", "E. Rossi", "H. Moreau", "J. Adams", "L. Kim",
        "M. Weiss")),
         Measure("Pages", 88, 820, additive=True), Measure("Price", 5, 40, 2, "$", additive=True),
         Measure("Copies", 1, 45, additive=True), Measure("Loans", 0, 120, additive=True), Moment("Purchase"),
         Choice("Shelf", ("A1", "A2", "B1", "B2", "C1", "C2")), Measure("Stars", 1, 5, 1)),
        ("Library catalogue", "New books", "Reading list"),
    ),
    Topic(
        "Course",
        ("Biology", "Chess", "Cooking", "Dance", "Drawing", "French", "Guitar", "Pottery", "Sewing", "Spanish",
        "Swimming",
         "Theatre", "Yoga"),
        (Choice("Teacher", PEOPLE), Choice("Day", DAYS), Moment("Start", True),
         Choice("Room", ("A12", "B03", "B21", "C07", "D15", "Hall", "Gym")), Measure("Places", 6, 40, additive=True),
         Measure("Fee", 10, 240, unit="$"), Measure("Weeks", 3, 20)),
        ("Courses this autumn", "Evening classes", "Course plan"),
    ),
    Topic(
        "Animal",
        ("Badger", "Bat", "Beaver", "Deer", "Duck", "Fox", "Hare", "Heron", "Lynx", "Otter", "Owl", "Stork", "Swan",
         "Wolf"),
        (Measure("Sightings", 1, 320, additive=True), Measure("Litters", 0, 45, additive=True), Measure("Length", 8,
        190,
         unit="cm"), Measure("Weight", 0.1, 95, 1, "kg"), Measure("Speed", 3, 75, unit="km/h"),
         Choice("Place", ("forest", "lake", "meadow", "park", "river", "field")), Moment("Survey")),
        ("Animals in the park", "Wildlife count", "Observations"),
    ),
)  # fmt: skip

# Headings of columns that are all of one kind: the same thing over time.
PERIODS = (MONTHS, tuple(month[:3] for month in MONTHS), YEARS, QUARTERS, DAYS, tuple(day[:3] for day in DAYS))
OVER_TIME = {  # row heading of a topic -> what is counted, with titles
    "Product": (Measure("", 5, 950, additive=True), ("Sales", "Pieces sold")),
    "Item": (Measure("", 20, 2500, unit="$", additive=True), ("Spending", "Costs")),
    "Town": (Measure("", -9, 36, unit="°C"), ("Temperatures", "Mean temperature")),
    "Name": (Measure("", 0, 60, additive=True), ("Working hours", "Training hours")),
    "Team": (Measure("", 0, 48, additive=True), ("Points", "Goals scored")),
    "Course": (Measure("", 3, 90, additive=True), ("Participants", "Registrations")),
}

TOPIC_OF = {topic.row: topic for topic in TOPICS}
