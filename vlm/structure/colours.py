"""Names of colours, as people call what they see in a chart."""

RGB = tuple[int, int, int]

# What a name stands for, several times where one value would not do.
SHADES: dict[str, tuple[RGB, ...]] = {
    "black": ((12, 12, 12), (35, 35, 35)),
    "gray": ((128, 128, 128), (165, 165, 165), (90, 92, 95), (119, 136, 153)),
    "white": ((255, 255, 255), (238, 238, 238)),
    "red": ((225, 25, 28), (250, 40, 40), (196, 30, 40), (229, 87, 86)),
    "blue": ((20, 60, 220), (31, 119, 180), (70, 120, 230), (30, 144, 255), (76, 120, 168), (0, 0, 160)),
    "green": ((44, 160, 44), (30, 200, 60), (80, 220, 100), (0, 115, 30), (85, 168, 104), (140, 210, 110)),
    "yellow": ((255, 240, 40), (250, 220, 60), (238, 202, 59), (255, 245, 120)),
    "teal": ((0, 128, 128), (20, 150, 145), (114, 183, 178), (0, 105, 105)),
    "brown": ((140, 80, 35), (110, 60, 30), (140, 86, 75), (157, 117, 93), (145, 45, 40)),
    "orange": ((255, 165, 20), (255, 127, 14), (245, 133, 24), (255, 190, 70)),
    "purple": ((130, 40, 170), (148, 103, 189), (178, 121, 162), (90, 30, 130), (170, 60, 210)),
    "pink": ((255, 150, 190), (227, 119, 194), (255, 157, 166), (255, 195, 210), (255, 110, 160)),
}  # fmt: skip


def colour_name(rgb: RGB) -> str:
    """The name of the nearest shade, by the "redmean" distance (https://www.compuphase.com/cmetric.htm)."""

    def distance(shade: RGB) -> float:
        red, green, blue = (a - b for a, b in zip(rgb, shade, strict=True))
        mean = (rgb[0] + shade[0]) / 2
        return (2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2

    return min(SHADES, key=lambda name: min(map(distance, SHADES[name])))
