/* Which target a method asks for: the table of methods, their options as text, and the mixture they come to. */
#include "ols/ols.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Methods ---------------------------------------------------------------------------------------------------- */

static ols_mix mix_hard(const ols_options *options, const float *rows, const float *weight, int classes)
{
    ols_mix mix = {1, 0, 0, 0, 0};
    (void)options, (void)rows, (void)weight, (void)classes;
    return mix;
}

/* Eq. 2 */
static ols_mix mix_ls(const ols_options *options, const float *rows, const float *weight, int classes)
{
    ols_mix mix = {1 - options->epsilon, options->epsilon, 1.f / classes, 0, 0};
    (void)rows, (void)weight;
    return mix;
}

/* Eq. 3 and 4 */
static ols_mix mix_ols(const ols_options *options, const float *rows, const float *weight, int classes)
{
    float soft = options->soft_weight < 0 ? 1 - options->alpha : options->soft_weight;
    ols_mix mix = {options->alpha, soft, 0, rows, weight};
    (void)classes;
    return mix;
}

/* One row a method, in the order of ols_smoothing. */
static const struct {
    const char *name;
    int has_state;
    ols_mix (*mix)(const ols_options *, const float *rows, const float *weight, int classes);
} methods[] = {
    {"hard", 0, mix_hard},
    {"ls", 0, mix_ls},
    {"ols", 1, mix_ols},
};
enum { METHODS = sizeof methods / sizeof methods[0] };

const char *ols_smoothing_name(ols_smoothing smoothing)
{
    return methods[smoothing].name;
}

int ols_has_state(const ols_options *options)
{
    return methods[options->smoothing].has_state;
}

ols_mix ols_target_mix(const ols_options *options, const ols_state *state, int classes)
{
    return methods[options->smoothing].mix(options, state ? state->soft : 0, state ? state->weight : 0, classes);
}

ols_mix ols_target_mix_gpu(const ols_options *options, const ols_state *state, int classes)
{
    return methods[options->smoothing].mix(options, state ? state->soft_gpu : 0, state ? state->weight_gpu : 0,
                                           classes);
}

float ols_target(const ols_mix *mix, int classes, int label, float *q)
{
    const float *row = mix->rows ? mix->rows + (size_t)label * classes : 0;
    int k;
    for (k = 0; k < classes; ++k) q[k] = mix->soft * (row ? row[k] : mix->flat);
    q[label] += mix->hard;
    return mix->hard + mix->soft * (mix->weight ? mix->weight[label] : 1);
}

/* ---- Options as text -------------------------------------------------------------------------------------------- */

ols_options ols_default_options(ols_smoothing smoothing)
{
    ols_options options = {smoothing, .5f, -1, .1f, 0, OLS_ROW_UNIFORM, OLS_ROW_UNIFORM, 0};
    return options;
}

const char *const ols_option_keys[] = {"smoothing", "alpha", "soft_weight", "epsilon", "period",
                                       "init",      "empty", "freeze",      0};

/* 0 and *out when the whole text is a number in [low, high]. NaN is in no range. */
static int parse_number(const char *text, double low, double high, double *out)
{
    char *end;
    double number;
    /* strtod also takes hexadecimal, names of NaN and of infinity, and space in front. */
    if (!*text || text[strspn(text, "0123456789.eE+-")]) return -1;
    errno = 0;
    number = strtod(text, &end);
    if (errno || *end || !(number >= low && number <= high)) return -1;
    *out = number;
    return 0;
}

/* The value without the comment and the blanks behind it; "" where it is longer than any valid value. */
static void trim(const char *value, char *text, size_t size)
{
    size_t length = strcspn(value, "#");
    while (length && strchr(" \t\r", value[length - 1])) --length;
    if (length >= size) length = 0;
    memcpy(text, value, length);
    text[length] = 0;
}

int ols_parse_number(const char *value, double low, double high, double *out)
{
    char text[64];
    trim(value, text, sizeof text);
    return parse_number(text, low, high, out);
}

static int parse_real(const char *text, double high, float *out, char *range, size_t size)
{
    double number;
    if (parse_number(text, 0, high, &number)) {
        snprintf(range, size, "a number from 0 to %g", high);
        return -1;
    }
    *out = (float)number;
    return 0;
}

/* Index of `text` among `names` (ends with NULL), or -1 and the names in `range`. */
static int parse_choice(const char *text, const char *const *names, char *range, size_t size)
{
    size_t used = 0;
    int i;
    for (i = 0; names[i]; ++i)
        if (!strcmp(text, names[i])) return i;
    range[0] = 0;
    for (i = 0; names[i] && used < size; ++i)
        used += (size_t)snprintf(range + used, size - used, "%s%s", i ? (names[i + 1] ? ", " : " or ") : "", names[i]);
    return -1;
}

int ols_set_option(ols_options *options, const char *key, const char *value, char *range, size_t size)
{
    static const char *const rows[] = {"uniform", "zero", "ls", 0};
    static const ols_row row_values[] = {OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_LS};
    static const char *const empties[] = {"uniform", "zero", "keep", 0};
    static const ols_row empty_values[] = {OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_KEEP};
    char text[64];
    double number;
    int i;

    trim(value, text, sizeof text);
    if (!strcmp(key, "smoothing")) {
        const char *names[METHODS + 1] = {0};
        for (i = 0; i < METHODS; ++i) names[i] = methods[i].name;
        if ((i = parse_choice(text, names, range, size)) < 0) return -1;
        options->smoothing = (ols_smoothing)i;
    } else if (!strcmp(key, "alpha")) {
        return parse_real(text, 1, &options->alpha, range, size);
    } else if (!strcmp(key, "soft_weight")) {
        return parse_real(text, 10, &options->soft_weight, range, size);
    } else if (!strcmp(key, "epsilon")) {
        return parse_real(text, 1, &options->epsilon, range, size);
    } else if (!strcmp(key, "period")) {
        if (!strcmp(text, "epoch")) {
            options->period = 0;
        } else if (parse_number(text, 1, 1e9, &number) || number != floor(number)) {
            snprintf(range, size, "epoch or a whole number of iterations from 1 to 1000000000");
            return -1;
        } else {
            options->period = (int64_t)number;
        }
    } else if (!strcmp(key, "init")) {
        if ((i = parse_choice(text, rows, range, size)) < 0) return -1;
        options->init = row_values[i];
    } else if (!strcmp(key, "empty")) {
        if ((i = parse_choice(text, empties, range, size)) < 0) return -1;
        options->empty = empty_values[i];
    } else if (!strcmp(key, "freeze")) {
        return parse_real(text, 1, &options->freeze, range, size);
    } else {
        snprintf(range, size, "(no such key)");
        return -1;
    }
    return 0;
}
