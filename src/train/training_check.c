#include "train/training_check.h"

#include "base/memory.h"
#include "data/data_value.h"
#include "data/label_noise.h"
#include "data/label_table.h"
#include "data/labelled_images.h"
#include "data/sampling.h"
#include "data/training_labels.h"
#include "layers/label_smoothing.h"
#include "train/cfg_check.h"
#include "train/layer_weights.h"

#include "parser.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

LAYER_TYPE string_to_layer_type(char *type); /* of Darknet's parser.c, in no header */

static int is_skipped; /* -nocheck */

/* ---- The folder for weights -------------------------------------------------------------------------------------- */

double checkpoint_size(network *net)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    const label_smoothing *smoothing;
    double bytes = 0;
    int i, k;
    for (i = 0; i < net->n; ++i)
        for (k = layer_weight_arrays(net->layers + i, arrays); k-- > 0;) {
            /* the array, and its momentum or Adam's two moments: beside these the momentum is 0, which takes no room */
            const int times = !arrays[k].updates ? 1 : arrays[k].m ? 3 : 2;
            bytes += times * sizeof(float) * (double)arrays[k].count;
        }
    /* S in floats and A in doubles */
    for (i = 0; (smoothing = soft_labels_owner(net, i)); ++i)
        bytes += (sizeof(float) + sizeof(double)) * (double)smoothing->classes * smoothing->classes;
    return bytes;
}

/* Adds a problem where the names of the files that a training makes would be longer than paths may be. */
static int check_lengths(const char *data_file, const char *folder, const char *cfg_file, problems *list)
{
    const size_t ending = sizeof "_2147483647.weights.before.tmp" - 1; /* the longest */
    char *base = basecfg((char *)(cfg_file ? cfg_file : ""));
    const size_t name = strlen(base) + ending, path = strlen(folder) + 1 + name;
    free(base);
    if (path < PATH_MAX && name <= NAME_MAX) return 0;
    if (path >= PATH_MAX)
        return add_problem(list,
                           "backup=%.60s... of %s is too long: with the names of weights it has %zu characters, "
                           "and a path may have %d",
                           folder, data_file, path, PATH_MAX - 1);
    return add_problem(list,
                       "the name of %.60s... is too long: that of its weights would have up to %zu characters, and a "
                       "file's name may have %d",
                       cfg_file, name, NAME_MAX);
}

void check_backup(const char *data_file, const char *folder, const char *cfg_file, double bytes, problems *list)
{
    const double kilobyte = 1024;
    char path[PATH_MAX];
    struct statvfs disk;
    double room;
    if (check_lengths(data_file, folder, cfg_file, list)) return;
    snprintf(path, sizeof path, "%s/", folder); /* with a slash at the end, so that a file is no folder */
    if (access(path, W_OK | X_OK)) {
        add_problem(list, "cannot save weights to the folder backup=%s of %s: %s", folder, data_file, strerror(errno));
        return;
    }
    if (is_skipped || statvfs(path, &disk) || !disk.f_blocks) return; /* a file system that does not say */
    room = (double)disk.f_bavail * disk.f_frsize;
    if (room < bytes)
        add_problem(list, "backup=%s of %s has %.0f kB free, but one checkpoint takes %.0f kB: make room", folder,
                    data_file, floor(room / kilobyte), ceil(bytes / kilobyte));
}

/* The section of a layer that compares its outputs with the labels of a batch, wherever it stands; NULL of others. */
static const char *reader_of_labels(layer l)
{
    if (l.type == SOFTMAX && !l.noloss) return "[softmax]";
    return l.type == LOGXENT ? "[logistic]" : l.type == COST ? "[cost]" : 0;
}

/* Whether a layer learns from pairs of samples. */
static int needs_pairs(layer l)
{
    return l.label_smoothing && l.label_smoothing->options.smoothing == OLS_PC;
}

void check_losses(const network *net, const char *cfg_file, problems *list)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        const layer l = net->layers[i];
        const char *section = reader_of_labels(l);
        if (needs_pairs(l) && net->batch < 2)
            add_problem(list,
                        "%s (layer %d) of %s: smoothing=pc pairs images that are forwarded together, but batch= "
                        "divided by subdivisions= is 1",
                        l.label_smoothing->section, i, cfg_file);
        if (section && l.outputs != net->truths)
            add_problem(list, "%s (layer %d) of %s compares its %d outputs with %d values of the labels%s", section, i,
                        cfg_file, l.outputs, net->truths,
                        l.type == SOFTMAX ? ": add noloss=1, if it is to have no loss of its own" : "");
    }
}

