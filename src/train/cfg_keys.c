#include "train/cfg_keys.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/nearest_name.h"
#include "data/option_value.h"
#include "layers/class_head.h"
#include "layers/label_smoothing.h"

#include "activations.h"
#include "option_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Keys of this project ---------------------------------------------------------------------------------------- */

/* Those of [net]. Without `pad`, which is a key of layers, too. */
static const char *const net_keys[] = {"learning_rate_min", "nesterov", "cutout", "mixup"};
enum { NET_KEYS = sizeof net_keys / sizeof *net_keys };

static int is_net(const char *section)
{
    return !strcmp(section, "[net]") || !strcmp(section, "[network]");
}

static int is_softmax(const char *section)
{
    return !strcmp(section, "[softmax]") || !strcmp(section, "[soft]");
}

/* Where a key of ours belongs, for a message. NULL: it is none of ours. */
static const char *home_of(const char *key)
{
    int i;
    if (is_smoothing_key(key)) return "[ols], [yolo], [region] and [detection]";
    if (is_head_key(key)) return "[yolo]";
    for (i = 0; i < NET_KEYS; ++i)
        if (!strcmp(key, net_keys[i])) return "[net]";
    return 0;
}

/* The key of ours that was meant in this section. NULL if none is near. */
static const char *meant_key(const char *section, const char *key)
{
    enum { MOST = 64 };
    const char *names[MOST];
    int i, count = 0;
    if (is_net(section)) return nearest_name(key, net_keys, NET_KEYS);
    if (!may_smooth(section) && !is_softmax(section)) return 0;
    for (i = 0; ols_option_key(i) && count < MOST; ++i) names[count++] = ols_option_key(i);
    for (i = 0; head_key(i) && count < MOST && !is_softmax(section); ++i) names[count++] = head_key(i);
    return nearest_name(key, names, count);
}

/* "[yolo] (layer 7)", "[net]". Static storage, valid until the next call. */
static const char *place_of(const char *section, int index)
{
    static char text[128];
    if (index < 0) return section;
    snprintf(text, sizeof text, "%s (layer %d)", section, index);
    return text;
}

/* Ends the program where the key is one of ours in the wrong place, or a misspelt one. */
static void refuse_own_key(const char *section, int index, const char *key, int is_second)
{
    const char *place = place_of(section, index), *home = home_of(key), *meant = meant_key(section, key);
    if (home && is_second) die("%s: %s= is given twice", place, key);
    if (home && !strcmp(key, "learning_rate_min") && is_net(section))
        die("%s: learning_rate_min= does nothing without policy=cosine", place);
    if (home && is_smoothing_key(key) && is_softmax(section))
        die("%s: %s= does nothing here: write [ols] in the place of %s", place, key, section);
    if (home) die("%s: %s= does nothing here: it is a key of %s", place, key, home);
    if (meant) die("%s: unknown key %s=: did you mean %s=?", place, key, meant);
}

/* ---- Keys of Darknet and of other Darknets ------------------------------------------------------------------------
 */

/* Darknet's own of [net], whether this cfg has them read or not (steps= is with policy=steps alone), and those that are
 * written for OpenCV. */
static const char *const known_net_keys[] = {
    "B1",       "B2",          "adam",       "angle",    "aspect",        "batch", "burn_in",    "center",   "channels",
    "clip",     "cutout",      "decay",      "eps",      "exposure",      "gamma", "height",     "hue",      "inputs",
    "max_crop", "max_batches", "max_ratio",  "min_crop", "min_ratio",     "mixup", "momentum",   "nesterov", "notruth",
    "pad",      "policy",      "power",      "random",   "learning_rate", "scale", "saturation", "scales",   "seen",
    "step",     "steps",       "time_steps", "width",    "subdivisions",
};
enum { KNOWN_NET_KEYS = sizeof known_net_keys / sizeof *known_net_keys };

/* What other Darknets read, and what is done here in its place. With the neutral value they mean the same as nothing.
 */
