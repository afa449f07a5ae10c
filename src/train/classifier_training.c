/* What `classifier train` adds to Darknet's loop: training.h with top-1, fewer files, and an early end. */
#include "train/classifier_training.h"

#include "base/error.h"
#include "data/data_value.h"
#include "data/label_table.h"
#include "data/labelled_images.h"
#include "eval/classification_metrics.h"
#include "eval/classify.h"
#include "train/divergence.h"
#include "train/epochs.h"
#include "train/training.h"
#include "train/training_check.h"
#include "train/validation.h"

#include "option_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The measures of the log. */
enum { TRAINING_TOP1, TOP1, TOP_K, VALIDATION_LOSS, ECE, WRONG_LABEL_ERROR, TRUE_LABEL_ERROR };

/* The errors on changed labels are measured on this many training images at most, which bounds what they cost. */
enum { MOST_CHANGED = 2000 };

/* The training of this process, with its options. Only the hooks at the end of this file and prepare() change them. */
static training current;
static int highest_k;       /* k of top-k */
static int keep = 1;        /* epochs between two numbered weights */
static int patience;        /* in evaluations; 0: none */
static size_t ended_epochs; /* as classifier_training_keeps was told */

/* Reads top= of the .data file. */
static int read_top_k(const char *data_file, int classes)
{
    long long k = default_top_k(classes);
    if (data_value_whole_number(data_file, "top", 1, classes, &k)) exit(1);
    return (int)k;
}

/* Checks that the network is one that can be evaluated, and that every image of valid= has a label. */
static void check_images(const training *t, int classes)
{
    labelled_images images;
    long long tag = 0;
    int i;
    if (data_value_whole_number(t->data_file, "tag", 0, 1, &tag)) exit(1);
    if (tag) die("-topk: tag=1 in %s: only images with a single label can be evaluated", t->data_file);
    if (labelled_images_read(t->data_file, "valid", &images)) exit(1);
    if (images.classes != classes)
        die("-topk: classes=%d in %s, but %d in %s: must be the same", images.classes, t->data_file, classes,
            t->cfg_file);
    for (i = 0; i < images.count; ++i)
        if (images.clean_labels[i] < 0) die("-topk: %s: no class of the data file is in the path", images.paths[i]);
    labelled_images_free(&images);
}

static void prepare(const training *t, list *options, log_format *format)
{
    char name[32];
    int classes;
    (void)options;
    if (check_classifier(t->nets[0], t->cfg_file, &classes)) exit(1);
    check_images(t, classes);
    highest_k = read_top_k(t->data_file, classes);
    snprintf(name, sizeof name, "top-%d", highest_k);
    format->judged = TOP1;
    format->axis_title = changed_labels() ? "accuracy and errors, %" : "accuracy, %";
    /* in the order of the enum */
    log_format_add(format, "training top-1", DRAWN_IN_PERCENT, "#fdae6b");
    log_format_add(format, "top-1", DRAWN_IN_PERCENT, "#d94801");
    log_format_add(format, name, DRAWN_IN_PERCENT, "#8c2d04");
    log_format_add(format, "validation loss", DRAWN_AS_LOSS, "#238b45");
    log_format_add(format, "ECE", DRAWN_NOWHERE, 0);
    if (!changed_labels()) return;
    log_format_add(format, "flipped: error to wrong labels", DRAWN_IN_PERCENT, "#807dba");
    log_format_add(format, "flipped: error to true labels", DRAWN_IN_PERCENT, "#3f007d");
}

/* Adds the errors on training images with a changed label to the measures and to the text. */
static void evaluate_changed(const training *t, const validation_input *input, double *measures, char *text,
                             size_t size)
{
    const size_t length = strlen(text);
    char why[512];
    noise_errors errors;
    if (validation_noise(input, MOST_CHANGED, &errors, why, sizeof why)) {
        report_note("iteration %zu: no errors on flipped labels: %s", get_current_batch(t->nets[0]), why);
        return;
    }
    measures[WRONG_LABEL_ERROR] = errors.given;
    measures[TRUE_LABEL_ERROR] = errors.clean;
    snprintf(text + length, size - length,
             ", flipped labels: error to the wrong ones %.2f %%, to the true ones %.2f %%", 100 * errors.given,
             100 * errors.clean);
}

static int evaluate(const training *t, double *measures, char *text, size_t size)
{
    const validation_input input = {t->data_file, t->cfg_file, t->last_weights, t->nets[0]->gpu_index};
    classifier_scores scores;
    if (validation_scores(&input, highest_k, &scores, text, size)) return -1;
    measures[TOP1] = scores.top1;
    measures[TOP_K] = scores.top_k;
    measures[VALIDATION_LOSS] = scores.nll;
    measures[ECE] = scores.ece;
    snprintf(text, size, "top-1 %.2f %%, top-%d %.2f %%, validation loss %.4f, ECE %.2f %%", 100 * scores.top1,
             highest_k, 100 * scores.top_k, scores.nll, 100 * scores.ece);
    if (changed_labels()) evaluate_changed(t, &input, measures, text, size);
    return 0;
}

static void observe(const training *t, double *measures)
{
    measures[TRAINING_TOP1] = training_accuracy(t->nets[0]);
}

/* ---- The hooks --------------------------------------------------------------------------------------------------- */

void classifier_training_set_topk(int epochs)
{
    current.epochs = epochs;
}

void classifier_training_set_keep(int epochs)
{
    keep = epochs;
}

void classifier_training_set_patience(int evaluations)
{
    patience = evaluations;
}

void classifier_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                               char *weightfile)
{
    static const training_kind kind = {.option = "-topk",
                                       .score = "top-1",
                                       .final_ending = ".weights",
                                       .may_be_endless = 1,
                                       .prepare = prepare,
                                       .evaluate = evaluate,
                                       .observe = observe};
    problems found = {{0}, 0, 0, 0};
    if (patience && !current.epochs) die("classifier train: -patience needs -topk");
    /* Darknet's loader crops squares of width x width, which would not fit into an input of another height. */
    if (nets[0]->w != nets[0]->h)
        die("classifier train: width=%d and height=%d in %s: must be equal, because images are cropped to squares",
            nets[0]->w, nets[0]->h, cfgfile);
    check_outputs(nets[0], cfgfile, option_find_int_quiet(options, "classes", 2), datacfg, &found);
    check_losses(nets[0], cfgfile, &found);
    if (end_problems(&found)) exit(1);
    ended_epochs = *nets[0]->seen / images;
    training_begin(&current, &kind, nets, n, images, options, datacfg, cfgfile, weightfile);
}

void classifier_training_loaded(void)
{
    training_loaded(&current);
}

void classifier_training_step(double loss, double average_loss)
{
    training_step(&current, loss, average_loss);
}

int classifier_training_keeps(size_t epoch)
{
    const int kept = epoch / keep > ended_epochs / keep;
    ended_epochs = epoch;
    return kept;
}

int classifier_training_is_over(void)
{
    const size_t iteration = get_current_batch(current.nets[0]);
    if (!patience || current.since_best < patience) return 0;
    printf("%zu: the training ends here: the best top-1, %.2f %%, is %d evaluations old (-patience %d)\n", iteration,
           100 * current.best, current.since_best, patience);
    divergence_end(iteration);
    return 1;
}
