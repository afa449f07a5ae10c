/* The label methods. Each has a function that makes its ols_target_spec; loss.c and ols_kernels.cu use only the spec
 * and need not know the method. docs/methods.md has the equations and what they cost. */
#include "ols/ols.h"

#include "ols/terms.h"

/* ---- Methods: what they make of their options -------------------------------------------------------------------- */

static ols_target_spec hard_label(float weight)
{
    ols_target_spec spec = {0};
    spec.hard_weight = weight;
    return spec;
}

/* The hard label, and a term beside it. */
static ols_target_spec label_and_term(float weight, ols_term term, float term_weight)
{
    ols_target_spec spec = hard_label(weight);
    spec.term = term;
    spec.term_weight = term_weight;
    return spec;
}

/* Hard labels, Eq. 1. */
static ols_target_spec hard_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    (void)options, (void)S, (void)row_sum, (void)classes;
    return hard_label(1);
}

/* Label smoothing, Eq. 2. */
static ols_target_spec ls_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = hard_label(1 - options->epsilon);
    spec.soft_weight = options->epsilon;
    spec.uniform = 1.f / classes;
    (void)S, (void)row_sum;
    return spec;
}

/* Online Label Smoothing, Eq. 3 and 4, also with one sample for each class. */
static ols_target_spec ols_target_of(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = hard_label(options->alpha);
    spec.soft_weight = options->soft_weight < 0 ? 1 - options->alpha : options->soft_weight;
    spec.S = S;
    spec.row_sum = row_sum;
    (void)classes;
    return spec;
}

/* The target beta t + (1 - beta) p: the rest is the entropy of p. */
static ols_target_spec bootsoft_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    const float beta = options->boot_beta < 0 ? .95f : options->boot_beta;
    (void)S, (void)row_sum, (void)classes;
    return label_and_term(beta, OLS_ENTROPY, 1 - beta);
}

/* The target beta t + (1 - beta) z. */
static ols_target_spec boothard_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    const float beta = options->boot_beta < 0 ? .8f : options->boot_beta;
    (void)S, (void)row_sum, (void)classes;
    return label_and_term(beta, OLS_PREDICTED, 1 - beta);
}

static ols_target_spec disturb_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = hard_label(1);
    spec.disturb = options->disturb_alpha;
    (void)S, (void)row_sum, (void)classes;
    return spec;
}

/* The reverse cross entropy -sum_k p[k] log t[k] of a one-hot t, with A for log 0, is -A (1 - p[y]). */
static ols_target_spec sce_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    (void)S, (void)row_sum, (void)classes;
    return label_and_term(options->sce_alpha, OLS_REVERSE, options->sce_beta * -options->sce_a);
}

static ols_target_spec gce_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = label_and_term(0, OLS_POWER, 1);
    spec.exponent = options->gce_q;
    (void)S, (void)row_sum, (void)classes;
    return spec;
}

static ols_target_spec pc_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = hard_label(1);
    spec.pair_weight = options->pc_lambda;
    (void)S, (void)row_sum, (void)classes;
    return spec;
}

/* The teacher of Eq. 9. Softened by a temperature it has the entries c^(1/tau) and others^(1/tau), divided by their
 * sum. With temperature 1 it is a label smoothing. */
static ols_target_spec tfkd_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    const float weight = options->tfkd_alpha, exponent = 1 / options->tfkd_temperature;
    const double right = pow(options->tfkd_c, exponent);
    const double other = pow((1 - (double)options->tfkd_c) / (classes - 1), exponent);
    const double sum = right + (classes - 1) * other;
    ols_target_spec spec = label_and_term(1 - weight, OLS_TEACHER, weight);
    (void)S, (void)row_sum;
    spec.exponent = exponent;
    spec.teacher[0] = (float)(right / sum);
    spec.teacher[1] = (float)(other / sum);
    if (exponent == 1) {
        spec.term = OLS_NO_TERM;
        spec.hard_weight += weight * (spec.teacher[0] - spec.teacher[1]);
        spec.soft_weight = weight * spec.teacher[1] * classes;
        spec.uniform = 1.f / classes;
    }
    return spec;
}

/* ---- The table --------------------------------------------------------------------------------------------------- */

/* What the equations of a method are about: less goes with more kinds of scores. */
typedef enum {
    NEEDS_SCORES,        /* any, also the linear ones of YOLO v1 */
    NEEDS_PROBABILITIES, /* of one distribution, or of classes each by itself */
    NEEDS_SOFTMAX,       /* one distribution */
    NEEDS_BATCH          /* pairs of samples */
} requirement;

