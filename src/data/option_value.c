#include "data/option_value.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/nearest_name.h"
#include "base/numbers.h"
#include "data/cfg_file.h"
#include "data/data_value.h"

#include "option_list.h"

#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Where it stands --------------------------------------------------------------------------------------------- */

/* Where options come from; the latest one of a list counts, as Darknet frees lists and their memory comes again. */
typedef struct {
    const list *options;
    char *file;
    int line;
} origin;

static origin *origins;
static size_t origin_count, origin_capacity;

void note_options(list *options, const char *file, int line)
{
    origin *o;
    origins = (origin *)grow_array(origins, origin_count, &origin_capacity, sizeof *origins);
    o = origins + origin_count++;
    o->options = options;
    o->file = xstrdup(file);
    o->line = line;
}

void forget_cfg_options(void)
{
    size_t i, kept = 0;
    for (i = 0; i < origin_count; ++i)
        if (origins[i].line)
            free(origins[i].file);
        else
            origins[kept++] = origins[i];
    origin_count = kept;
    if (kept) return;
    free(origins);
    origins = 0;
    origin_capacity = 0;
}

/* Ends the program for a key of a cfg, in the section that begins at a line. */
static void refuse_in_cfg(const origin *o, const char *key, const char *value, const char *wanted)
{
    cfg_file cfg;
    problems list = {{0}, 0, 0, 0};
    int i;
    if (cfg_file_read(o->file, &cfg, &list)) return;
    for (i = 0; i < cfg.sections; ++i) {
        const cfg_entry *section = cfg_section(&cfg, i), *entry = cfg_find(&cfg, i, key);
        if (section->line != o->line || !entry) continue;
        die("%s:%d: %s %s=%.60s is not valid: must be %s", o->file, entry->line, section->key, key, value, wanted);
    }
}

static void refuse_in_data(const origin *o, const char *key, const char *value, const char *wanted)
{
    data_value at;
    if (data_value_find(o->file, key, &at)) exit(1);
    die("%s:%d: %s=%.60s is not valid: must be %s", o->file, at.line, key, value, wanted);
}

static void refuse(const list *options, const char *key, const char *value, const char *wanted)
{
    size_t i = origin_count;
    while (i && origins[i - 1].options != options) --i;
    if (i && origins[i - 1].line) refuse_in_cfg(origins + i - 1, key, value, wanted);
    if (i && !origins[i - 1].line) refuse_in_data(origins + i - 1, key, value, wanted);
    die("%s=%.60s is not valid: must be %s", key, value, wanted); /* a file that has changed since */
}

