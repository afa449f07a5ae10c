/* What `detector train` adds to Darknet's loop: training.h with mAP, AP and loss, and multi-scale sizes. */
#include "train/detector_training.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/augmentation.h"
#include "data/data_file.h"
#include "eval/detect.h"
#include "eval/detection_loss.h"
#include "eval/threshold_file.h"
#include "train/multi_scale.h"
#include "train/training.h"
#include "train/validation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in Darknet: with random=1, this many iterations at the end of a training have one size. */
enum { LAST_ITERATIONS = 200 };

/* The training of this process, and its sizes with random=1. Only the hooks at the end of this file use them. */
static training current;
static multi_scale scale;

/* What the last evaluation says of t->last_weights. The names are copies. */
static threshold_record evaluated;

/* The measures of the log; behind them the AP of every class. */
enum { MAP, VALIDATION_LOSS, F1, FIRST_AP };

/* The curves of single classes, which are drawn as long as they can be told apart; of a single class it is the mAP. */
static const char *const class_colours[] = {"#8da0cb", "#e78ac3", "#a6d854", "#e5c494", "#66c2a5", "#b3b3b3"};
enum { MOST_DRAWN = sizeof class_colours / sizeof *class_colours };

static void add_measures(log_format *format, const text_lines *names)
{
    const int drawn = names->count > 1 && names->count <= MOST_DRAWN;
    int k;
    format->judged = MAP;
    format->axis_title = drawn ? "mAP, F1 and AP, %" : "mAP and F1, %";
    /* in the order of the enum */
    log_format_add(format, "mAP", DRAWN_IN_PERCENT, "#d94801");
    log_format_add(format, "validation loss", DRAWN_AS_LOSS, "#238b45");
    log_format_add(format, "F1", DRAWN_IN_PERCENT, "#6a51a3");
    for (k = 0; k < names->count; ++k) {
        char *name = (char *)xmalloc(strlen(names->text[k]) + sizeof "AP ");
        strcat(strcpy(name, "AP "), names->text[k]);
        log_format_add(format, name, drawn ? DRAWN_IN_PERCENT : DRAWN_NOWHERE, drawn ? class_colours[k] : 0);
        free(name);
    }
}

static void prepare(const training *t, list *options, log_format *format)
{
    const network *net = t->nets[0];
    const int classes = net->layers[net->n - 1].classes;
    valid_data data;
    int k;
    (void)options;
    if (valid_data_read(t->data_file, &data)) exit(1);
    if (data.classes != classes || data.names.count != classes)
        die("-map: classes=%d in %s, %d names in %s and %d classes in %s: must be the same", data.classes, t->data_file,
            data.names.count, data.names_file, classes, t->cfg_file);
    add_measures(format, &data.names);
    evaluated.classes = classes;
    evaluated.names = (char **)xcalloc(classes, sizeof *evaluated.names);
    for (k = 0; k < classes; ++k) evaluated.names[k] = xstrdup(data.names.text[k]);
    evaluated.ap = (double *)xcalloc(classes, sizeof *evaluated.ap);
    evaluated.per_class = (best_threshold *)xcalloc(classes, sizeof *evaluated.per_class);
    valid_data_free(&data);
}

static int evaluate(const training *t, double *measures, char *text, size_t size)
{
    const validation_input input = {t->data_file, t->cfg_file, t->last_weights, t->nets[0]->gpu_index};
    const network *net = t->nets[0];
    detector_scores scores = {.ap = evaluated.ap, .classes = evaluated.classes, .best_of = evaluated.per_class};
    int length;
    if (validation_detector(&input, !detection_loss_problem(net), &scores, text, size)) return -1;
    memcpy(measures + FIRST_AP, evaluated.ap, evaluated.classes * sizeof *evaluated.ap);
    evaluated.iteration = get_current_batch(t->nets[0]);
    evaluated.map = scores.map;
    evaluated.all = scores.best;
    measures[MAP] = scores.map;
    measures[VALIDATION_LOSS] = scores.loss;
    measures[F1] = scores.best.f1;
    length = snprintf(text, size, "mAP@0.50 %.2f %%", 100 * scores.map);
    if (scores.loss >= 0) length += snprintf(text + length, size - length, ", validation loss %.4f", scores.loss);
    snprintf(text + length, size - length, ", F1 %.2f %%", 100 * scores.best.f1);
    return 0;
}

/* The best weights have just been written: where divergence.h would hold them back, nothing is evaluated. Those that
 * were evaluated hold the optimiser's state, too, and have another checksum. */
static void record_best(const training *t)
{
    int error = weights_file_crc32(t->best_weights, &evaluated.weights_crc32);
    if (!error) error = threshold_file_write(t->best_record, &evaluated);
    if (error) report_note("cannot write %s: %s", t->best_record, strerror(error));
}

/* ---- The hooks --------------------------------------------------------------------------------------------------- */

void detector_training_set_map(int epochs)
{
    current.epochs = epochs;
}

void detector_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                             char *weightfile)
{
    static const training_kind kind = {.option = "-map",
                                       .score = "mAP",
                                       .final_ending = "_final.weights",
                                       .score_verifies = 1,
                                       .prepare = prepare,
                                       .evaluate = evaluate,
                                       .record_best = record_best};
    refuse_augmentation(nets[0]);
    scale = multi_scale_range(nets[0]->w, nets[0]->h, network_stride(nets[0]));
    training_begin(&current, &kind, nets, n, images, options, datacfg, cfgfile, weightfile);
}

void detector_training_resize(load_args *args)
{
    network *net = current.nets[0];
    const int is_end = get_current_batch(net) + LAST_ITERATIONS > (size_t)net->max_batches;
    multi_scale_draw(&scale, is_end, &args->w, &args->h);
    if (args->w == args->h)
        printf("%d\n", args->w);
    else
        printf("%d x %d\n", args->w, args->h);
}

void detector_training_loaded(void)
{
    training_loaded(&current);
}

void detector_training_step(double loss, double average_loss)
{
    training_step(&current, loss, average_loss);
}