/* One row per method, in the order of ols_smoothing. */
static const struct {
    const char *name;
    int has_state; /* 1: keeps statistics of the predictions */
    int softens;   /* 1: ols_softens */
    requirement needs;
    ols_target_spec (*make)(const ols_options *, const float *S, const float *row_sum, int classes);
} methods[] = {
    {"hard", 0, 0, NEEDS_SCORES, hard_target},
    {"ls", 0, 1, NEEDS_SCORES, ls_target},
    {"ols", 1, 1, NEEDS_SCORES, ols_target_of},
    {"ols-single", 1, 1, NEEDS_SCORES, ols_target_of},
    {"bootsoft", 0, 0, NEEDS_PROBABILITIES, bootsoft_target},
    {"boothard", 0, 0, NEEDS_SCORES, boothard_target},
    {"disturb", 0, 1, NEEDS_SCORES, disturb_target},
    {"sce", 0, 0, NEEDS_SOFTMAX, sce_target},
    {"gce", 0, 0, NEEDS_SOFTMAX, gce_target},
    {"pc", 0, 0, NEEDS_BATCH, pc_target},
    {"tfkd", 0, 0, NEEDS_SOFTMAX, tfkd_target},
};
enum { METHODS = sizeof methods / sizeof methods[0] };

const char *ols_smoothing_name(int smoothing)
{
    return smoothing >= 0 && smoothing < METHODS ? methods[smoothing].name : 0;
}

int ols_has_state(const ols_options *options)
{
    return methods[options->smoothing].has_state;
}

int ols_softens(const ols_options *options)
{
    return methods[options->smoothing].softens;
}

const char *ols_unfit(const ols_options *options, ols_scores scores)
{
    const int is_linear_tfkd = options->smoothing == OLS_TFKD && options->tfkd_temperature == 1;
    const requirement needs = is_linear_tfkd ? NEEDS_SCORES : methods[options->smoothing].needs;
    if (needs == NEEDS_BATCH && scores != OLS_CLASSIFIER)
        return "it compares pairs of images, and an image has any number of objects";
    if (needs == NEEDS_SOFTMAX && scores > OLS_SOFTMAX_HEAD)
        return options->smoothing == OLS_TFKD
                   ? "with a temperature it needs a softmax over the classes; tfkd_temperature=1 does without"
                   : "it needs a softmax over the classes, and here each has a score of its own";
    if (needs == NEEDS_PROBABILITIES && scores == OLS_LINEAR_HEAD)
        return "it needs probabilities, and scores without softmax=1 are none here";
    return 0;
}

static ols_target_spec make_target_spec(const ols_options *options, int64_t updates, const float *S,
                                        const float *row_sum, int classes)
{
    const ols_smoothing method = S && updates < options->start ? OLS_HARD : options->smoothing;
    return methods[method].make(options, S, row_sum, classes);
}

ols_target_spec ols_make_target_spec(const ols_options *options, const ols_state *state, int classes)
{
    return make_target_spec(options, state ? state->updates : 0, state ? state->S : 0, state ? state->row_sum : 0,
                            classes);
}

ols_target_spec ols_make_target_spec_gpu(const ols_options *options, const ols_state *state, int classes)
{
    return make_target_spec(options, state ? state->updates : 0, state ? state->S_gpu : 0,
                            state ? state->row_sum_gpu : 0, classes);
}

/* ---- One sample -------------------------------------------------------------------------------------------------- */

float ols_target(const ols_target_spec *spec, int classes, int label, float *q)
{
    const float *row = spec->S ? spec->S + (size_t)label * classes : 0;
    int k;
    for (k = 0; k < classes; ++k) q[k] = spec->soft_weight * (row ? row[k] : spec->uniform);
    q[label] += spec->hard_weight;
    return spec->hard_weight + spec->soft_weight * (spec->row_sum ? spec->row_sum[label] : 1);
}

float ols_target_weight(const ols_target_spec *spec, int label)
{
    const int has_soft_term = !spec->row_sum || spec->row_sum[label] > 0;
    return spec->hard_weight + (has_soft_term ? spec->soft_weight : 0);
}

uint64_t ols_draw_key(uint64_t seed, uint64_t counter, uint64_t part)
{
    return splitmix64_mix(splitmix64_mix(splitmix64_mix(seed) + counter) + part);
}

int ols_draw_class(const ols_target_spec *spec, int classes, int label, uint64_t number)
{
    return ols_class_drawn(spec, classes, label, number);
}