void check_outputs(const network *net, const char *cfg_file, int classes, const char *data_file, problems *list)
{
    if (net->truths == classes) return;
    add_problem(list, "classes=%d in %s, but the network of %s has %d outputs: must be the same", classes, data_file,
                cfg_file, net->truths);
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

/* What is checked. */
typedef struct {
    const char *data_file, *cfg_file; /* cfg_file NULL: none */
    int is_detector;
    detector_classes classes;
    checked_data data;
    problems list;
} check;

static void print_summary(const check *c, FILE *summary)
{
    fprintf(summary, "Checked %s%s%s: %d images to train%s", c->data_file, c->cfg_file ? " and " : "",
            c->cfg_file ? c->cfg_file : "", c->data.train_images, c->data.valid_images ? "" : ", none to validate");
    if (c->data.valid_images) fprintf(summary, ", %d to validate", c->data.valid_images);
    if (c->is_detector) fprintf(summary, ", %zu objects", c->data.objects);
    fprintf(summary, ", %d classes: no problem found\n", c->data.classes);
}

static void check_folder(check *c, double bytes)
{
    data_value folder;
    if (data_value_find(c->data_file, "backup", &folder)) {
        add_printed_problem(&c->list);
        return;
    }
    check_backup(c->data_file, folder.text ? folder.text : "/backup/", c->cfg_file, bytes, &c->list);
    free(folder.text);
}

/* Adds a problem for every section that is no layer. Returns 1 if there is one: what the network is for is not known.
 */
static int has_unknown_section(const cfg_file *cfg, problems *list)
{
    const size_t before = list->count;
    int i;
    for (i = 1; i < cfg->sections; ++i) {
        const cfg_entry *section = cfg_section(cfg, i);
        if (string_to_layer_type(section->key) == BLANK)
            add_problem(list, "%s:%d: %.60s is no layer of this Darknet", cfg->path, section->line, section->key);
    }
    return list->count > before;
}

/* Reads the cfg, and finds out what it is of. Returns 1 if it is none. */
static int check_cfg(check *c, checked_kind kind)
{
    cfg_file cfg;
    const int is_none = cfg_file_read(c->cfg_file, &cfg, &c->list) || has_unknown_section(&cfg, &c->list);
    if (!is_none) {
        c->is_detector = kind == CHECK_UNKNOWN ? cfg_is_detector(&cfg) : kind == CHECK_DETECTOR;
        if (c->is_detector) c->classes = cfg_classes(&cfg, &c->list);
        if (c->is_detector && !cfg_is_detector(&cfg))
            add_problem(&c->list, "%s has no [yolo], [region] or [detection]: it is no detector", c->cfg_file);
        if (!c->is_detector && cfg_is_detector(&cfg))
            add_problem(&c->list, "%s is a detector: train it with darknet detector train", c->cfg_file);
        check_net_section(&cfg, c->is_detector, &c->list);
        if (!c->is_detector) check_tree(&cfg, c->data_file, &c->list);
    }
    cfg_file_free(&cfg);
    return is_none;
}

static void begin_check(check *c, const char *data_file, const char *cfg_file)
{
    memset(c, 0, sizeof *c);
    c->data_file = data_file;
    c->cfg_file = cfg_file;
}

/* All that can be seen without a network. */
static void check_files(check *c, checked_kind kind)
{
    if (check_data_lines(c->data_file, &c->list)) return;
    if (!c->cfg_file || check_cfg(c, kind))
        c->is_detector = kind == CHECK_UNKNOWN ? looks_like_a_detector(c->data_file) : kind == CHECK_DETECTOR;
    if (c->is_detector)
        check_detector_data(c->data_file, c->classes, &c->data, &c->list);
    else
        check_classifier_data(c->data_file, &c->data, &c->list);
    check_folder(c, 0);
}

/* What only a network shows: it ends the program if Darknet cannot make one. */
static void check_network(check *c)
{
    network *net = parse_network_cfg((char *)c->cfg_file);
    check_folder(c, checkpoint_size(net));
    if (!c->is_detector) check_outputs(net, c->cfg_file, c->data.classes, c->data_file, &c->list);
    check_losses(net, c->cfg_file, &c->list);
    free_network(net);
}

/* The keys that a trainer reads when it begins: labels with their noise, and sampling. */
static void check_keys_of_training(check *c)
{
    long long tag = 0;
    int status = sampling_check(c->data_file) || data_value_whole_number(c->data_file, "tag", 0, 1, &tag);
    if (!status && c->is_detector) {
        symmetric_noise noise;
        refuse_label_keys(c->data_file);
        status = read_symmetric_noise(c->data_file, c->data.classes, &noise);
    } else if (!status && !tag) {
        labelled_images images;
        status = labelled_images_read(c->data_file, "train", &images);
        labelled_images_free(&images);
    }
    if (status) add_printed_problem(&c->list);
}

int check_training(const char *data_file, const char *cfg_file, checked_kind kind, FILE *summary)
{
    check c;
    begin_check(&c, data_file, cfg_file);
    check_files(&c, kind);
    if (!c.list.count) check_keys_of_training(&c);
    if (cfg_file && !c.list.count) check_network(&c);
    if (end_problems(&c.list)) return 1;
    print_summary(&c, summary);
    return 0;
}

/* ---- The hooks --------------------------------------------------------------------------------------------------- */

void training_check_skip(void)
{
    is_skipped = 1;
}

/* With -nocheck: the classes for the reader of labels, and sizes with which Darknet would divide by zero, or copy
 * images over other memory. */
static void check_what_crashes(check *c)
{
    cfg_file cfg;
    if (!cfg_file_read(c->cfg_file, &cfg, &c->list)) {
        c->classes = cfg_classes(&cfg, &c->list);
        check_sizes(&cfg, &c->list);
    }
    cfg_file_free(&cfg);
}

/* The network is made by the trainer, which checks what it needs of it. */
static void check_before_training(const char *data_file, const char *cfg_file, checked_kind kind)
{
    check c;
    begin_check(&c, data_file, cfg_file);
    if (is_skipped)
        check_what_crashes(&c);
    else
        check_files(&c, kind);
    if (end_problems(&c.list)) exit(1);
    if (!is_skipped) print_summary(&c, stderr);
    training_labels_set_classes(c.classes.label_classes);
}

void check_detector_training(const char *data_file, const char *cfg_file)
{
    check_before_training(data_file, cfg_file, CHECK_DETECTOR);
}

void check_classifier_training(const char *data_file, const char *cfg_file)
{
    check_before_training(data_file, cfg_file, CHECK_CLASSIFIER);
}
