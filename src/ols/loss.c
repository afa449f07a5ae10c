/* Softmax, loss and gradient of one batch on the CPU. ols_kernels.cu holds the CUDA twins. */
#include "ols/ols.h"

#include "base/vectorize.h"
#include "ols/terms.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { CHUNK = 64 }; /* elements that are summed in float; the sums of these chunks are added in double */

/* ---- Passes over the K entries of one sample -------------------------------------------------------------------- */

/* exp(x) for x <= 0, with an error of at most 1.5 units in the last place. Returns 0 for x < -87.3, where floats become
 * denormal; NaN stays NaN. Method: exp(x) = 2^n exp(r) with n = x / ln 2, rounded, and |r| <= ln 2 / 2. exp(r) is its
 * Taylor series up to r^7; the rest is below 6e-9. */
static inline float exp_of_negative(float x)
{
    const float lowest = -87.3f, log2_e = 1.44269504f;
    const float ln2_high = .693359375f, ln2_low = -2.12194440e-4f; /* n * ln2_high is exact */
    const float to_integer = 12582912;                             /* 1.5 * 2^23: adding it rounds to a whole number */
    float within = x < lowest ? lowest : x;
    float rounded = within * log2_e + to_integer, n = rounded - to_integer;
    float r = (within - n * ln2_high) - n * ln2_low, power;
    float series =
        1 + r * (1 + r * (.5f + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * (1.f / 720 + r / 5040))))));
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    bits = (bits + 127) << 23; /* the low bits of `rounded` hold n; the exponent field of the float 2^n holds n + 127 */
    memcpy(&power, &bits, sizeof power);
    return x < lowest ? 0 : series * power;
}

/* Counts the entries that are not 0, and sets *first and *last to the indices of the first and the last of them. */
VECTORIZED static int count_entries(const float *row, int n, int *first, int *last)
{
    int count = 0, low = n, high = -1, k;
#pragma omp simd reduction(+ : count) reduction(min : low) reduction(max : high)
    for (k = 0; k < n; ++k) {
        int before = row[k] != 0 ? k : n, after = row[k] != 0 ? k : -1;
        count += row[k] != 0;
        low = before < low ? before : low;
        high = after > high ? after : high;
    }
    *first = low;
    *last = high;
    return count;
}

/* Sets out = a row_a + b row_b. */
VECTORIZED static void mix(float a, const float *row_a, float b, const float *row_b, int n, float *out)
{
    int k;
#pragma omp simd
    for (k = 0; k < n; ++k) out[k] = a * row_a[k] + b * row_b[k];
}

/* The largest entry. Ignores NaN; -infinity if there is no other entry. */
VECTORIZED static float largest(const float *x, int n)
{
    float most = -INFINITY;
    int k;
#pragma omp simd reduction(max : most)
    for (k = 0; k < n; ++k) most = x[k] > most ? x[k] : most;
    return most;
}

/* Sets e[k] = exp((x[k] - top) / temperature) and returns the sum of e. */
VECTORIZED static double exponentials(const float *x, int n, float top, float inverse_temperature, float *e)
{
    double total = 0;
    int start, k;
    for (start = 0; start < n; start += CHUNK) {
        int end = n - start < CHUNK ? n : start + CHUNK;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (k = start; k < end; ++k) {
            e[k] = exp_of_negative((x[k] - top) * inverse_temperature);
            sum += e[k];
        }
        total += sum;
    }
    return total;
}

/* Whether `at` is the index of the largest logit, the first one if several are equal. `e` holds the exponentials; those
 * of the largest logits are exactly 1. */
VECTORIZED static int first_largest(const float *e, int at)
{
    int earlier = 0, k;
#pragma omp simd reduction(| : earlier)
    for (k = 0; k < at; ++k) earlier |= e[k] == 1;
    return e[at] == 1 && !earlier;
}

/* What loss and gradient of one sample are computed from, besides its arrays of K entries. */
typedef struct {
    float top, inverse_temperature; /* z[k] = (logits[k] - top) * inverse_temperature */
    float log_sum;                  /* log sum_k exp(z[k]) */
    float inverse_sum;              /* 1 / sum_k exp(z[k]) */
    float soft_weight;              /* q[k] = soft_weight * row[k], or `flat` if row is NULL; without the hard label */
    float flat;
    float target_sum; /* delta = q - target_sum p */
} sample;

