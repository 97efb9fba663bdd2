"""What is written on signs, labels, cards, tickets and receipts."""

from .tables_words import CURRENCIES, DAYS, PEOPLE, TOWNS  # noqa: F401  # the same world

SURNAMES = ("Adams", "Becker", "Castillo", "Duval", "Ekberg", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen",
"Keller",
            "Lindgren", "Moreau", "Novak", "Okafor", "Petrov", "Rossi", "Silva", "Tanaka", "Weber")  # fmt: skip
SHOPS = ("Bella Napoli", "Blue Door Books", "City Market", "Corner Bakery", "Garden World", "Green Leaf",
"Harbour Cafe",
         "Iron & Oak", "Luna Bar", "Market Hall", "Old Mill", "Paper Moon", "Pizza Roma", "Red Fox Store", "Sunny Side",
         "The Tea House", "Village Shop", "West End Deli")  # fmt: skip
GOODS = ("Apple pie", "Bagel", "Batteries", "Bread", "Butter", "Cake", "Candles", "Cheese", "Coffee", "Eggs", "Flowers",
         "Green tea", "Honey", "Jam", "Juice", "Milk", "Notebook", "Olives", "Pasta", "Pen", "Pizza", "Rice", "Salad",
         "Sandwich", "Soap", "Soup", "Tomatoes", "Umbrella", "Water", "Yogurt")  # fmt: skip
ROAD = ("Stop", "One way", "No parking", "Keep left", "Keep right", "Road closed", "Dead end", "Slow", "School",
"Detour",
        "Bridge ahead", "Give way", "No entry", "Bus stop", "Parking", "Roundabout")  # fmt: skip
DOORS = ("Office", "Kitchen", "Library", "Reception", "Meeting room", "Exit", "Laboratory", "Staff only", "Workshop",
         "Waiting room", "Archive", "Laundry", "Studio", "Storage", "Private", "Classroom")  # fmt: skip
ALARMS = ("Warning", "Danger", "Caution", "Attention")
HAZARDS = ("High voltage", "Hot surface", "Wet floor", "Toxic fumes", "Low ceiling", "Moving parts", "Slippery steps",
           "Fragile glass", "Loud noise", "Falling rocks", "Deep water", "Flammable gas")  # fmt: skip
ADVICE = ("Do not touch", "Keep out", "Wear gloves", "Wear a helmet", "Keep hands clear", "No open flames",
"Mind your head",
          "Handle with care", "Keep dry", "Ask the staff", "Use ear plugs", "Do not enter")  # fmt: skip
NEWS = ("Closed today", "Back soon", "Summer sale", "Now hiring", "Grand opening", "Lost cat", "Free coffee",
"Flea market",
        "Piano lessons", "Room to rent", "Bike for sale", "Yard sale", "Help wanted", "New menu")  # fmt: skip
DETAILS = ("Please ring the bell", "Ask inside", "Everyone is welcome", "While stocks last", "Cash only",
           "Please use the side door", "No dogs allowed", "All ages welcome", "Thank you",
           "Limited places")  # fmt: skip
JOBS = ("Architect", "Baker", "Carpenter", "Dentist", "Designer", "Editor", "Electrician", "Engineer", "Lawyer",
"Nurse",
        "Painter", "Photographer", "Plumber", "Teacher", "Translator", "Vet")  # fmt: skip
EVENTS = ("Jazz Night", "Spring Concert", "City Museum", "Film Festival", "Rock Arena", "Puppet Theatre", "Science Day",
          "Hamlet", "Boat Tour", "Zoo", "Opera Gala", "Castle Tour", "Football Cup", "Magic Show")  # fmt: skip
FIRST = (
    "Silent",
    "Broken",
    "Golden",
    "Hidden",
    "Last",
    "Little",
    "Lost",
    "Northern",
    "Paper",
    "Red",
    "Second",
    "Winter",
)
SECOND = ("Bridge", "Daughter", "Forest", "Garden", "Harbour", "House", "Island", "Letter", "Mountain", "Ocean",
"River",
          "Window")  # fmt: skip
PUBLISHERS = (
    "Arrow Press",
    "Blackbird Books",
    "Harbour House",
    "Lantern",
    "Northgate",
    "Owl & Sons",
    "Plum Tree Press",
)
THANKS = ("Thank you!", "Please come again", "Have a nice day", "Thank you for your visit", "See you soon")
