#include "eval/classification_metrics.h"

#include "base/memory.h"
#include "base/splitmix64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const float *prediction_of(const predictions *x, int image)
{
    return x->p + (size_t)image * x->classes;
}

static double log_probability(float p)
{
    return log(p > LOWEST_PROBABILITY ? p : LOWEST_PROBABILITY);
}

/* ---- One distribution ------------------------------------------------------------------------------------------- */

int predicted_class(const float *p, int classes)
{
    int k, best = 0;
    for (k = 1; k < classes; ++k) {
        if (p[k] > p[best]) best = k;
    }
    return best;
}

int label_rank(const float *p, int classes, int label)
{
    int k, rank = 0;
    for (k = 0; k < classes; ++k) rank += p[k] > p[label] || (p[k] == p[label] && k < label);
    return rank;
}

/* ---- All images ------------------------------------------------------------------------------------------------- */

int default_top_k(int classes)
{
    return classes > 5 ? 5 : classes > 2 ? classes - 1 : 1;
}

double top_k_accuracy(const predictions *x, int k)
{
    size_t correct = 0;
    int i;
    for (i = 0; i < x->count; ++i) correct += label_rank(prediction_of(x, i), x->classes, x->labels[i]) < k;
    return (double)correct / x->count;
}

double negative_log_likelihood(const predictions *x)
{
    double sum = 0;
    int i;
    for (i = 0; i < x->count; ++i) sum -= log_probability(prediction_of(x, i)[x->labels[i]]);
    return sum / x->count;
}

double brier_score(const predictions *x)
{
    double sum = 0;
    int i, k;
    for (i = 0; i < x->count; ++i) {
        const float *p = prediction_of(x, i);
        for (k = 0; k < x->classes; ++k) {
            double difference = p[k] - (double)(k == x->labels[i]);
            sum += difference * difference;
        }
    }
    return sum / x->count;
}

/* ---- Calibration ------------------------------------------------------------------------------------------------ */

void calibration_add(calibration_bin *bins, int bin_count, double p, int correct)
{
    int m = (int)ceil(p * bin_count) - 1;
    m = m < 0 ? 0 : m >= bin_count ? bin_count - 1 : m; /* a softmax in floats may come to a little more than 1 */
    ++bins[m].count;
    bins[m].probability += p;
    bins[m].correct += correct;
}

void reliability_bins(const predictions *x, calibration_bin *bins, int bin_count)
{
    int i;
    memset(bins, 0, bin_count * sizeof *bins);
    for (i = 0; i < x->count; ++i) {
        const float *p = prediction_of(x, i);
        const int k = predicted_class(p, x->classes);
        calibration_add(bins, bin_count, p[k], k == x->labels[i]);
    }
}

double expected_calibration_error(const calibration_bin *bins, int bin_count)
{
    double sum = 0, count = 0;
    int m;
    for (m = 0; m < bin_count; ++m) {
        sum += fabs(bins[m].correct - bins[m].probability); /* the bin's count cancels out */
        count += bins[m].count;
    }
    return count > 0 ? sum / count : 0;
}

double classwise_calibration_error(const predictions *x, int bin_count)
{
    calibration_bin *bins = (calibration_bin *)xcalloc(bin_count, sizeof *bins);
    double sum = 0;
    int i, k;
    for (k = 0; k < x->classes; ++k) {
        memset(bins, 0, bin_count * sizeof *bins);
        for (i = 0; i < x->count; ++i) calibration_add(bins, bin_count, prediction_of(x, i)[k], k == x->labels[i]);
        sum += expected_calibration_error(bins, bin_count);
    }
    free(bins);
    return sum / x->classes;
}

/* ---- Temperature ------------------------------------------------------------------------------------------------ */

void scale_temperature(const float *p, int classes, double temperature, float *scaled)
{
    const double highest = log_probability(p[predicted_class(p, classes)]);
    double sum = 0;
    int k;
    for (k = 0; k < classes; ++k) sum += exp((log_probability(p[k]) - highest) / temperature);
    for (k = 0; k < classes; ++k) scaled[k] = (float)(exp((log_probability(p[k]) - highest) / temperature) / sum);
}

