/* What `detector train` adds to Darknet's loop: speed and ETA, multi-scale sizes, and -map with its log and chart. */
#include "train/detector_training.h"

#include "base/error.h"
#include "base/progress.h"
#include "data/data_file.h"
#include "eval/detect.h"
#include "layers/device.h"
#include "option_list.h"
#include "train/divergence.h"
#include "train/multi_scale.h"
#include "train/training_log.h"
#include "train/validation.h"
#include "utils.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As in Darknet: with random=1, this many iterations at the end of a training have one size. */
enum { LAST_ITERATIONS = 200 };
/* As in Darknet: train_detector averages the weights of its networks when the iteration is a multiple of this (the last
 * argument of train_networks). */
enum { SYNC_INTERVAL = 4 };
/* The rows of the log: this many per epoch, but not many more than MAX_ROWS in all. */
enum { ROWS_PER_EPOCH = 10, MAX_ROWS = 2000 };
static const double seconds_between_charts = 60;

typedef struct {
    network **nets; /* nets[0] is the one that is saved and evaluated */
    int n;
    multi_scale scale;
    size_t images_per_epoch;     /* the length of the training list */
    size_t images_per_iteration; /* of all networks together */
    size_t images_seen;          /* so far; the images of other networks are added when the weights are synchronized */
    int weights_synced;          /* all networks have the same weights, and images_seen includes the images of all */
    int checkpoint_allowed;      /* the loss is not above the limit of divergence.h */
    double last_step_end;        /* monotonic_seconds() */
    smoothed_mean seconds_per_image;

    /* Only with -map: */
    int map_epochs; /* epochs between two evaluations; 0: no -map */
    char *data_file, *cfg_file;
    char last_weights[PATH_MAX], best_weights[PATH_MAX], log[PATH_MAX], chart[PATH_MAX];
    size_t last_logged, last_evaluated; /* images_seen at the last row and at the last evaluation */
    smoothed_mean seconds_per_evaluation;
    double best_map;         /* -1: none yet */
    size_t best_iteration;   /* 0: unknown */
    training_rows earlier;   /* the rows that the resumed run has left in the log */
    int has_earlier;         /* 1 until this run writes its first row */
    double last_chart_drawn; /* monotonic_seconds() */
    int chart_failed;        /* 1: no more attempts */
} training;

/* The training of this process. Only the hooks at the end of this file use this variable; other functions get a
 * pointer. */
static training current;

/* ---- Beginning --------------------------------------------------------------------------------------------------- */

/* Writes <folder>/<base><ending> to `path`, leaving room for the ending of a temporary file. */
static void name_file(char *path, const char *folder, const char *base, const char *ending)
{
    if (snprintf(path, PATH_MAX, "%s/%s%s", folder, base, ending) >= PATH_MAX - 16)
        die("the path %s/%s%s is too long", folder, base, ending);
}

static int exists(const char *path)
{
    return !access(path, F_OK);
}

static void set_aside(const char *path, const char *to)
{
    if (!exists(path)) return;
    if (rename(path, to)) die("cannot rename %s to %s: %s", path, to, strerror(errno));
    report_note("%s of an earlier training is now %s", path, to);
}

/* Returns the folder for weights. It is checked before the training, because the first save is 100 iterations away. */
static const char *find_folder(const training *t, list *options)
{
    const char *folder = option_find_str(options, "backup", 0);
    if (!folder) folder = "/backup/"; /* the default of train_detector */
    if (access(folder, W_OK | X_OK))
        die("cannot save weights to the folder backup=%s of %s: %s", folder, t->data_file, strerror(errno));
    return folder;
}

/* Checks what -map evaluates on. Ends the program with one line if every evaluation would fail. */
static void check_valid_data(const training *t, list *options)
{
    const char *valid = option_find_str(options, "valid", 0);
    const network *net = t->nets[0];
    const int classes = net->layers[net->n - 1].classes;
    valid_data data;
    if (!valid) die("-map needs a list of images to evaluate on: there is no valid= in %s", t->data_file);
    if (access(valid, R_OK)) die("-map cannot read the list valid=%s: %s", valid, strerror(errno));
    if (valid_data_read(t->data_file, &data)) exit(1);
    if (data.classes != classes || data.names.count != classes)
        die("-map: classes=%d in %s, %d names in %s and %d classes in %s: must be the same", data.classes, t->data_file,
            data.names.count, data.names_file, classes, t->cfg_file);
    valid_data_free(&data);
}

