"""What the graphs of the transfer set are about: texts of their own, none of them taken from the training renderers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    name: str
    titles: tuple[str, ...]
    texts: tuple[str, ...]
    decisions: tuple[str, ...] = ()  # flows only


FLOWS = (
    Topic("support desk", ("Support desk", "How a ticket is solved"),
          ("Receive ticket", "Read the report", "Reproduce the bug", "Ask for logs", "Assign to team", "Write a patch",
           "Review the patch", "Deploy to staging", "Notify the reporter", "Close ticket", "Update the wiki"),
          ("Is it a bug?", "Severe?", "Logs enough?", "Fixed?")),
    Topic("hiring", ("Hiring a colleague", "From posting to contract"),
          ("Post vacancy", "Collect applications", "Screen resumes", "Phone interview", "Coding exercise",
           "Meet the team", "Call references", "Make an offer", "Negotiate salary", "Prepare laptop", "First day"),
          ("Good match?", "Offer accepted?", "Visa needed?")),
    Topic("coffee", ("Making espresso", "Morning coffee"),
          ("Fill the tank", "Heat the boiler", "Weigh the beans", "Grind the beans", "Tamp the coffee",
           "Lock the handle", "Pull the shot", "Steam the milk", "Pour the milk", "Rinse the group", "Serve"),
          ("Water hot?", "Too bitter?", "Milk wanted?")),
    Topic("data pipeline", ("Nightly data pipeline", "From raw data to report"),
          ("Fetch raw files", "Validate schema", "Drop duplicates", "Fill missing values", "Join tables",
           "Compute features", "Train model", "Score test set", "Store results", "Render report", "Email the analysts"),
          ("Schema valid?", "Rows missing?", "Score improved?")),
    Topic("library", ("Lending a book", "At the library"),
          ("Search catalogue", "Find the shelf", "Scan member card", "Scan the book", "Stamp due date",
           "Hand over book", "Send overdue note", "Charge a fine", "Return to shelf", "Repair the cover", "Renew loan"),
          ("Copy available?", "Overdue?", "Book damaged?", "Reserved?")),
    Topic("laboratory", ("Blood test", "From sample to result"),
          ("Draw sample", "Label tube", "Spin centrifuge", "Load analyser", "Run control", "Measure glucose",
           "Check calibration", "Repeat the run", "Sign the result", "Inform the doctor", "Freeze the rest"),
          ("Control passed?", "Value plausible?", "Tube leaking?")),
    Topic("airport", ("Before the flight", "Through the airport"),
          ("Check in", "Drop the bags", "Show passport", "Security scan", "Open the bag", "Buy a snack",
           "Walk to gate", "Wait for boarding", "Board the plane", "Rebook flight", "Find a hotel"),
          ("Bag too heavy?", "Alarm rings?", "Flight late?")),
    Topic("bicycle repair", ("A flat tyre", "Repairing a bicycle"),
          ("Take off wheel", "Lift the tyre", "Pull out the tube", "Pump up the tube", "Dip into water",
           "Sand the hole", "Glue a patch", "Buy a new tube", "Put tyre back", "Mount the wheel", "Test ride"),
          ("Hole found?", "Patch holds?", "Rim bent?")),
)  # fmt: skip
TREES = (
    Topic("music", ("Instruments", "Families of instruments"),
          ("Instruments", "Strings", "Winds", "Percussion", "Violin", "Cello", "Harp", "Flute", "Oboe", "Trumpet",
           "Timpani", "Marimba", "Celesta")),
    Topic("file system", ("Folders of the project", "Directory tree"),
          ("project", "src", "docs", "assets", "core", "plugins", "guide", "icons", "photos", "parser", "cache", "logs",
           "build")),
    Topic("company", ("Who reports to whom", "Organisation"),
          ("Board", "Chief executive", "Finance", "Engineering", "Sales", "Legal", "Payroll", "Platform team",
           "Mobile team", "Key accounts", "Controlling", "Field sales", "Quality")),
    Topic("animals", ("Kinds of animals", "Classification"),
          ("Animals", "Mammals", "Reptiles", "Insects", "Whales", "Bats", "Primates", "Snakes", "Lizards", "Beetles",
           "Moths", "Ants", "Turtles")),
)  # fmt: skip
CYCLES = (
    Topic("water cycle", ("The water cycle", "Water"),
          ("Evaporation", "Condensation", "Clouds", "Rainfall", "Runoff", "Rivers", "Groundwater", "Ocean")),
    Topic("sprint", ("A sprint", "Agile cycle"),
          ("Plan", "Design", "Develop", "Test", "Release", "Feedback", "Retrospective", "Backlog")),
    Topic("rock cycle", ("The rock cycle", "Rocks"),
          ("Magma", "Igneous rock", "Weathering", "Sediment", "Compaction", "Burial", "Melting", "Uplift")),
)  # fmt: skip
NETWORKS = (
    Topic("office network", ("Office network", "Computers and cables"),
          ("Router", "Firewall", "Core switch", "Web server", "Mail server", "Database", "Backup", "Laptop A",
           "Laptop B", "Scanner", "Wi-Fi hotspot", "Gateway")),
    Topic("ferries", ("Ferry lines", "Islands"),
          ("Naxos", "Paros", "Milos", "Ios", "Santorini", "Mykonos", "Syros", "Tinos", "Andros", "Kythnos", "Serifos",
           "Sifnos")),
    Topic("friends", ("Who knows whom", "Friends"),
          ("Priya", "Mateo", "Ingrid", "Kwame", "Yuki", "Leila", "Bruno", "Sanne", "Tariq", "Oksana", "Dario", "Noor")),
    Topic("food web", ("Food web", "Who is connected with whom"),
          ("Algae", "Krill", "Herring", "Squid", "Cod", "Seal", "Gull", "Orca", "Crab", "Mussel", "Otter", "Eel")),
    Topic("modules", ("Imports of a program", "Modules"),
          ("main", "config", "parser", "lexer", "errors", "printer", "optimizer", "codegen", "runtime", "tests",
           "loader", "symbols")),
)  # fmt: skip
