#include "train/detector_training.h"

#include "base/error.h"
#include "eval/detect.h"
#include "layers/device.h"
#include "train/divergence.h"
#include "train/multi_scale.h"
#include "option_list.h"
#include "base/progress.h"
#include "layers/label_smoothing.h"
#include "train/training_log.h"
#include "utils.h"
#include "data/data_file.h"
#include "train/validation.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* At the end of a training with random=1 so many iterations are of one size, as Darknet has it. */
enum { LAST_ITERATIONS = 200 };
enum { ROWS_PER_EPOCH = 10, ROWS = 2000 };
static const double seconds_between_charts = 60;

static int map_epochs;

static struct {
    network **nets;
    int n;
    size_t images;    /* of the training list */
    size_t step;      /* images an iteration */
    size_t seen;      /* images so far */
    size_t last;      /* as `seen` was at the last row */
    size_t evaluated; /* and at the last evaluation */
    int merged;       /* the networks are one */
    int fine;         /* the loss is not so high that nothing is saved */
    double moment;    /* of the last call */
    smoothed_mean seconds_per_image, seconds_per_evaluation;
    multi_scale scale;

    char *data_file, *cfg_file;
    char last_weights[PATH_MAX], best_weights[PATH_MAX], log[PATH_MAX], chart[PATH_MAX];
    training_rows earlier; /* until the first row of this run */
    int has_earlier, chart_failed;
    double best, chart_moment;
    size_t best_at;
} t;

void detector_training_set_map(int epochs)
{
    map_epochs = epochs;
}

/* ---- Beginning --------------------------------------------------------------------------------------------------- */

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
    fprintf(stderr, "%s of an earlier training is now %s\n", path, to);
}

/* Better now than after the first hundred iterations. */
static const char *find_folder(list *options)
{
    const char *folder = option_find_str(options, "backup", 0);
    if (!folder) folder = "/backup/"; /* as train_detector */
    if (access(folder, W_OK | X_OK))
        die("cannot save weights to the folder backup=%s of %s: %s", folder, t.data_file, strerror(errno));
    return folder;
}

/* What every evaluation would stumble over. */
static void check_valid_data(void)
{
    const network *net = t.nets[0];
    const int classes = net->layers[net->n - 1].classes;
    valid_data data;
    if (valid_data_read(t.data_file, &data)) exit(1);
    if (data.classes != classes || data.names.count != classes)
        die("-map: classes=%d in %s, %d names in %s and %d classes in %s: must be the same", data.classes, t.data_file,
            data.names.count, data.names_file, classes, t.cfg_file);
    valid_data_free(&data);
}

static void begin_map(list *options, const char *folder)
{
    const char *valid = option_find_str(options, "valid", 0);
    char *base = basecfg(t.cfg_file), log_aside[PATH_MAX], best_aside[PATH_MAX];
    if (!valid) die("-map needs a list of images to evaluate on: there is no valid= in %s", t.data_file);
    if (access(valid, R_OK)) die("-map cannot read the list valid=%s: %s", valid, strerror(errno));
    check_valid_data();
    name_file(t.last_weights, folder, base, "_last.weights");
    name_file(t.best_weights, folder, base, "_best.weights");
    name_file(t.log, folder, base, "_log.csv");
    name_file(t.chart, folder, base, "_chart.png");
    name_file(log_aside, folder, base, "_log.old.csv");
    name_file(best_aside, folder, base, "_best.old.weights");
    free(base);
    if (!t.seen) {
        set_aside(t.log, log_aside);
        set_aside(t.best_weights, best_aside);
    }
    if (training_rows_read(t.log, &t.earlier)) die("cannot read %s: %s", t.log, strerror(errno));
    t.has_earlier = 1;
    t.best = -1;
    if (t.earlier.best >= 0 && exists(t.best_weights)) {
        t.best = t.earlier.best;
        t.best_at = t.earlier.best_at;
        fprintf(stderr, "%s has mAP %.4f: it stays until that is exceeded\n", t.best_weights, t.best);
    }
}