/* -q log p of one class. Returns 0 if q is 0, also when the logit is -infinity: 0 times infinity would be NaN. */
static inline float term(const sample *s, float q, float logit)
{
    return q != 0 ? q * (s->log_sum - (logit - s->top) * s->inverse_temperature) : 0;
}

/* Turns the exponentials in p into probabilities, writes delta and returns the loss, all without the hard label, which
 * forward_sample adds. */
VECTORIZED static double cross_entropy(const sample s, const float *logits, const float *row, int n, float *p,
                                       float *delta)
{
    double total = 0;
    int start, k;
    for (start = 0; start < n; start += CHUNK) {
        int end = n - start < CHUNK ? n : start + CHUNK;
        float sum = 0;
        if (row) {
#pragma omp simd reduction(+ : sum)
            for (k = start; k < end; ++k) {
                float q = s.soft_weight * row[k];
                p[k] *= s.inverse_sum;
                delta[k] = q - s.target_sum * p[k];
                sum += term(&s, q, logits[k]);
            }
        } else {
#pragma omp simd reduction(+ : sum)
            for (k = start; k < end; ++k) {
                p[k] *= s.inverse_sum;
                delta[k] = s.flat - s.target_sum * p[k];
                sum += term(&s, s.flat, logits[k]);
            }
        }
        total += sum;
    }
    return total;
}

/* The classes that a row of truth says, and their shares, which sum to 1. */
typedef struct {
    int count; /* 1; 2 for a mixture; 0 for any other row */
    int classes[2];
    float shares[2];
} truth_classes;

static truth_classes classes_of(const float *truth, int n)
{
    truth_classes t = {0, {0, 0}, {1, 0}};
    const int count = count_entries(truth, n, t.classes, t.classes + 1);
    if (count == 1) t.count = 1;
    if (count != 2) return t;
    t.shares[0] = truth[t.classes[0]];
    t.shares[1] = truth[t.classes[1]];
    if (t.shares[0] > 0 && t.shares[1] > 0 && fabsf(t.shares[0] + t.shares[1] - 1) <= OLS_SHARE_ERROR) t.count = 2;
    t.shares[1] = 1 - t.shares[0];
    return t;
}

static int label_of(const truth_classes *t)
{
    return t->count ? t->classes[t->shares[1] > t->shares[0]] : -1;
}

void ols_labels(int classes, int batch, const float *truth, int *labels)
{
    int b;
    for (b = 0; b < batch; ++b) {
        truth_classes t = classes_of(truth + (size_t)b * classes, classes);
        labels[b] = label_of(&t);
    }
}

/* The row of soft labels of a sample: that of its class, or the mixture of two, which is written to `space`. NULL where
 * all entries are spec->uniform. */
static const float *row_of(const ols_target_spec *spec, const truth_classes *t, int classes, float *space)
{
    const float *first;
    if (!spec->S) return 0;
    first = spec->S + (size_t)t->classes[0] * classes;
    if (t->count == 1) return first;
    mix(t->shares[0], first, t->shares[1], spec->S + (size_t)t->classes[1] * classes, classes, space);
    return space;
}

/* ---- Terms of methods: they are returned, and their negative gradients added to delta ---------------------------- */

/* log p[k]. Where only the scores p are known, there are no logits. */
static inline float log_of(const sample *s, const float *logits, const float *p, int k)
{
    if (!logits) return logf(p[k] > FLT_MIN ? p[k] : FLT_MIN);
    return (logits[k] - s->top) * s->inverse_temperature - s->log_sum;
}

/* Adds what a cross entropy with the label c adds, times `weight`. */
VECTORIZED static void add_label(float weight, int c, int n, const float *p, float *delta)
{
    int k;
#pragma omp simd
    for (k = 0; k < n; ++k) delta[k] -= weight * p[k];
    delta[c] += weight;
}

/* OLS_ENTROPY: d(-sum p log p)/dlogit[k] = -p[k] (log p[k] + entropy), through both p. */
static double entropy_term(float weight, const sample *s, const float *logits, int n, const float *p, float *delta)
{
    double entropy = 0;
    int k;
    for (k = 0; k < n; ++k)
        if (p[k] > 0) entropy -= p[k] * log_of(s, logits, p, k);
    for (k = 0; k < n; ++k)
        if (p[k] > 0) delta[k] += weight * p[k] * (log_of(s, logits, p, k) + (float)entropy);
    return weight * entropy;
}