/* Derivative of the NLL by 1/T, times the number of images: sum of E_{p_T}[log p] - log p[y]. log_p: [count][classes].
 * It grows with 1/T. */
static double nll_slope(const predictions *x, const float *log_p, double temperature)
{
    double slope = 0;
    int i, k;
    for (i = 0; i < x->count; ++i, log_p += x->classes) {
        const double highest = log_p[predicted_class(log_p, x->classes)];
        double sum = 0, weighted = 0;
        for (k = 0; k < x->classes; ++k) {
            double e = exp((log_p[k] - highest) / temperature);
            sum += e;
            weighted += e * log_p[k];
        }
        slope += weighted / sum - log_p[x->labels[i]];
    }
    return slope;
}

double best_temperature(const predictions *x)
{
    const size_t n = (size_t)x->count * x->classes;
    float *log_p = (float *)xmalloc(n * sizeof *log_p);
    double low = log(LOWEST_TEMPERATURE), high = log(HIGHEST_TEMPERATURE);
    size_t i;
    for (i = 0; i < n; ++i) log_p[i] = (float)log_probability(x->p[i]);
    while (high - low > 1e-7) {
        double middle = (low + high) / 2;
        if (nll_slope(x, log_p, exp(middle)) > 0) /* NLL grows with 1/T: T should be higher */
            low = middle;
        else
            high = middle;
    }
    free(log_p);
    return exp((low + high) / 2);
}

void split_order(int count, uint64_t seed, int *order)
{
    int i;
    for (i = 0; i < count; ++i) order[i] = i;
    for (i = count - 1; i > 0; --i) {
        int j = (int)((splitmix64_next(&seed) >> 32) * (uint64_t)(i + 1) >> 32), swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}

/* ---- Classes ---------------------------------------------------------------------------------------------------- */

void confusion_matrix(const int *labels, const int *predicted, int count, int classes, size_t *confusion)
{
    int i;
    memset(confusion, 0, (size_t)classes * classes * sizeof *confusion);
    for (i = 0; i < count; ++i) ++confusion[(size_t)labels[i] * classes + predicted[i]];
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

void metrics_by_class(const size_t *confusion, int classes, class_metrics *result)
{
    int y, k;
    memset(result, 0, classes * sizeof *result);
    for (y = 0; y < classes; ++y) {
        for (k = 0; k < classes; ++k) {
            const size_t n = confusion[(size_t)y * classes + k];
            result[y].images += n;
            result[k].predicted += n;
            if (y == k) result[y].correct = n;
        }
    }
    for (k = 0; k < classes; ++k) {
        class_metrics *c = &result[k];
        c->accuracy = ratio(c->correct, c->images);
        c->precision = ratio(c->correct, c->predicted);
        c->f1 = ratio(2. * c->correct, c->images + c->predicted);
    }
}

/* ---- Comparing two classifiers ---------------------------------------------------------------------------------- */

paired_difference paired_bootstrap(const unsigned char *a, const unsigned char *b, int count, int samples, double level,
                                   uint64_t seed)
{
    double *differences = (double *)xmalloc(samples * sizeof *differences);
    int *times = (int *)xmalloc(count * sizeof *times);
    paired_difference result;
    long long sum = 0;
    int i, s;
    for (i = 0; i < count; ++i) sum += a[i] - b[i];
    result.difference = (double)sum / count;
    for (s = 0; s < samples; ++s) {
        bootstrap_draw(&seed, count, times);
        sum = 0;
        for (i = 0; i < count; ++i) sum += times[i] * (a[i] - b[i]);
        differences[s] = (double)sum / count;
    }
    bootstrap_interval(differences, samples, level, &result);
    free(times);
    free(differences);
    return result;
}

/* ---- Humans ----------------------------------------------------------------------------------------------------- */

double kl_divergence(const float *h, const float *p, int classes)
{
    double sum = 0;
    int k;
    for (k = 0; k < classes; ++k) {
        if (h[k] > 0) sum += h[k] * (log(h[k]) - log_probability(p[k]));
    }
    return sum;
}