static const struct {
    const char *key, *neutral, *instead; /* neutral: NULL where there is none */
} foreign_keys[] = {
    {"mosaic", "0", "images are not put together"},
    {"cutmix", "0", "images are not put together"},
    {"blur", "0", "images are not blurred"},
    {"flip", "1", "half of the images are mirrored"},
    {"gaussian_noise", "0", "no noise is added"},
    {"letter_box", "0", "detector train stretches and crops as Darknet does"},
    {"ema_alpha", "0", "weights are not averaged"},
    {"adversarial_lr", "0", "no adversarial training"},
    {"label_smooth_eps", "0", "labels are hard; label smoothing is smoothing=ls and epsilon=%s"},
    {"iou_loss", "mse", "boxes are trained by the squared error, as with iou_loss=mse"},
    {"iou_normalizer", "1", "boxes have the weight 1"},
    {"cls_normalizer", "1", "class scores have the weight class_gain="},
    {"obj_normalizer", "1", "objectness has the weight 1"},
    {"delta_normalizer", "1", "deltas are as they are"},
    {"scale_x_y", "1", "centres are a plain sigmoid, as with scale_x_y=1"},
    {"new_coords", "0", "boxes are those of YOLOv3, as with new_coords=0"},
    {"focal_loss", "0", "no focal loss"},
    {"objectness_smooth", "0", "the target of objectness is 1"},
    {"max_delta", 0, "deltas are not limited"},
    {"counters_per_class", 0, "all classes have the same weight"},
    {"nms_kind", "greedynms", "the plain NMS"},
    {"beta_nms", 0, "the plain NMS"},
    {"groups", "1", "all channels are taken"}, /* of [route] and others: in [convolutional] Darknet reads it */
    {"group_id", 0, "all channels are taken"},
    {"dilation", "1", "no dilation"},
    {"stride_x", 0, "stride= is for both directions"},
    {"stride_y", 0, "stride= is for both directions"},
    {"antialiasing", "0", "no blur in front of the stride"},
    {"weights_type", "none", "a plain sum"},
    {"weights_normalization", "none", "a plain sum"},
    {"dropblock", "0", "plain dropout"},
    {"maxpool_depth", "0", "the maximum over places, not channels"},
};
enum { FOREIGN_KEYS = sizeof foreign_keys / sizeof *foreign_keys };

/* Whether a value is the neutral one, maybe with a comment behind it. */
static int is_neutral(const char *value, const char *neutral)
{
    double number, wanted;
    if (!neutral) return 0;
    if (!strncmp(value, neutral, strlen(neutral)) && strchr("#", value[strlen(neutral)])) return 1;
    return !ols_parse_number(value, -1e9, 1e9, &number) && !ols_parse_number(neutral, -1e9, 1e9, &wanted) &&
           number == wanted;
}

static int foreign_key(const char *key)
{
    int i;
    for (i = 0; i < FOREIGN_KEYS && strcmp(foreign_keys[i].key, key);) ++i;
    return i < FOREIGN_KEYS ? i : -1;
}

static int is_known_net_key(const char *key)
{
    int i;
    for (i = 0; i < KNOWN_NET_KEYS && strcmp(known_net_keys[i], key);) ++i;
    return i < KNOWN_NET_KEYS;
}

/* thresh= and nms_threshold= of a head are OpenCV's: `ols deploy` writes the former. */
static int is_for_opencv(const char *section, const char *key)
{
    return may_smooth(section) && (!strcmp(key, "thresh") || !strcmp(key, "nms_threshold"));
}

static int is_activation(const char *name)
{
    int a;
    for (a = 0; a <= SWISH; ++a)
        if (!strcmp(get_activation_string((ACTIVATION)a), name)) return 1;
    return 0;
}

/* ---- Notes ------------------------------------------------------------------------------------------------------- */

/* Equal lines in several layers are one note. */
typedef struct {
    char *line, *instead; /* "[convolutional] activation=mish"; owned */
    int first_layer, layers;
} key_note;

static key_note *notes;
static int note_count;
static int strict;

void cfg_keys_set_strict(int on)
{
    strict = on;
}