static int first_of_largest(const float *p, int n)
{
    int k, top = 0;
    for (k = 1; k < n; ++k)
        if (p[k] > p[top]) top = k;
    return top;
}

static double predicted_term(float weight, const sample *s, const float *logits, int n, const float *p, float *delta)
{
    const int c = first_of_largest(p, n);
    add_label(weight, c, n, p, delta);
    return -weight * log_of(s, logits, p, c);
}

/* OLS_REVERSE and OLS_POWER. */
static double label_terms(const ols_target_spec *spec, const sample *s, const truth_classes *t, const float *logits,
                          int n, const float *p, float *delta)
{
    double total = 0;
    int i;
    for (i = 0; i < t->count; ++i) {
        float slope;
        total += t->shares[i] * ols_label_term(spec, log_of(s, logits, p, t->classes[i]), &slope);
        add_label(t->shares[i] * slope, t->classes[i], n, p, delta);
    }
    return total;
}

static double teacher_term(const ols_target_spec *spec, const sample *s, const truth_classes *t, const float *logits,
                           int n, const float *p, float *delta)
{
    const float power = spec->exponent, scale = spec->term_weight * power;
    const float at_label = spec->teacher[0] - spec->teacher[1];
    double sum = 0, weighed = 0, inverse;
    int k, i;
    for (k = 0; k < n; ++k) {
        const float z = power * log_of(s, logits, p, k);
        sum += exp_of_negative(z);
        if (spec->teacher[1] != 0) weighed += spec->teacher[1] * z; /* z may be -infinity */
    }
    inverse = 1 / sum;
    for (k = 0; k < n; ++k)
        delta[k] += scale * (spec->teacher[1] - (float)(exp_of_negative(power * log_of(s, logits, p, k)) * inverse));
    for (i = 0; i < t->count; ++i) {
        weighed += t->shares[i] * at_label * power * log_of(s, logits, p, t->classes[i]);
        delta[t->classes[i]] += scale * t->shares[i] * at_label;
    }
    return spec->term_weight * (log(sum) - weighed);
}

static double add_term(const ols_target_spec *spec, const sample *s, const truth_classes *t, const float *logits, int n,
                       const float *p, float *delta)
{
    switch (spec->term) {
    case OLS_NO_TERM:
        break;
    case OLS_ENTROPY:
        return entropy_term(spec->term_weight, s, logits, n, p, delta);
    case OLS_PREDICTED:
        return predicted_term(spec->term_weight, s, logits, n, p, delta);
    case OLS_REVERSE:
    case OLS_POWER:
        return label_terms(spec, s, t, logits, n, p, delta);
    case OLS_TEACHER:
        return teacher_term(spec, s, t, logits, n, p, delta);
    }
    return 0;
}

/* The entropies of classes that are each scored by itself: their derivative by a logit z is -z p (1 - p). */
static void entropies_of_sigmoids(float weight, int n, const float *p, float *delta)
{
    int k;
    for (k = 0; k < n; ++k)
        if (p[k] > 0 && p[k] < 1) delta[k] += weight * p[k] * (1 - p[k]) * logf(p[k] / (1 - p[k]));
}

void ols_term_delta(const ols_target_spec *spec, int classes, int label, int softmax, const float *p, float *delta)
{
    const truth_classes t = {1, {label, label}, {1, 0}};
    const sample unused = {0, 0, 0, 0, 0, 0, 0};
    memset(delta, 0, classes * sizeof *delta);
    if (spec->term == OLS_ENTROPY && !softmax)
        entropies_of_sigmoids(spec->term_weight, classes, p, delta);
    else
        add_term(spec, &unused, &t, 0, classes, p, delta);
}

/* The squared distance of two predictions of two classes. With g[k] = 2 (p[k] - other[k]), its derivative by a logit of
 * p is p[k] (g[k] - sum_j g[j] p[j]). */
