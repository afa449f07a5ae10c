/* The label methods: hard labels, label smoothing, Online Label Smoothing. Each has a function that makes its
 * ols_target_spec; loss.c and ols_kernels.cu use only the spec and need not know the method. */
#include "ols/ols.h"

/* Hard labels, Eq. 1. */
static ols_target_spec hard_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = {1, 0, 0, 0, 0};
    (void)options, (void)S, (void)row_sum, (void)classes;
    return spec;
}

/* Label smoothing, Eq. 2. */
static ols_target_spec ls_target(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    ols_target_spec spec = {1 - options->epsilon, options->epsilon, 1.f / classes, 0, 0};
    (void)S, (void)row_sum;
    return spec;
}

/* Online Label Smoothing, Eq. 3 and 4. */
static ols_target_spec ols_target_of(const ols_options *options, const float *S, const float *row_sum, int classes)
{
    float soft_weight = options->soft_weight < 0 ? 1 - options->alpha : options->soft_weight;
    ols_target_spec spec = {options->alpha, soft_weight, 0, S, row_sum};
    (void)classes;
    return spec;
}

/* One row per method, in the order of ols_smoothing. */
static const struct {
    const char *name;
    int has_state; /* 1: keeps statistics of the predictions */
    ols_target_spec (*make)(const ols_options *, const float *S, const float *row_sum, int classes);
} methods[] = {
    {"hard", 0, hard_target},
    {"ls", 0, ls_target},
    {"ols", 1, ols_target_of},
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
