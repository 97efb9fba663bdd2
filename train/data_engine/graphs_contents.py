"""What a node-link picture says before it has a form: labels, links, and in which row and column each box belongs."""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random

from vlm.structure import Point

from .graphs_skeletons import BUILDERS, OFTEN, Link, Role, Skeleton
from .graphs_words import ENDS, EXITS, NETS, STARTS, TOPICS, Kind

FEWEST, MOST = 4, 10  # boxes in a picture


@dataclass(frozen=True)
class Contents:
    kind: Kind
    topic: str
    title: str | None
    texts: tuple[str, ...]
    roles: tuple[Role, ...]
    cells: tuple[Point, ...]
    links: tuple[Link, ...]
    directed: bool


def compose(rng: Random) -> Contents:
    """Every number of boxes is as likely, whatever the kind."""
    number = rng.randint(FEWEST, MOST)
    kind = rng.choices(list(BUILDERS), OFTEN)[0]
    name = rng.choice([name for name, topic in TOPICS.items() if kind in topic.kinds])
    topic = TOPICS[name]
    skeleton = BUILDERS[kind](number, rng)
    if kind == "flow":
        _end(skeleton, rng)
    directed = kind not in ("tree", *NETS) or rng.random() < 0.5
    links = [*skeleton.links]
    if kind in NETS and directed:
        counts = Counter(box for link in links for box in (link.source, link.target))
        links = [link for one in links for link in _turned(one, counts[one.source] + counts[one.target] < 6, rng)]
    return Contents(
        kind=kind,
        topic=name,
        title=rng.choice(topic.titles) if rng.random() < 0.6 else None,
        texts=_texts(skeleton.roles, name, rng),
        roles=tuple(skeleton.roles),
        cells=tuple(skeleton.cells),
        links=_labelled(links, skeleton.roles, name, rng),
        directed=directed,
    )


def _texts(roles: list[Role], topic: str, rng: Random) -> tuple[str, ...]:
    pools = {"step": TOPICS[topic].texts, "decision": TOPICS[topic].decisions, "start": STARTS, "end": ENDS}
    drawn = {role: iter(rng.sample(pool, min(len(pool), MOST))) for role, pool in pools.items()}
    return tuple(next(drawn[role]) for role in roles)


def _turned(link: Link, has_room: bool, rng: Random) -> list[Link]:
    """One way, the other, or now and then both, where the boxes have few other links."""
    back = replace(link, source=link.target, target=link.source)
    return [link, back] if has_room and rng.random() < 0.15 else [rng.choice((link, back))]


def _labelled(links: list[Link], roles: list[Role], topic: str, rng: Random) -> tuple[Link, ...]:
    """With the answers at the two exits of every decision, and in some networks with a text at every link."""
    if "decision" in roles:
        pair = rng.choice(EXITS)
        answers = {i: iter(rng.sample(pair, 2)) for i, role in enumerate(roles) if role == "decision"}
        return tuple(
            replace(link, text=next(answers[link.source])) if link.source in answers else link for link in links
        )
    pool = TOPICS[topic].link_texts
    if not len(links) <= min(len(pool), 11) or rng.random() < 0.3:
        return tuple(links)
    return tuple(replace(link, text=text) for link, text in zip(links, rng.sample(pool, len(links)), strict=True))


def _end(skeleton: Skeleton, rng: Random) -> None:
    """Calls the first and the last box of the column so, in half of the flowcharts."""
    last = max(i for i, (_, column) in enumerate(skeleton.cells) if column == 0)
    if rng.random() < 0.5:
        if all(link.target != 0 for link in skeleton.links):
            skeleton.roles[0] = "start"
        skeleton.roles[last] = "end"