static void add_note(const char *section, int index, const char *key, const char *value, const char *instead)
{
    char line[256], text[256];
    int i;
    snprintf(line, sizeof line, "%s %s=%s", section, key, value);
    for (i = 0; i < note_count && strcmp(notes[i].line, line);) ++i;
    if (i < note_count) {
        ++notes[i].layers;
        return;
    }
    snprintf(text, sizeof text, instead, value);
    notes = (key_note *)xrealloc(notes, (note_count + 1) * sizeof *notes);
    notes[note_count].line = xstrdup(line);
    notes[note_count].instead = xstrdup(text);
    notes[note_count].first_layer = index;
    notes[note_count++].layers = 1;
}

/* The text for a key of [net] that nobody knows. */
static const char *unknown_in_net(const char *key)
{
    static char text[128];
    const char *meant = nearest_name(key, known_net_keys, KNOWN_NET_KEYS);
    if (!meant) return "it does nothing here";
    snprintf(text, sizeof text, "it does nothing here; did you mean %s=?", meant);
    return text;
}

static int comes_before(const list *options, const node *here, const char *key)
{
    const node *n;
    for (n = options->front; n != here; n = n->next)
        if (!strcmp(((const kvp *)n->val)->key, key)) return 1;
    return 0;
}

static void note_key(const list *options, const node *n, const char *section, int index)
{
    const kvp *pair = (const kvp *)n->val;
    const char *value = pair->val ? pair->val : "";
    const int is_second = comes_before(options, n, pair->key), foreign = foreign_key(pair->key);
    /* The decay= of [net] is Darknet's; that of a head is ours. */
    const int is_darknets = index < 0 && is_known_net_key(pair->key) && is_smoothing_key(pair->key);
    if (!pair->used && !is_darknets && (foreign < 0 || is_second)) refuse_own_key(section, index, pair->key, is_second);
    if (pair->used) /* an activation= with a name that Darknet does not know */
        add_note(section, index, pair->key, value, "relu takes its place");
    else if (is_second)
        add_note(section, index, pair->key, value, "the first line with this key counts");
    else if (foreign >= 0 && is_neutral(value, foreign_keys[foreign].neutral))
        return;
    else if (foreign >= 0)
        add_note(section, index, pair->key, value, foreign_keys[foreign].instead);
    else if (index < 0)
        add_note(section, index, pair->key, value, unknown_in_net(pair->key));
    else
        add_note(section, index, pair->key, value, "it does nothing here");
}

void note_unused_keys(list *options, const char *section, int index)
{
    const node *n;
    for (n = options->front; n; n = n->next) {
        const kvp *pair = (const kvp *)n->val;
        if (pair->used && (strcmp(pair->key, "activation") || is_activation(pair->val ? pair->val : ""))) continue;
        if (index < 0 && is_known_net_key(pair->key) && !comes_before(options, n, pair->key)) continue;
        if (!is_for_opencv(section, pair->key)) note_key(options, n, section, index);
    }
}

void refuse_without_section(const char *cfg, int line)
{
    die("%s: line %d is in no section: a cfg begins with [net]", cfg, line);
}

void report_unused_keys(void)
{
    const int count = note_count;
    int i;
    if (count) report_note("what the cfg says and what is done here in its place:");
    for (i = 0; i < count; ++i) {
        char where[64] = "";
        if (notes[i].layers > 1)
            snprintf(where, sizeof where, " (%d layers, the first is %d)", notes[i].layers, notes[i].first_layer);
        else if (notes[i].first_layer >= 0)
            snprintf(where, sizeof where, " (layer %d)", notes[i].first_layer);
        fprintf(stderr, "    %s%s: %s\n", notes[i].line, where, notes[i].instead);
        free(notes[i].line);
        free(notes[i].instead);
    }
    free(notes);
    notes = 0;
    note_count = 0;
    forget_cfg_options();
    if (count && strict)
        die("-strict: %d line%s of the cfg %s not read here", count, count > 1 ? "s" : "", count > 1 ? "are" : "is");
}
