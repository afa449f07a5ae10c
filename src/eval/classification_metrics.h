/* What a classifier's predictions are worth: plain functions from arrays to numbers.
 *
 * A prediction is a distribution p over K classes, the network's softmax. An image has one true label y. The class that
 * is predicted is the one with the largest probability (the first of equal ones), and that probability is the
 * prediction's confidence. All means are over images. Sums are in double precision, in the order of the images.
 *
 * tests/reference/classification_metrics.py computes the same with NumPy, independently.
 */
#ifndef CLASSIFICATION_METRICS_H
#define CLASSIFICATION_METRICS_H

#include "eval/bootstrap.h"

#include <stddef.h>
#include <stdint.h>

/* Where a logarithm is taken, a probability counts as this at least (the smallest normal float): a softmax in floats
 * comes to 0 for a class that it excludes, and one such image would make a mean infinite. */
#define LOWEST_PROBABILITY 1.17549435e-38

typedef struct {
    const float *p;    /* [count][classes]; each row sums to 1 */
    const int *labels; /* [count]: 0 to classes - 1 */
    int count, classes;
} predictions;

/* The row of an image. */
const float *prediction_of(const predictions *x, int image);

/* ---- One distribution ------------------------------------------------------------------------------------------- */

/* The predicted class. */
int predicted_class(const float *p, int classes);

/* How many classes come before `label`: those with a larger probability, and of equal ones those with a lower number.
 * 0: it is the predicted class. A label is among the top k where its rank is below k. */
int label_rank(const float *p, int classes, int label);

/* ---- All images ------------------------------------------------------------------------------------------------- */

/* The share of images whose label is among the k most probable classes. */
double top_k_accuracy(const predictions *x, int k);

/* k of top-k where nobody has chosen one: 5; with no more than 5 classes all but one of them, as the accuracy of all is
 * always 1. */
int default_top_k(int classes);

/* NLL, the mean of -log p[y]: cross entropy, in nats. */
double negative_log_likelihood(const predictions *x);

/* Brier score, the mean of sum_k (p[k] - [k == y])^2: 0 is perfect, 2 the worst (Brier, "Verification of forecasts
 * expressed in terms of probability", 1950). */
double brier_score(const predictions *x);

/* ---- Calibration ------------------------------------------------------------------------------------------------ */

/* Bin m of M, counted from 0, holds the probabilities in (m/M, (m+1)/M]; bin 0 also 0 itself. */
typedef struct {
    size_t count;
    double probability; /* sum over the bin's entries */
    double correct;     /* how many of them were right */
} calibration_bin;

/* Puts one probability into its bin: of something that was right (1) or not (0). */
void calibration_add(calibration_bin *bins, int bin_count, double p, int correct);

/* Puts the confidence of every image into its bin: a reliability diagram. `bins` gets bin_count of them. */
void reliability_bins(const predictions *x, calibration_bin *bins, int bin_count);

/* Expected calibration error (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017, Eq.
 * 3): sum over the bins of |accuracy - mean confidence|, each weighted by its share of the images. */
double expected_calibration_error(const calibration_bin *bins, int bin_count);

/* Class-wise, or static, calibration error (Nixon et al., "Measuring Calibration in Deep Learning", 2019, SCE): for
 * each class k the error as above of all p[k], where p[k] is right when y == k; the mean over the classes. */
double classwise_calibration_error(const predictions *x, int bin_count);

/* ---- Temperature ------------------------------------------------------------------------------------------------ */

/* The temperatures that are looked at. */
#define LOWEST_TEMPERATURE .01
#define HIGHEST_TEMPERATURE 100.

/* p_T[k] = p[k]^(1/T) / sum_j p[j]^(1/T): the softmax of the logits divided by T (Guo et al., Eq. 9), for log p is the
 * logits less a constant. `scaled` may be `p`. */
void scale_temperature(const float *p, int classes, double temperature, float *scaled);

/* The T that makes the NLL of the scaled distributions smallest. The NLL is convex in 1/T, and its derivative,
 * mean(log p[y]) against the mean of log p under p_T, is followed to zero by halving an interval of log T down to 1e-7.
 * Where the best T is out of range, the end of the range: so it is with images that are all predicted correctly, for
 * which no T is low enough. */
double best_temperature(const predictions *x);

/* A random order of 0..count-1, the same for a seed (Fisher and Yates' shuffle; splitmix64). The first half of it,
 * count/2, is what a temperature is fitted on, and the rest what it is judged by. */
void split_order(int count, uint64_t seed, int *order);

/* ---- Classes ---------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t images, predicted, correct; /* labelled so; predicted as such; both */
    double accuracy;                   /* correct / images: the class's recall; 0 without images */
    double precision;                  /* correct / predicted; 0 where never predicted */
    double f1;                         /* 2 correct / (images + predicted), the harmonic mean of the two; 0 for 0/0 */
} class_metrics;

/* From a confusion matrix, as below. `result` gets `classes` of them. */
void metrics_by_class(const size_t *confusion, int classes, class_metrics *result);

/* confusion[y * classes + k]: images of class y that were predicted as k. `predicted`: the class of each image. */
void confusion_matrix(const int *labels, const int *predicted, int count, int classes, size_t *confusion);

/* ---- Comparing two classifiers ---------------------------------------------------------------------------------- */

/* The difference in accuracy, with the middle `level` (.95) of `samples` differences by paired bootstrap
 * (eval/bootstrap.h). a, b: [count], 1 where the image was classified correctly. */
paired_difference paired_bootstrap(const unsigned char *a, const unsigned char *b, int count, int samples, double level,
                                   uint64_t seed);

/* ---- Humans ----------------------------------------------------------------------------------------------------- */

/* KL(h || p) = sum_k h[k] log(h[k] / p[k]), in nats: what is lost when p stands for the distribution h of human votes.
 * A class without votes adds nothing. */
double kl_divergence(const float *h, const float *p, int classes);

#endif
