"""The random draws of the label methods (src/ols/terms.h), for the scripts that make golden values: splitmix64 (Steele, Lea
and Flood, OOPSLA 2014) of a seed and counters."""

MASK, STEP = 2 ** 64 - 1, 0x9e3779b97f4a7c15


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
    return z ^ z >> 31


def below(bits, n):
    return (bits >> 32) * n >> 32


def key(seed, counter, part):
    return mix(mix(mix(seed) + counter & MASK) + part & MASK)


def drawn_class(draws, chance, classes, label, number):
    """DisturbLabel: with this chance a class of all, else the label."""
    stream = mix(draws + number * STEP & MASK)
    first, second = (mix(stream + step * STEP & MASK) for step in (1, 2))
    return below(second, classes) if (first >> 40) / 2 ** 24 < chance else label


def takes_over(seed, updates, label, correct):
    """Whether the `correct`-th correct prediction of a class takes the place of the one that was kept."""
    bits = mix(mix(mix(seed + updates * STEP & MASK) + label & MASK) + correct & MASK)
    return below(bits, correct) == 0
