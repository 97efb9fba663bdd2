"""The things that are drawn: everyday names, and the characters of Noto Emoji that show them.

Things of one group are about as easy to tell apart as things of two. Within `CATEGORIES` nobody would argue about what
belongs to which; what could be argued about (is a candle a tool?) stands in `OTHERS`, whose groups are never asked for.
No kind is a sort of another one (a taxi is a car, a panda is a bear), or the answer to "is there a car?" would be open.
"""

# category -> kind -> its drawings
CATEGORIES: dict[str, dict[str, str]] = {
    "animal": {
        "dog": "🐕🐶", "cat": "🐈🐱", "mouse": "🐁🐭", "cow": "🐄🐮", "pig": "🐖🐷", "horse": "🐎🐴", "sheep": "🐑🐏",
        "goat": "🐐", "rabbit": "🐇🐰", "elephant": "🐘", "lion": "🦁", "tiger": "🐅🐯", "monkey": "🐒🐵", "bear": "🐻",
        "fox": "🦊", "wolf": "🐺", "deer": "🦌", "giraffe": "🦒", "zebra": "🦓", "kangaroo": "🦘", "camel": "🐫🐪",
        "squirrel": "🐿", "hedgehog": "🦔", "bat": "🦇", "frog": "🐸", "turtle": "🐢", "crocodile": "🐊", "snake": "🐍",
        "lizard": "🦎", "dinosaur": "🦕🦖", "whale": "🐋🐳", "dolphin": "🐬", "octopus": "🐙", "crab": "🦀",
        "fish": "🐟🐠", "snail": "🐌", "butterfly": "🦋", "bee": "🐝", "ant": "🐜", "ladybug": "🐞", "spider": "🕷",
        "duck": "🦆", "chicken": "🐔🐓", "penguin": "🐧", "owl": "🦉", "parrot": "🦜", "flamingo": "🦩", "swan": "🦢",
    },
    "piece of food": {
        "apple": "🍎🍏", "pear": "🍐", "lemon": "🍋", "banana": "🍌", "pineapple": "🍍", "strawberry": "🍓",
        "coconut": "🥥", "watermelon": "🍉", "bunch of grapes": "🍇", "avocado": "🥑", "tomato": "🍅", "eggplant": "🍆",
        "carrot": "🥕", "corn cob": "🌽", "broccoli": "🥦", "onion": "🧅", "chili pepper": "🌶", "loaf of bread": "🍞",
        "baguette": "🥖", "croissant": "🥐", "pretzel": "🥨", "piece of cheese": "🧀", "egg": "🥚", "hamburger": "🍔",
        "pizza": "🍕", "hot dog": "🌭", "taco": "🌮", "sandwich": "🥪", "doughnut": "🍩", "cookie": "🍪",
        "cake": "🍰🎂", "pie": "🥧", "cupcake": "🧁", "ice cream": "🍦🍨", "chocolate bar": "🍫", "lollipop": "🍭",
        "waffle": "🧇",
    },
    "vehicle": {
        "car": "🚗🚘", "bus": "🚌🚍", "truck": "🚚🚛", "tractor": "🚜", "train": "🚆🚂", "bicycle": "🚲",
        "motorcycle": "🏍", "scooter": "🛴", "airplane": "✈🛩", "helicopter": "🚁", "rocket": "🚀", "ship": "🚢🛳",
        "sailboat": "⛵", "canoe": "🛶", "speedboat": "🚤🛥", "sled": "🛷", "ambulance": "🚑",
    },
    "building": {
        "house": "🏠🏡", "hospital": "🏥", "school": "🏫", "factory": "🏭", "castle": "🏰🏯", "hotel": "🏨",
        "bank": "🏦", "hut": "🛖", "church": "⛪💒", "mosque": "🕌", "stadium": "🏟", "temple": "🏛", "shop": "🏪",
    },
    "piece of clothing": {
        "T-shirt": "👕", "dress": "👗", "coat": "🧥", "scarf": "🧣", "hat": "🎩👒", "shoe": "👞👟", "boot": "👢🥾",
        "sandal": "👡🩴", "swimsuit": "🩱", "kimono": "👘", "vest": "🦺", "helmet": "🪖", "pair of jeans": "👖",
        "pair of gloves": "🧤", "pair of socks": "🧦", "pair of shorts": "🩳",
    },
    "musical instrument": {
        "guitar": "🎸", "violin": "🎻", "trumpet": "🎺", "saxophone": "🎷", "piano": "🎹", "drum": "🥁🪘",
        "accordion": "🪗", "banjo": "🪕", "horn": "📯", "pair of maracas": "🪇", "flute": "🪈",
    },
    "tool": {
        "hammer": "🔨", "wrench": "🔧", "screwdriver": "🪛", "saw": "🪚", "axe": "🪓", "ladder": "🪜", "pickaxe": "⛏",
        "clamp": "🗜", "pair of scissors": "✂", "paintbrush": "🖌", "broom": "🧹", "plunger": "🪠",
    },
    "electronic device": {
        "phone": "📱☎", "camera": "📷📹", "television": "📺", "radio": "📻", "computer": "🖥💻", "printer": "🖨",
        "keyboard": "⌨", "joystick": "🕹", "game controller": "🎮", "microphone": "🎤🎙", "pair of headphones": "🎧",
        "flashlight": "🔦", "robot": "🤖", "satellite dish": "📡",
    },
    "piece of sports equipment": {
        "soccer ball": "⚽", "basketball": "🏀", "baseball": "⚾", "volleyball": "🏐", "racket": "🏸🎾",
        "ice skate": "⛸", "roller skate": "🛼", "skateboard": "🛹", "boxing glove": "🥊", "hockey stick": "🏒🏑",
        "frisbee": "🥏", "dartboard": "🎯", "diving mask": "🤿",
    },
    "plant": {
        "tree": "🌳🌲🌴", "cactus": "🌵", "rose": "🌹", "tulip": "🌷", "sunflower": "🌻", "clover": "🍀☘",
        "maple leaf": "🍁", "seedling": "🌱", "lotus": "🪷", "potted plant": "🪴", "bouquet of flowers": "💐",
    },
}  # fmt: skip
OTHERS: tuple[dict[str, str], ...] = (
    {
        "chair": "🪑", "bed": "🛏", "sofa": "🛋", "toilet": "🚽", "bathtub": "🛁", "mirror": "🪞", "window": "🪟",
        "door": "🚪", "candle": "🕯", "clock": "⏰🕰", "key": "🔑🗝", "lock": "🔒", "basket": "🧺", "teapot": "🫖",
        "cup": "☕🍵", "spoon": "🥄", "umbrella": "☂☔", "toothbrush": "🪥", "vase": "🏺", "book": "📕📖",
        "envelope": "✉", "gift": "🎁", "wine glass": "🍷", "crown": "👑", "ring": "💍", "bell": "🔔", "balloon": "🎈",
        "kite": "🪁", "puzzle piece": "🧩", "anchor": "⚓", "trophy": "🏆", "backpack": "🎒", "briefcase": "💼",
        "shopping cart": "🛒", "tent": "⛺", "magnet": "🧲", "light bulb": "💡", "pair of glasses": "👓🕶",
    },
    {
        "sun": "☀🌞", "cloud": "☁🌧", "snowflake": "❄", "snowman": "⛄☃", "rainbow": "🌈", "tornado": "🌪",
        "lightning bolt": "⚡", "star": "⭐", "moon": "🌙", "volcano": "🌋", "mountain": "🏔⛰", "wave": "🌊",
        "flame": "🔥", "drop of water": "💧", "feather": "🪶",
    },
)  # fmt: skip
GROUPS: tuple[dict[str, str], ...] = (*CATEGORIES.values(), *OTHERS)
DRAWINGS: dict[str, str] = {kind: drawings for group in GROUPS for kind, drawings in group.items()}
GROUP_OF = {kind: group for group in GROUPS for kind in group}
CATEGORY_OF = {kind: category for category, group in CATEGORIES.items() for kind in group}
