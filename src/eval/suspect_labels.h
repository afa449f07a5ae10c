/* Labels that a trained classifier disbelieves: plain functions from arrays to a ranking.
 *
 * p is the distribution that the network predicts for an image (classification_metrics.h), y the label that it was
 * given. The network is sure of some classes and never sure of others, so a probability is judged beside what is usual
 * for its class: t[k], the mean of p[k] over the images labelled k, which is the threshold of confident learning
 * (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021, Eq. 2). The score
 *
 *     s = log(max over k != y of p[k] / t[k]) - log(p[y] / t[y])
 *
 * is above 0 where another class is likelier than the label in this sense, and the higher the less the label is
 * believed. Measured on CIFAR-10N with other scores: docs/classification.md.
 *
 * tests/classifier-suspects.t computes the same with NumPy, independently.
 */
#ifndef SUSPECT_LABELS_H
#define SUSPECT_LABELS_H

#include "eval/classification_metrics.h"

typedef struct {
    int image;
    double score;
} suspect;

/* order: [x->count], all images, the highest score first and of equal ones the first in the list. x->labels are those
 * given. A class without images, for which there is no t, is no other class to be likelier; with a single class that
 * has images all scores are 0. */
void rank_suspects(const predictions *x, suspect *order);

/* How many of the first `count` images have a given label that is not the true one. */
int wrong_among(const suspect *order, int count, const int *given, const int *truth);

#endif
