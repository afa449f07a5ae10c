/* The options of the method in a cfg. Defaults, parsing, comparison and error messages all come from one table. */
#include "ols/ols.h"

#include "base/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The table --------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int value;
} choice;

static const choice init_rows[] = {{"uniform", OLS_ROW_UNIFORM}, {"zero", OLS_ROW_ZERO}, {"ls", OLS_ROW_LS}, {0, 0}};
static const choice empty_rows[] = {
    {"uniform", OLS_ROW_UNIFORM}, {"zero", OLS_ROW_ZERO}, {"keep", OLS_ROW_KEEP}, {0, 0}};

static const choice presets[] = {
    {"paper", OLS_PAPER}, {"cifar", OLS_CIFAR}, {"fine-grained", OLS_FINE_GRAINED}, {0, 0}};

static const choice normalisations[] = {{"sum", OLS_BY_SUM}, {"hits", OLS_BY_HITS}, {0, 0}};

typedef enum {
    METHOD, /* an ols_smoothing, one of the names of ols_smoothing_name */
    CHOICE, /* another enum, one of `choices` */
    REAL,   /* a float from `low` to `high` */
    WHOLE,  /* an int64_t, a whole number from `low` to `high` */
    PERIOD  /* the same, or "epoch", stored as 0 */
} option_kind;

/* One row per option, in the order of ols_options. */
static const struct option_row {
    const char *key;
    option_kind kind;
    size_t offset; /* offset of the member in ols_options */
    double initial, low, high;
    const choice *choices;
} table[] = {
    {"smoothing", METHOD, offsetof(ols_options, smoothing), OLS_OLS, 0, 0, 0},
    {"preset", CHOICE, offsetof(ols_options, preset), OLS_PAPER, 0, 0, presets}, /* before what it sets */
    {"alpha", REAL, offsetof(ols_options, alpha), .5, 0, 1, 0},
    {"soft_weight", REAL, offsetof(ols_options, soft_weight), -1, 0, 10, 0},
    {"epsilon", REAL, offsetof(ols_options, epsilon), .1, 0, 1, 0},
    {"period", PERIOD, offsetof(ols_options, period), 0, 1, 1e9, 0},
    {"start", WHOLE, offsetof(ols_options, start), 0, 0, 1e9, 0},
    {"init", CHOICE, offsetof(ols_options, init), OLS_ROW_UNIFORM, 0, 0, init_rows},
    {"empty", CHOICE, offsetof(ols_options, empty), OLS_ROW_UNIFORM, 0, 0, empty_rows},
    {"normalise", CHOICE, offsetof(ols_options, normalise), OLS_BY_SUM, 0, 0, normalisations},
    {"soft_temperature", REAL, offsetof(ols_options, soft_temperature), 1, .1, 10, 0},
    {"decay", REAL, offsetof(ols_options, decay), 0, 0, .999, 0},
    {"freeze", REAL, offsetof(ols_options, freeze), 0, 0, 1, 0},
    {"boot_beta", REAL, offsetof(ols_options, boot_beta), -1, 0, 1, 0},
    {"disturb_alpha", REAL, offsetof(ols_options, disturb_alpha), .1, 0, 1, 0},
    {"sce_alpha", REAL, offsetof(ols_options, sce_alpha), 6, 0, 100, 0},
    {"sce_beta", REAL, offsetof(ols_options, sce_beta), .1, 0, 100, 0},
    {"sce_a", REAL, offsetof(ols_options, sce_a), -4, -20, 0, 0},
    {"gce_q", REAL, offsetof(ols_options, gce_q), .7, 0, 1, 0},
    {"pc_lambda", REAL, offsetof(ols_options, pc_lambda), 10, 0, 1000, 0},
    {"pc_start", WHOLE, offsetof(ols_options, pc_start), 0, 0, 1e9, 0},
    {"tfkd_alpha", REAL, offsetof(ols_options, tfkd_alpha), .1, 0, 1, 0},
    {"tfkd_c", REAL, offsetof(ols_options, tfkd_c), .99, 0, 1, 0},
    {"tfkd_temperature", REAL, offsetof(ols_options, tfkd_temperature), 20, 1, 1000, 0},
};
enum { OPTIONS = sizeof table / sizeof *table };

/* What a preset sets; all else is as by default. */
static const struct {
    ols_preset preset;
    const char *key;
    double value;
} preset_values[] = {
    {OLS_CIFAR, "init", OLS_ROW_ZERO},
    {OLS_FINE_GRAINED, "alpha", 1},
    {OLS_FINE_GRAINED, "soft_weight", 1},
    {OLS_FINE_GRAINED, "freeze", .88},
};
enum { PRESET_VALUES = sizeof preset_values / sizeof *preset_values };