static void confuse_pair(float weight, int n, const float *p, const float *other, float *delta, float *other_delta,
                         float *loss, float *other_loss)
{
    double distance = 0, along = 0, along_other = 0;
    int k;
    for (k = 0; k < n; ++k) {
        const double g = 2. * (p[k] - other[k]);
        distance += g * g / 4;
        along += g * p[k];
        along_other += g * other[k];
    }
    for (k = 0; k < n; ++k) {
        const float g = 2 * (p[k] - other[k]);
        delta[k] -= weight * p[k] * (g - (float)along);
        other_delta[k] += weight * other[k] * (g - (float)along_other);
    }
    *loss += (float)(weight / 2 * distance);
    *other_loss += (float)(weight / 2 * distance);
}

static void confuse_pairs(float weight, int classes, int batch, const float *probs, const int *labels, float *delta,
                          float *loss)
{
    const int half = batch / 2;
    int b;
#pragma omp parallel for schedule(static) if ((size_t)batch * classes >= PARALLEL_FROM)
    for (b = 0; b < half; ++b) {
        const size_t at = (size_t)b * classes, other = (size_t)(b + half) * classes;
        if (labels[b] < 0 || labels[b + half] < 0 || labels[b] == labels[b + half]) continue;
        confuse_pair(weight, classes, probs + at, probs + other, delta + at, delta + other, loss + b, loss + b + half);
    }
}

/* ---- One batch -------------------------------------------------------------------------------------------------- */

/* Draws the classes of the target of sample `number` of the batch. */
static void disturb(const ols_target_spec *spec, int classes, int number, truth_classes *t)
{
    int i;
    for (i = 0; i < t->count; ++i)
        t->classes[i] = ols_class_drawn(spec, classes, t->classes[i], 2 * (uint64_t)number + i);
    if (t->count < 2 || t->classes[0] != t->classes[1]) return;
    t->count = 1; /* of one class now */
    t->shares[0] = 1;
}

static void forward_sample(const ols_target_spec *spec, int classes, int number, const float *logits, float temperature,
                           const float *truth, float *probs, float *delta, float *loss, int *label, int *hit)
{
    float top = largest(logits, classes), soft[2];
    double sum = exponentials(logits, classes, top, 1 / temperature, probs);
    double total;
    sample s = {top, 1 / temperature, (float)log(sum), (float)(1 / sum), 1, 0, 1};
    truth_classes t = classes_of(truth, classes);
    const float *row = truth;
    int i;
    *label = label_of(&t);
    *hit = *label >= 0 && isfinite(sum) && first_largest(probs, *label) ? *label : -1;
    if (spec->disturb > 0) disturb(spec, classes, number, &t);
    if (t.count) {
        row = row_of(spec, &t, classes, delta); /* cross_entropy reads an entry before it writes that of delta */
        s.soft_weight = spec->soft_weight;
        s.flat = spec->soft_weight * spec->uniform;
        s.target_sum = 0;
    }
    for (i = 0; i < t.count; ++i) {
        const float row_sum = spec->row_sum ? spec->row_sum[t.classes[i]] : 1;
        s.target_sum += t.shares[i] * (spec->hard_weight + spec->soft_weight * row_sum);
        soft[i] = row ? s.soft_weight * row[t.classes[i]] : s.flat;
    }
    total = cross_entropy(s, logits, row, classes, probs, delta);
    for (i = 0; i < t.count; ++i) { /* add the hard labels, each of which changes one entry of the target */
        const int k = t.classes[i];
        const float hard = t.shares[i] * spec->hard_weight;
        total += term(&s, hard, logits[k]);
        delta[k] = soft[i] + hard - s.target_sum * probs[k];
    }
    if (t.count && spec->term) total += isfinite(sum) ? add_term(spec, &s, &t, logits, classes, probs, delta) : NAN;
    *loss = (float)total;
}

void ols_softmax_cross_entropy(const ols_target_spec *spec, int classes, int batch, const float *logits,
                               float temperature, const float *truth, float *probs, float *delta, float *loss,
                               int *labels, int *hits)
{
    int b;
#pragma omp parallel for schedule(static) if ((size_t)batch * classes >= PARALLEL_FROM)
    for (b = 0; b < batch; ++b) {
        size_t at = (size_t)b * classes;
        forward_sample(spec, classes, b, logits + at, temperature, truth + at, probs + at, delta + at, loss + b,
                       labels + b, hits + b);
    }
    if (spec->pair_weight > 0) confuse_pairs(spec->pair_weight, classes, batch, probs, labels, delta, loss);
}