void detector_training_begin(network **nets, int n, int images, list *options, char *datacfg, char *cfgfile,
                             char *weightfile)
{
    network *net = nets[0];
    const char *folder;
    memset(&t, 0, sizeof t);
    t.nets = nets;
    t.n = n;
    t.images = (size_t)images;
    t.step = (size_t)net->batch * net->subdivisions * n;
    t.seen = t.last = t.evaluated = *net->seen;
    t.data_file = datacfg;
    t.cfg_file = cfgfile;
    t.moment = monotonic_seconds();
    t.seconds_per_image.keep = .98;
    t.seconds_per_evaluation.keep = .5;
    t.scale = multi_scale_range(net->w, net->h, network_stride(net));
    t.chart_moment = t.moment;
    divergence_begin(net, weightfile);
    if (get_current_batch(net) >= (size_t)net->max_batches)
        fprintf(stderr,
                "nothing to train: the network is at iteration %zu, and max_batches=%d; raise it, or start over "
                "with -clear\n",
                get_current_batch(net), net->max_batches);
    folder = find_folder(options);
    if (map_epochs) begin_map(options, folder);
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

void detector_training_resize(load_args *args)
{
    network *net = t.nets[0];
    multi_scale_draw(&t.scale, get_current_batch(net) + LAST_ITERATIONS > (size_t)net->max_batches, &args->w, &args->h);
    if (args->w == args->h)
        printf("%d\n", args->w);
    else
        printf("%d x %d\n", args->w, args->h);
}

/* ---- Iterations -------------------------------------------------------------------------------------------------- */

static size_t total_images(void)
{
    network *net = t.nets[0];
    return (size_t)net->max_batches * net->batch * net->subdivisions;
}

/* How many times `every` was reached on the way from a to b. */
static size_t passed(double a, double b, double every)
{
    return (size_t)(floor(b / every) - floor(a / every));
}

static void print_progress(void)
{
    double total = total_images(), per_image = smoothed_value(&t.seconds_per_image);
    double left = total > t.seen ? total - t.seen : 0, seconds = left * per_image;
    char duration[32];
    if (map_epochs && left > 0) {
        size_t evaluations = passed(t.evaluated, total - 1, (double)map_epochs * t.images) + 1;
        seconds += evaluations * smoothed_value(&t.seconds_per_evaluation);
    }
    format_duration(seconds, duration);
    printf(", epoch %.2f of %.2f, %.1f images/s, ETA %s\n", (double)t.seen / t.images, total / t.images,
           per_image > 0 ? 1 / per_image : 0, duration);
}

static double evaluate(void)
{
    network *net = t.nets[0];
    double began = monotonic_seconds(), map;
    char why[512], best[64] = "";
    if (!t.fine) {
        fprintf(stderr, "iteration %zu: no mAP while the loss is so high\n", get_current_batch(net));
        return -1;
    }
    /* As Darknet does before it saves; only after the last iteration is there need. */
    if (!t.merged) sync_networks(t.nets, t.n);
    save_weights(net, t.last_weights);
    map = validation_map(t.data_file, t.cfg_file, t.last_weights, net->gpu_index, why, sizeof why);
    if (map < 0) {
        fprintf(stderr, "iteration %zu: no mAP: %s\n", get_current_batch(net), why);
        return map;
    }
    if (map > t.best) {
        t.best = map;
        t.best_at = get_current_batch(net);
        save_weights(net, t.best_weights);
        snprintf(best, sizeof best, "the best so far");
    } else if (t.best_at) {
        snprintf(best, sizeof best, "best %.2f %% at iteration %zu", 100 * t.best, t.best_at);
    } else {
        snprintf(best, sizeof best, "best %.2f %%", 100 * t.best);
    }
    if (map > 0) divergence_mark_verified();
    printf("%zu: mAP@0.50 %.2f %%, %s, %.1f seconds\n", get_current_batch(net), 100 * map, best,
           monotonic_seconds() - began);
    return map;
}

static void add_row(const training_row *row)
{
    int failed = 0;
    /* Where the run that was cut off had got further, its rows and the mAP of its best weights are known till now. */
    if (t.has_earlier) failed = training_rows_write(t.log, &t.earlier, row->iteration - 1);
    if (!failed) {
        t.has_earlier = 0;
        training_rows_free(&t.earlier);
        failed = training_row_append(t.log, row);
    }
    if (failed) fprintf(stderr, "cannot write to %s: %s\n", t.log, strerror(errno));
}

static void draw_chart(void)
{
    char *base;
    const char *why;
    if (t.chart_failed) return;
    base = basecfg(t.cfg_file);
    why = training_chart(t.log, t.chart, base);
    free(base);
    t.chart_moment = monotonic_seconds();
    if (!why) return;
    t.chart_failed = 1;
    fprintf(stderr, "no chart %s: %s\n", t.chart, why);
}

static void log_and_evaluate(double loss, double average_loss)
{
    network *net = t.nets[0];
    double began = monotonic_seconds(), total = total_images();
    double row_images = fmax((double)t.images / ROWS_PER_EPOCH, total / ROWS);
    int over = t.seen >= total;
    int evaluates = over || passed(t.evaluated, t.seen, (double)map_epochs * t.images);
    training_row row;
    if (!t.merged && !over) return;
    if (!evaluates && !passed(t.last, t.seen, row_images)) return;
    row.iteration = get_current_batch(net);
    row.epoch = (double)t.seen / t.images;
    row.images = t.seen;
    row.loss = loss;
    row.average_loss = average_loss;
    row.rate = get_current_rate(net);
    row.map = evaluates ? evaluate() : -1;
    row.best = t.best;
    if (evaluates) t.evaluated = t.seen;
    t.last = t.seen;
    add_row(&row);
    if (evaluates || monotonic_seconds() - t.chart_moment > seconds_between_charts) draw_chart();
    if (evaluates) smoothed_add(&t.seconds_per_evaluation, monotonic_seconds() - began);
}

void detector_training_step(double loss, double average_loss)
{
    size_t seen = *t.nets[0]->seen;
    smoothed_add(&t.seconds_per_image, (monotonic_seconds() - t.moment) / t.step);
    /* Darknet synchronises several networks every 4 iterations, and then counts the images of all of them. */
    t.merged = t.n == 1 || seen - t.seen >= t.step;
    t.seen = seen;
    print_progress();
    t.fine = divergence_check(get_current_batch(t.nets[0]), loss);
    if (map_epochs) log_and_evaluate(loss, average_loss);
    t.moment = monotonic_seconds();
}