/* All enums of ols_options have the size of an int, so that one function sets and gets them. */
static void put(ols_options *options, const struct option_row *row, double value)
{
    void *member = (char *)options + row->offset;
    const int number = (int)value;
    if (row->kind == METHOD || row->kind == CHOICE)
        memcpy(member, &number, sizeof number);
    else if (row->kind == REAL)
        *(float *)member = (float)value;
    else
        *(int64_t *)member = (int64_t)value;
}

static double get(const ols_options *options, const struct option_row *row)
{
    const void *member = (const char *)options + row->offset;
    int number;
    if (row->kind == REAL) return *(const float *)member;
    if (row->kind == WHOLE || row->kind == PERIOD) return (double)*(const int64_t *)member;
    memcpy(&number, member, sizeof number);
    return number;
}

/* The row of a key; NULL if there is none. */
static const struct option_row *find(const char *key)
{
    int i;
    for (i = 0; i < OPTIONS; ++i)
        if (!strcmp(key, table[i].key)) return table + i;
    return 0;
}

static void apply_preset(ols_options *options)
{
    int i;
    for (i = 0; i < PRESET_VALUES; ++i)
        if (preset_values[i].preset == options->preset)
            put(options, find(preset_values[i].key), preset_values[i].value);
}

const char *ols_option_key(int i)
{
    return i >= 0 && i < OPTIONS ? table[i].key : 0;
}

ols_options ols_default_options(ols_smoothing smoothing)
{
    ols_options options;
    int i;
    memset(&options, 0, sizeof options);
    for (i = 0; i < OPTIONS; ++i) put(&options, table + i, table[i].initial);
    options.smoothing = smoothing;
    return options;
}

const char *ols_option_difference(const ols_options *a, const ols_options *b)
{
    int i;
    for (i = 0; i < OPTIONS; ++i)
        if (get(a, table + i) != get(b, table + i)) return table[i].key;
    return 0;
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

/* Copies the value without the comment and trailing blanks. A value longer than `size`, which cannot be valid, becomes
 * "". */
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

/* The i-th choice of an option whose values are names; its name is NULL past the last choice. */
static choice choice_of(const struct option_row *row, int i)
{
    choice c = {0, i};
    if (row->kind == CHOICE) return row->choices[i];
    c.name = ols_smoothing_name(i);
    return c;
}

/* Writes the allowed names, such as "uniform, zero or ls". */
static void list_choices(const struct option_row *row, char *range, size_t size)
{
    size_t used = 0;
    int i;
    range[0] = 0;
    for (i = 0; choice_of(row, i).name && used < size; ++i) {
        const char *before = !i ? "" : choice_of(row, i + 1).name ? ", " : " or ";
        used += (size_t)snprintf(range + used, size - used, "%s%s", before, choice_of(row, i).name);
    }
}

static int parse_choice(const struct option_row *row, const char *text, double *value)
{
    int i;
    for (i = 0; choice_of(row, i).name; ++i) {
        if (strcmp(text, choice_of(row, i).name)) continue;
        *value = choice_of(row, i).value;
        return 0;
    }
    return -1;
}

static int parse_whole(const struct option_row *row, const char *text, double *value)
{
    return parse_number(text, row->low, row->high, value) || *value != floor(*value) ? -1 : 0;
}

/* Parses the value of one option. Returns 0, or -1 with the allowed values in `range`. */
static int parse(const struct option_row *row, const char *text, double *value, char *range, size_t size)
{
    switch (row->kind) {
    case METHOD:
    case CHOICE:
        if (!parse_choice(row, text, value)) return 0;
        list_choices(row, range, size);
        break;
    case REAL:
        if (!parse_number(text, row->low, row->high, value)) return 0;
        snprintf(range, size, "a number from %g to %g", row->low, row->high);
        break;
    case WHOLE:
        if (!parse_whole(row, text, value)) return 0;
        snprintf(range, size, "a whole number from %.0f to %.0f", row->low, row->high);
        break;
    case PERIOD:
        *value = 0;
        if (!strcmp(text, "epoch")) return 0;
        if (!parse_whole(row, text, value)) return 0;
        snprintf(range, size, "epoch or a whole number of iterations from %.0f to %.0f", row->low, row->high);
    }
    return -1;
}

int ols_set_option(ols_options *options, const char *key, const char *value, char *range, size_t size)
{
    const struct option_row *row = find(key);
    char text[64];
    double parsed;
    trim(value, text, sizeof text);
    if (!row) {
        snprintf(range, size, "(no such key)");
        return -1;
    }
    if (parse(row, text, &parsed, range, size)) return -1;
    put(options, row, parsed);
    if (row->offset == offsetof(ols_options, preset)) apply_preset(options);
    return 0;
}
