"""What node-link pictures are about: pools of labels, all of a pool equally likely anywhere in a picture.

Steps come in no order of their own, or what follows what could be guessed without looking.
"""

from dataclasses import dataclass
from typing import Literal

from .tables_words import PEOPLE, TOWNS

Kind = Literal["flow", "layers", "tree", "cycle", "ring", "grid"]
STEPPED: tuple[Kind, ...] = ("flow", "layers", "cycle")
NETS: tuple[Kind, ...] = ("ring", "grid")

STARTS = ("Start", "Begin", "START")
ENDS = ("End", "Stop", "Finish", "END")
EXITS = (("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("true", "false"), ("ok", "failed"), ("y", "n"))


@dataclass(frozen=True)
class Topic:
    noun: str  # what a box stands for
    kinds: tuple[Kind, ...]
    texts: tuple[str, ...]
    titles: tuple[str, ...]
    decisions: tuple[str, ...] = ()
    link_texts: tuple[str, ...] = ()  # what stands at lines, where anything does


TOPICS = {
    "order": Topic(
        "step", STEPPED,
        ("Take order", "Check stock", "Pack parcel", "Print invoice", "Ship goods", "Call customer", "Book payment",
         "Refund money", "Send reminder", "Update list", "Order parts", "Inspect delivery", "Sign contract",
         "Archive papers", "Write offer", "Scan barcode"),
        ("Order process", "How we ship", "Handling of orders", "Order to cash"),
        ("In stock?", "Paid?", "Address known?", "Parcel damaged?", "New customer?", "Price agreed?", "Urgent?",
         "Over 50 kg?", "Gift wrap wanted?"),
    ),
    "kitchen": Topic(
        "step", STEPPED,
        ("Boil water", "Chop onions", "Heat oven", "Mix flour and eggs", "Add salt", "Stir slowly", "Peel potatoes",
         "Wash rice", "Fry bacon", "Pour milk", "Melt butter", "Cool down", "Serve dish", "Set table", "Grate cheese"),
        ("Recipe", "Sunday cooking", "How to cook", "Kitchen plan"),
        ("Still hard?", "Too salty?", "Brown on top?", "Guests hungry?", "Oven hot?", "Dough risen?", "Enough sauce?",
         "Water boiling?"),
    ),
    "support": Topic(
        "step", STEPPED,
        ("Restart router", "Read error log", "Install update", "Open ticket", "Ask supervisor", "Replace cable",
         "Run backup", "Reset password", "Test printer", "Clear cache", "Check fuse", "Close ticket",
         "Notify the user by mail", "Swap disk", "Measure voltage"),
        ("Fault finding", "IT support", "Repair guide", "Helpdesk"),
        ("Power on?", "Light green?", "Error gone?", "Cable plugged in?", "Disk full?", "Known problem?",
         "Under warranty?", "Password expired?", "Server down?"),
    ),
    "hiring": Topic(
        "step", STEPPED,
        ("Post job", "Screen letters", "Phone interview", "Invite candidate", "Check references", "Negotiate salary",
         "Send contract", "Send rejection", "Order laptop", "Plan first week", "Assign mentor", "Hold team meeting",
         "Collect documents", "Ask works council"),
        ("Hiring", "From job to contract", "Recruiting process"),
        ("Qualified?", "References good?", "Offer accepted?", "Budget approved?", "More candidates?", "Team agrees?",
         "Visa needed?", "Test passed?"),
    ),
    "program": Topic(
        "step", STEPPED,
        ("Read input", "Sort list", "i = i + 1", "sum = 0", "Print result", "Open file", "Close file", "Swap a and b",
         "Load data", "Save model", "Draw plot", "Parse line", "Set flag", "Write log", "Free memory"),
        ("Algorithm", "Main loop", "Program flow", "Data pipeline"),
        ("i < 10?", "a > b?", "x = 0?", "End of file?", "List empty?", "Flag set?", "n even?", "Key found?",
         "Error?"),
    ),
    "health": Topic(
        "step", STEPPED,
        ("Register patient", "Take temperature", "Measure blood pressure", "Draw blood", "X-ray", "Write prescription",
         "Call doctor", "Bandage wound", "Give vaccine", "Rest in bed", "Drink tea", "Update record", "Plan surgery",
         "Weigh patient"),
        ("Emergency room", "At the doctor's", "Patient journey"),
        ("Fever?", "In pain?", "Allergic?", "Test positive?", "Insured?", "Over 65?", "Wound clean?", "Pregnant?"),
    ),
    "system": Topic(
        "module", ("layers", "cycle", "tree", *NETS),
        ("Browser", "Web server", "Database", "Cache", "Login", "Queue", "Worker", "Mail service", "Search index",
         "Firewall", "Load balancer", "File store", "Monitor", "Billing", "Mobile app"),
        ("System architecture", "Components", "Our servers", "Data flow"),
    ),
    "nature": Topic(
        "stage", ("cycle", "layers"),
        ("Rain", "River", "Sea", "Cloud", "Snow", "Glacier", "Lake", "Ground water", "Forest", "Soil", "Spring",
         "Swamp", "Fog", "Meadow"),
        ("Water in nature", "Natural cycle", "Where the water goes"),
    ),
    "management": Topic(
        "phase", ("cycle", "layers"),
        ("Plan", "Build", "Test", "Release", "Measure", "Learn", "Design", "Review", "Budget", "Train", "Improve",
         "Observe", "Decide", "Deliver"),
        ("Project cycle", "Continuous improvement", "Phases of a project"),
    ),
    "roles": Topic(
        "position", ("tree",),
        ("Director", "Head of Sales", "Head of IT", "Accountant", "Team lead", "Developer", "Designer", "Driver",
         "Secretary", "Lawyer", "Buyer", "Head of Research", "Engineer", "Trainee", "Store manager", "Controller"),
        ("Organisation chart", "Our company", "Who reports to whom", "Management"),
    ),
    "site": Topic(
        "page", ("tree", *NETS),
        ("Home", "Products", "About us", "Contact", "News", "Jobs", "Shop", "Basket", "Help", "Imprint", "Gallery",
         "Blog", "Prices", "Events", "Map"),
        ("Site map", "Menu structure", "Our website"),
    ),
    "people": Topic(
        "person", ("tree", *NETS), PEOPLE,
        ("Who knows whom", "The family", "Friends", "Phone chain", "Mentors"),
    ),
    "towns": Topic(
        "town", NETS, TOWNS, ("Railway map", "Flights", "Bus lines", "Road network"),
        link_texts=tuple(str(number) for number in range(2, 40)),
    ),
    "places": Topic(
        "place", NETS,
        ("Station", "Market", "Castle", "Harbour", "School", "Museum", "Park", "Bridge", "Church", "Hospital",
         "Library", "Theatre", "Zoo", "Town hall", "Stadium"),
        ("Walks in town", "City map", "Paths", "Guided tour"),
        link_texts=tuple(f"{number} min" for number in range(2, 26)),
    ),
    "states": Topic(
        "state", NETS,
        ("Idle", "Running", "Paused", "Stopped", "Waiting", "Locked", "Ready", "Failed", "Sleeping", "Loading",
         "Closed", "Open", "Error", "Off", "Active"),
        ("State machine", "States of the device", "Life of a task"),
        link_texts=("start", "stop", "pause", "resume", "open", "close", "reset", "timeout", "lock", "unlock", "fail",
                    "retry", "push", "cancel", "wake"),
    ),
    "letters": Topic(
        "node", ("layers", "tree", "cycle", *NETS), tuple("ABCDEFGHIJKLMN"), ("Graph", "Example", "Network"),
        link_texts=tuple(str(number) for number in range(1, 20)),
    ),
    "numbers": Topic(
        "node", ("layers", "tree", "cycle", *NETS), tuple(str(number) for number in range(1, 16)),
        ("Graph G", "Search tree", "Order of tasks"),
    ),
    "automaton": Topic(
        "state", NETS, tuple(f"q{number}" for number in range(14)), ("Automaton", "Transitions"),
        link_texts=tuple("abcdefgh") + tuple("01"),
    ),
}  # fmt: skip