static void begin_map(training *t, const char *folder)
{
    char *base = basecfg(t->cfg_file), log_aside[PATH_MAX], best_aside[PATH_MAX];
    name_file(t->last_weights, folder, base, "_last.weights");
    name_file(t->best_weights, folder, base, "_best.weights");
    name_file(t->log, folder, base, "_log.csv");
    name_file(t->chart, folder, base, "_chart.png");
    name_file(log_aside, folder, base, "_log.old.csv");
    name_file(best_aside, folder, base, "_best.old.weights");
    free(base);
    if (!t->images_seen) {
        set_aside(t->log, log_aside);
        set_aside(t->best_weights, best_aside);
    }
    if (training_rows_read(t->log, &t->earlier)) die("cannot read %s: %s", t->log, strerror(errno));
    t->has_earlier = 1;
    t->best_map = -1;
    if (t->earlier.best_map >= 0 && exists(t->best_weights)) {
        t->best_map = t->earlier.best_map;
        t->best_iteration = t->earlier.best_iteration;
        report_note("%s has mAP %.4f: it stays until that is exceeded", t->best_weights, t->best_map);
    }
}

/* ---- The line of an iteration ------------------------------------------------------------------------------------ */

/* The number of images in the whole training. */
static size_t total_images(const training *t)
{
    const network *net = t->nets[0];
    return (size_t)net->max_batches * net->batch * net->subdivisions;
}

/* How many multiples of `step` are above a and not above b. */
static size_t multiples_between(double a, double b, double step)
{
    return (size_t)(floor(b / step) - floor(a / step));
}

static void end_line(const training *t)
{
    const double total = total_images(t), seconds_per_image = smoothed_value(&t->seconds_per_image);
    const double images_left = total > t->images_seen ? total - t->images_seen : 0;
    double seconds_left = images_left * seconds_per_image;
    char duration[32];
    if (t->map_epochs && images_left > 0) {
        const double step = (double)t->map_epochs * t->images_per_epoch;
        const size_t evaluations = multiples_between(t->last_evaluated, total - 1, step) + 1; /* + the last one */
        seconds_left += evaluations * smoothed_value(&t->seconds_per_evaluation);
    }
    format_duration(seconds_left, duration);
    printf(", epoch %.2f of %.2f, %.1f images/s, ETA %s\n", (double)t->images_seen / t->images_per_epoch,
           total / t->images_per_epoch, seconds_per_image > 0 ? 1 / seconds_per_image : 0, duration);
}

/* ---- Evaluation, log and chart ----------------------------------------------------------------------------------- */

/* Saves the weights and returns their mAP, or -1 after one line on stderr. */
static double evaluate(training *t)
{
    network *net = t->nets[0];
    const double began = monotonic_seconds();
    double map;
    char why[512], best[64] = "";
    if (!t->checkpoint_allowed) {
        report_note("iteration %zu: no mAP while the loss is so high", get_current_batch(net));
        return -1;
    }
    /* Darknet also synchronizes before it saves. The last iteration may be between two synchronizations. */
    if (!t->weights_synced) sync_networks(t->nets, t->n);
    save_weights(net, t->last_weights);
    map = validation_map(t->data_file, t->cfg_file, t->last_weights, net->gpu_index, why, sizeof why);
    if (map < 0) {
        report_note("iteration %zu: no mAP: %s", get_current_batch(net), why);
        return map;
    }
    map = round(1e6 * map) / 1e6; /* rounded as in the log, or a resumed run could take an equal mAP for a better one */
    if (map > t->best_map) {
        t->best_map = map;
        t->best_iteration = get_current_batch(net);
        save_weights(net, t->best_weights);
        snprintf(best, sizeof best, "the best so far");
    } else if (t->best_iteration) {
        snprintf(best, sizeof best, "best %.2f %% at iteration %zu", 100 * t->best_map, t->best_iteration);
    } else {
        snprintf(best, sizeof best, "best %.2f %%", 100 * t->best_map);
    }
    if (map > 0) divergence_mark_verified();
    printf("%zu: mAP@0.50 %.2f %%, %s, %.1f seconds\n", get_current_batch(net), 100 * map, best,
           monotonic_seconds() - began);
    return map;
}