void refuse_section(const list *options, const char *section)
{
    static const char *const sections[] = {
        "[activation]",     "[avgpool]",  "[batchnorm]", "[connected]", "[convolutional]", "[cost]",
        "[crnn]",           "[crop]",     "[deconv]",    "[detection]", "[dropout]",       "[gru]",
        "[iseg]",           "[l2norm]",   "[local]",     "[lrn]",       "[lstm]",          "[logistic]",
        "[maxpool]",        "[ols]",      "[region]",    "[reorg]",     "[rnn]",           "[route]",
        "[scale_channels]", "[shortcut]", "[softmax]",   "[upsample]",  "[yolo]"};
    const char *near = nearest_name(section, sections, sizeof sections / sizeof *sections);
    size_t i = origin_count;
    while (i && origins[i - 1].options != options) --i;
    die("%s:%d: %.60s is no layer of this Darknet%s%s%s", i ? origins[i - 1].file : "the cfg",
        i ? origins[i - 1].line : 0, section, near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
}

void refuse_without_value(const char *file, int line, const char *key)
{
    die("%s:%d: %.60s= has no value", file, line, key);
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

enum { MOST_DIGITS = 64 };

/* Copies what stands in front of a comma or a comment. Returns what is behind it, at the comma or "" if there is none.
 */
static const char *copy_item(const char *value, char item[MOST_DIGITS])
{
    const size_t length = strcspn(value, ",#;");
    item[0] = 0; /* too long is no number */
    if (length < MOST_DIGITS) {
        memcpy(item, value, length);
        item[length] = 0;
    }
    return value[length] == ',' ? value + length : "";
}

/* Parses a value of one number. Returns 0, or -1 where it is none. */
static int parse_int(const char *value, int *number)
{
    char item[MOST_DIGITS];
    long long whole;
    if (*copy_item(value, item)) return -1;
    /* with a plus sign, too, as atoi has it */
    if (parse_whole_number(item + (item[0] == '+' && item[1] != '-'), INT_MIN, INT_MAX, &whole)) return -1;
    *number = (int)whole;
    return 0;
}

static int parse_real(const char *value, double *number)
{
    char item[MOST_DIGITS];
    return *copy_item(value, item) || parse_number(item, -DBL_MAX, DBL_MAX, number) ? -1 : 0;
}

/* The keys with which Darknet divides or makes memory, and crashes with 0; with max=0 no object would be trained on. */
static int must_be_above_0(const char *key)
{
    static const char *const keys[] = {"batch", "subdivisions", "stride", "groups", "filters", "output",
                                       "side",  "num",          "size",   "step",   "max",     "time_steps"};
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys && strcmp(key, keys[i]);) ++i;
    return i < sizeof keys / sizeof *keys;
}

static const char *wanted_int(const char *value)
{
    double number = 0;
    return !parse_real(value, &number) && (number < INT_MIN || number > INT_MAX)
               ? "a whole number from -2147483648 to 2147483647"
               : "a whole number";
}

int option_int(list *options, const char *key, const char *value)
{
    int number = 0;
    if (parse_int(value, &number)) refuse(options, key, value, wanted_int(value));
    if (number < 1 && must_be_above_0(key)) refuse(options, key, value, "a whole number above 0");
    return number;
}

float option_float(list *options, const char *key, const char *value)
{
    double number = 0;
    if (parse_real(value, &number)) refuse(options, key, value, "a number");
    return (float)number;
}

/* The keys of several numbers, which Darknet's parser takes apart itself. */
static const struct {
    const char *key;
    int whole;
} lists[] = {{"mask", 1}, {"layers", 1}, {"from", 1}, {"steps", 1}, {"anchors", 0}, {"scales", 0}};

char *option_text(list *options, const char *key, char *value)
{
    size_t i;
    const char *at = value;
    for (i = 0; i < sizeof lists / sizeof *lists && strcmp(key, lists[i].key);) ++i;
    if (i == sizeof lists / sizeof *lists || !value) return value;
    value[strcspn(value, "#;")] = 0; /* or Darknet would count the commas of a comment, too */
    do {
        char item[MOST_DIGITS];
        int whole;
        double real;
        at = copy_item(at, item);
        if (lists[i].whole ? parse_int(item, &whole) : parse_real(item, &real))
            refuse(options, key, value,
                   lists[i].whole ? "whole numbers with commas between them" : "numbers with commas between them");
    } while (*at++);
    return value;
}

int groups_of(list *options, int groups, int channels, int filters)
{
    char wanted[100];
    snprintf(wanted, sizeof wanted, "a divisor of the %d channels before it and of filters=%d", channels, filters);
    if (channels % groups || filters % groups)
        refuse(options, "groups", option_find(options, (char *)"groups"), wanted);
    return groups;
}

/* ---- Layers that a section names --------------------------------------------------------------------------------- */

char *needed_option(list *options, const char *key, const char *section, int index)
{
    char *value = option_find(options, (char *)key);
    if (!value) die("%s (layer %d): %s= is missing", section, index, key);
    return value;
}

int earlier_layer(int number, const char *section, int index)
{
    const int layer = number < 0 ? index + number : number;
    if (layer < 0 || layer >= index) die("%s (layer %d): there is no layer %d before it", section, index, number);
    return layer;
}
