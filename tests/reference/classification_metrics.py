#!/usr/bin/python3
"""A classifier's metrics in NumPy: what tests/classifier-metrics.t compares `darknet classifier metrics` with.

    classification_metrics.py <probabilities.csv> [--bins 15] [--top 5] [--seed 1] [--human <tsv>] [--compare <correct.json>]

Written from the definitions (Brier 1950; Guo et al. 2017 for ECE and the temperature; Nixon et al. 2019 for the class-wise
error; Efron and Tibshirani for the paired bootstrap); shares nothing with src/eval. <probabilities.csv> is what `-probabilities`
writes: path, label, and a column for each class. <correct.json> is a list of 0 and 1, an image each. Prints JSON.
"""

import argparse
import csv
import json
import sys

import numpy as np


def read_probabilities(path):
    """(paths, labels, names, p) of the CSV"""
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    return ([row[0] for row in rows], np.array([int(row[1]) for row in rows]), head[2:],
            np.array([row[2:] for row in rows], np.float32).astype(np.float64))


def logarithm(p):
    """A softmax in floats comes to 0; the smallest normal float stands for what is below it."""
    return np.log(np.maximum(p, np.finfo(np.float32).tiny))


def splitmix64(seed, count):
    """The first numbers of the stream, as integers of 64 bits"""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def below(random, limits):
    """Numbers from 0 to limits - 1 of random ones: their upper 32 bits as fractions"""
    return ((random >> np.uint64(32)) * np.asarray(limits, np.uint64) >> np.uint64(32)).astype(int)


def split(count, seed):
    """The two halves, as indices"""
    order = np.arange(count)
    for i, j in zip(range(count - 1, 0, -1), below(splitmix64(seed, count - 1), np.arange(count, 1, -1))):
        order[i], order[j] = order[j], order[i]
    return order[:count // 2], order[count // 2:]


def nll(p, labels):
    return float(-np.mean(logarithm(p[np.arange(len(p)), labels])))


def bin_error(confidence, correct, bins):
    """ECE, and the bins as [count, mean confidence, accuracy] (None for an empty one)"""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    table, error = [], 0.
    for m in range(bins):
        inside = place == m
        if np.any(inside):
            of = [int(np.sum(inside)), float(np.mean(confidence[inside])), float(np.mean(correct[inside]))]
            error += of[0] / len(confidence) * abs(of[2] - of[1])
        else:
            of = [0, None, None]
        table.append(of)
    return float(error), table


def ece(p, labels, bins):
    return bin_error(p.max(axis=1), p.argmax(axis=1) == labels, bins)[0]


def scaled(p, temperature):
    z = logarithm(p) / temperature
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def best_temperature(p, labels):
    """By ever finer grids of log T over .01..100: the NLL itself, not its derivative"""
    low, high = np.log(.01), np.log(100)
    while high - low > 1e-9:
        grid = np.linspace(low, high, 41)
        best = int(np.argmin([nll(scaled(p, np.exp(t)), labels) for t in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    return float(np.exp((low + high) / 2))


def temperature(p, labels, bins, seed):
    fit, judge = split(len(p), seed)
    t = best_temperature(p[fit], labels[fit])
    after = scaled(p[judge], t)
    return {"fitted": len(fit), "judged": len(judge), "T": t, "nll": nll(p[judge], labels[judge]),
            "ece": ece(p[judge], labels[judge], bins), "scaled_nll": nll(after, labels[judge]),
            "scaled_ece": ece(after, labels[judge], bins)}


def by_class(labels, predicted, classes):
    result = []
    for k in range(classes):
        images, found, both = np.sum(labels == k), np.sum(predicted == k), np.sum((labels == k) & (predicted == k))
        recall, precision = both / images if images else 0., both / found if found else 0.
        result.append({"images": int(images), "predicted": int(found), "correct": int(both), "accuracy": float(recall),
                       "precision": float(precision),
                       "f1": float(2 * recall * precision / (recall + precision)) if recall + precision else 0.})
    return result


def bootstrap(a, b, seed, samples=10000, level=.95):
    n = len(a)
    difference = a.astype(int) - b.astype(int)
    drawn = below(splitmix64(seed, n * samples), n).reshape(samples, n)
    low, high = np.quantile(difference[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return {"difference": float(difference.mean()), "low": float(low), "high": float(high)}


def human(path, paths, names, p, right):
    with open(path) as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    votes = {row["file"]: np.array([float(row["p_" + name]) for name in names]) for row in table}
    divergences = []
    for of, q, is_right in zip(paths, p, right):
        parts = of.split("/")
        rows = [votes[end] for end in ("/".join(parts[-i:]) for i in range(1, len(parts) + 1)) if end in votes]
        if is_right and rows:
            h = rows[0] / rows[0].sum()
            divergences.append(np.sum(h[h > 0] * (np.log(h[h > 0]) - logarithm(q[h > 0]))))
    return {"kl": float(np.mean(divergences)) if divergences else 0., "images": len(divergences)}


def evaluate(csv_path, bins=15, top=5, seed=1, human_path=None, other=None):
    paths, labels, names, p = read_probabilities(csv_path)
    predicted = p.argmax(axis=1)
    order = np.argsort(-p, axis=1, kind="stable")
    confidence = p.max(axis=1)
    error, table = bin_error(confidence, predicted == labels, bins)
    onehot = np.eye(len(names))[labels]
    result = {"top1": float(np.mean(predicted == labels)),
              "top_k": float(np.mean(np.any(order[:, :top] == labels[:, None], axis=1))),
              "nll": nll(p, labels), "brier": float(np.mean(np.sum((p - onehot) ** 2, axis=1))), "ece": error,
              "classwise_ece": float(np.mean([bin_error(p[:, k], labels == k, bins)[0] for k in range(len(names))])),
              "temperature": temperature(p, labels, bins, seed), "bins": table,
              "classes": by_class(labels, predicted, len(names)),
              "confusion": [[int(np.sum((labels == y) & (predicted == k))) for k in range(len(names))]
                            for y in range(len(names))],
              "predicted": predicted.tolist(), "confidence": confidence.tolist(),
              "correct": (predicted == labels).astype(int).tolist()}
    if human_path:
        result["human"] = human(human_path, paths, names, p, predicted == labels)
    if other is not None:
        result["compared"] = bootstrap(predicted == labels, np.array(other), seed)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probabilities")
    parser.add_argument("--bins", type=int, default=15)
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--human")
    parser.add_argument("--compare")
    a = parser.parse_args()
    other = json.load(open(a.compare)) if a.compare else None
    json.dump(evaluate(a.probabilities, a.bins, a.top, a.seed, a.human, other), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
