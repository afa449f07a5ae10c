"""The statistics of scripts/compare-labels: means over seeds, and intervals of differences."""

import math
import statistics

import numpy as np

SAMPLES = 10000  # of the bootstrap, as in `classifier metrics -compare`


def mean_and_deviation(values):
    """The mean, and the sample standard deviation (divided by n - 1), which is None for a single value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def student_t_within(t, freedom):
    """P(|T| < t) of Student's t distribution for a whole number of degrees of freedom.

    By the finite sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term, total = (cosine, cosine) if odd else (1., 1.)
    if freedom == 1:
        total = 0.
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def student_t(freedom, within=.95):
    """The t with P(|T| < t) = within: 4.303 for 2 degrees of freedom and .95."""
    low, high = 0., 1.
    while student_t_within(high, freedom) < within:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if student_t_within(middle, freedom) < within:
            low = middle
        else:
            high = middle
    return high


def paired_t(differences):
    """(mean, low, high): the mean of differences, one a seed, with its 95 % interval by Student's t. Two or more."""
    mean, deviation = mean_and_deviation(differences)
    half = student_t(len(differences) - 1) * deviation / math.sqrt(len(differences))
    return mean, mean - half, mean + half


def paired_bootstrap(correct, other, seed=1):
    """(difference, low, high) of two mean accuracies over the same images, with its 95 % interval by the paired bootstrap.

    correct, other: a list of 0 or 1 for each image, one list for each seed. A sample draws as many images as there are,
    with replacement. An image counts by its difference, summed over the seeds; there are only a few such sums, and how
    often each is drawn is multinomial.
    """
    difference = (np.asarray(correct, int) - np.asarray(other, int)).sum(axis=0)
    sums, counts = np.unique(difference, return_counts=True)
    n, seeds = len(difference), len(correct)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, SAMPLES) @ sums / (n * seeds)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(difference.mean() / seeds), float(low), float(high)