static void add_row(training *t, const training_row *row)
{
    int failed = 0;
    /* An earlier run may have got further than this one. Its later rows are removed now and not at the beginning, so
     * that nothing is lost if this run ends before its first row. */
    if (t->has_earlier) failed = training_rows_write(t->log, &t->earlier, row->iteration - 1);
    if (!failed) {
        t->has_earlier = 0;
        training_rows_free(&t->earlier);
        failed = training_row_append(t->log, row);
    }
    if (failed) report_note("cannot write to %s: %s", t->log, strerror(errno));
}

static void draw_chart(training *t)
{
    char *base;
    const char *why;
    if (t->chart_failed) return;
    base = basecfg(t->cfg_file);
    why = training_chart(t->log, t->chart, base);
    free(base);
    t->last_chart_drawn = monotonic_seconds();
    if (!why) return;
    t->chart_failed = 1;
    report_note("no chart %s: %s", t->chart, why);
}

/* Called after every iteration: evaluates, adds a row and draws the chart when they are due. */
static void log_and_evaluate(training *t, double loss, double average_loss)
{
    network *net = t->nets[0];
    const double began = monotonic_seconds(), total = total_images(t);
    const double images_per_row = fmax((double)t->images_per_epoch / ROWS_PER_EPOCH, total / MAX_ROWS);
    const double images_per_evaluation = (double)t->map_epochs * t->images_per_epoch;
    const int is_last = t->images_seen >= total;
    const int evaluates = is_last || multiples_between(t->last_evaluated, t->images_seen, images_per_evaluation);
    training_row row;
    if (!t->weights_synced && !is_last) return;
    if (!evaluates && !multiples_between(t->last_logged, t->images_seen, images_per_row)) return;
    row.iteration = get_current_batch(net);
    row.epoch = (double)t->images_seen / t->images_per_epoch;
    row.images = t->images_seen;
    row.loss = loss;
    row.average_loss = average_loss;
    row.rate = get_current_rate(net);
    row.map = evaluates ? evaluate(t) : -1;
    row.best_map = t->best_map;
    if (evaluates) t->last_evaluated = t->images_seen;
    t->last_logged = t->images_seen;
    add_row(t, &row);
    if (evaluates || monotonic_seconds() - t->last_chart_drawn > seconds_between_charts) draw_chart(t);
    if (evaluates) smoothed_add(&t->seconds_per_evaluation, monotonic_seconds() - began);
}

/* ---- The hooks --------------------------------------------------------------------------------------------------- */

void detector_training_set_map(int epochs)
{
    current.map_epochs = epochs;
}

void detector_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                             char *weightfile)
{
    training *t = &current;
    network *net = nets[0];
    const char *folder;
    t->nets = nets;
    t->n = n;
    t->scale = multi_scale_range(net->w, net->h, network_stride(net));
    t->images_per_epoch = (size_t)images;
    t->images_per_iteration = (size_t)net->batch * net->subdivisions * n;
    t->images_seen = t->last_logged = t->last_evaluated = *net->seen;
    t->data_file = datacfg;
    t->cfg_file = cfgfile;
    t->last_step_end = t->last_chart_drawn = monotonic_seconds();
    t->seconds_per_image.keep = .98;
    t->seconds_per_evaluation.keep = .5;
    divergence_begin(net, weightfile);
    if (get_current_batch(net) >= (size_t)net->max_batches)
        report_note("nothing to train: the network is at iteration %zu, and max_batches=%d; raise it, or start over "
                    "with -clear",
                    get_current_batch(net), net->max_batches);
    folder = find_folder(t, options);
    if (!t->map_epochs) return;
    check_valid_data(t, options);
    begin_map(t, folder);
}

void detector_training_resize(load_args *args)
{
    const training *t = &current;
    network *net = t->nets[0];
    const int is_end = get_current_batch(net) + LAST_ITERATIONS > (size_t)net->max_batches;
    multi_scale_draw(&t->scale, is_end, &args->w, &args->h);
    if (args->w == args->h)
        printf("%d\n", args->w);
    else
        printf("%d x %d\n", args->w, args->h);
}

void detector_training_step(double loss, double average_loss)
{
    training *t = &current;
    network *net = t->nets[0];
    smoothed_add(&t->seconds_per_image, (monotonic_seconds() - t->last_step_end) / t->images_per_iteration);
    t->images_seen = *net->seen;
    t->weights_synced = t->n == 1 || get_current_batch(net) % SYNC_INTERVAL == 0;
    end_line(t);
    t->checkpoint_allowed = divergence_check(get_current_batch(net), loss);
    if (t->map_epochs) log_and_evaluate(t, loss, average_loss);
    t->last_step_end = monotonic_seconds();
}
