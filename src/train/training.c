/* Speed, ETA, evaluations, log and chart of a training. */
#include "train/training.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/photo.h"
#include "layers/device.h"
#include "option_list.h"
#include "train/checkpoint.h"
#include "train/divergence.h"
#include "train/interruption.h"
#include "train/training_check.h"
#include "utils.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As in Darknet: the trainers average the weights of their networks when the iteration is a multiple of this (the last
 * argument of train_networks). */
enum { SYNC_INTERVAL = 4 };
/* The rows of the log: this many per epoch, but not many more than MAX_ROWS in all. */
enum { ROWS_PER_EPOCH = 10, MAX_ROWS = 2000 };
static const double seconds_between_charts = 60;

/* -log and -v. */
static int log_every = 1, verbose;

static void make_up_for_last_evaluation(training *t, const char *final);

/* ---- Beginning --------------------------------------------------------------------------------------------------- */

/* Writes <folder>/<base><ending> to `path`. That there is room for it, check_backup has looked. */
static void name_file(char *path, const char *folder, const char *base, const char *ending)
{
    snprintf(path, PATH_MAX, "%s/%s%s", folder, base, ending);
}

static int exists(const char *path)
{
    return !access(path, F_OK);
}

/* Returns whether there was such a file. */
static int set_aside(const char *path, const char *to)
{
    if (!exists(path)) return 0;
    if (rename(path, to)) die("cannot rename %s to %s: %s", path, to, strerror(errno));
    report_note("%s of an earlier training is now %s", path, to);
    return 1;
}

/* Returns the folder for weights. It is checked before the training, because the first save is far away. */
static const char *find_folder(const training *t, list *options)
{
    const char *folder = option_find_str(options, "backup", 0);
    problems found = {{0}, 0, 0, 0};
    if (!folder) folder = "/backup/"; /* the default of Darknet's trainers */
    check_backup(t->data_file, folder, t->cfg_file, checkpoint_size(t->nets[0]), &found);
    if (end_problems(&found)) exit(1);
    return folder;
}

/* Earlier versions, like Darknet, cut the name of a cfg at its first dot. What they have written stays as it is, but a
 * training that goes on from it should not do so in silence under another name. */
static void tell_earlier_name(const training *t, const char *folder, const char *base)
{
    const char *dot = strchr(base, '.');
    char earlier[PATH_MAX], *before;
    if (!dot || exists(t->backup)) return;
    before = xstrdup(base);
    before[dot - base] = 0;
    name_file(earlier, folder, before, ".backup");
    free(before);
    if (exists(earlier))
        report_note("%s may be of an earlier version, which cut names at the first dot; this training writes %s",
                    earlier, t->backup);
}

/* Whether the final weights of this training are there. Those with fewer images seen are of a training before, with a
 * smaller max_batches. */
static int has_final(const training *t, const char *final)
{
    unsigned char header[20]; /* Darknet's: three numbers of 4 bytes, and the images seen */
    uint64_t seen = UINT64_MAX;
    FILE *file = fopen(final, "rb");
    if (!file) return exists(final);
    if (fread(header, sizeof header, 1, file) == 1) memcpy(&seen, header + 12, sizeof seen);
    fclose(file);
    return seen >= t->images_seen;
}

/* Whether weights at the last iteration have not been evaluated, as their training was killed before that was done: the
 * log says so, or there is no log yet, nor final weights. */
static int lacks_last_evaluation(const training *t, const char *final)
{
    return t->epochs && (t->last_evaluated < t->images_seen || (!t->earlier.count && !has_final(t, final)));
}

/* Where weights are at the last iteration already, Darknet writes them as those of a finished training. That is right
 * only for a training that was cut off before it did so, or before its last evaluation. */
static void refuse_to_train_nothing(const training *t, const char *final)
{
    const network *net = t->nets[0];
    const size_t iteration = get_current_batch(t->nets[0]);
    if (t->is_endless || iteration < (size_t)net->max_batches) return;
    if (iteration > (size_t)net->max_batches || (has_final(t, final) && !lacks_last_evaluation(t, final)))
        die("nothing to train: the network is at iteration %zu, and max_batches=%d; raise it, or start over with "
            "-clear",
            iteration, net->max_batches);
    if (!has_final(t, final))
        report_note("the network is at iteration %zu, the last one: %s is written", iteration, final);
}

/* Ends the program with one line if the validation list cannot be read. */
static void check_list(const training *t, list *options)
{
    const char *valid = option_find_str(options, "valid", 0), *option = t->kind->option;
    if (!valid) die("%s needs a list of images to evaluate on: there is no valid= in %s", option, t->data_file);
    if (access(valid, R_OK)) die("%s cannot read the list valid=%s: %s", option, valid, strerror(errno));
}

/* The images that had been seen at the last evaluation in the log of the run that is resumed; those seen by now where
 * there is no log. An evaluation that was killed has no row, and is then due at the first iteration. */
static size_t find_last_evaluated(const training *t)
{
    size_t i, last = t->earlier.count ? 0 : t->images_seen;
    for (i = 0; i < t->earlier.count; ++i) {
        const training_row *row = t->earlier.rows + i;
        if (row->images <= t->images_seen && row->measures[t->format.judged] >= 0) last = row->images;
    }
    return last;
}

/* Takes the best score from the log of the run that is resumed. */
static void find_best(training *t)
{
    const size_t iteration = get_current_batch(t->nets[0]);
    size_t i;
    t->best = -1;
    t->since_best = 0;
    if (t->earlier.best < 0 || !exists(t->best_weights)) return;
    t->best = t->earlier.best;
    t->best_iteration = t->earlier.best_iteration;
    for (i = 0; i < t->earlier.count && t->best_iteration; ++i) {
        const training_row *row = t->earlier.rows + i;
        if (row->iteration > t->best_iteration && row->iteration <= iteration && row->measures[t->format.judged] >= 0)
            ++t->since_best;
    }
    report_note("%s has %s %.4f: it stays until that is exceeded", t->best_weights, t->kind->score, t->best);
}

/* Reads the log that the run which is resumed has left. */
static void read_log(training *t, const char *folder, const char *base)
{
    char aside[PATH_MAX];
    name_file(t->log, folder, base, "_log.csv");
    name_file(aside, folder, base, "_log.old.csv");
    if (!t->images_seen) set_aside(t->log, aside);
    if (training_rows_read(t->log, &t->format, &t->earlier)) die("cannot read %s: %s", t->log, strerror(errno));
    if (t->earlier.is_foreign) set_aside(t->log, aside);
    t->has_earlier = 1;
    t->last_evaluated = find_last_evaluated(t);
}

static void begin_evaluations(training *t, const char *folder, const char *base)
{
    char best_aside[PATH_MAX], record_aside[PATH_MAX];
    name_file(t->last_weights, folder, base, "_last.weights");
    name_file(t->best_weights, folder, base, "_best.weights");
    name_file(t->chart, folder, base, "_chart.png");
    name_file(best_aside, folder, base, "_best.old.weights");
    name_file(t->best_record, folder, base, "_best.json");
    name_file(record_aside, folder, base, "_best.old.json");
    find_best(t);
    if (t->best >= 0) return; /* else the first evaluation will be the best */
    if (set_aside(t->best_weights, best_aside) && t->kind->record_best) set_aside(t->best_record, record_aside);
}

void training_begin(training *t, const training_kind *kind, network **nets, int n, int images, list *options,
                    char *data_file, char *cfg_file, char *weight_file)
{
    network *net = nets[0];
    const char *folder;
    char *base, final[PATH_MAX];
    int i;
    for (i = 0; i < n; ++i) nets[i]->quiet = !verbose;
    t->kind = kind;
    t->nets = nets;
    t->n = n;
    t->is_endless = kind->may_be_endless && !net->max_batches;
    t->images_per_epoch = (size_t)images;
    t->images_per_iteration = (size_t)net->batch * net->subdivisions * n;
    t->images_seen = t->last_logged = t->last_evaluated = *net->seen;
    t->data_file = data_file;
    t->cfg_file = cfg_file;
    t->last_step_end = t->last_chart_drawn = monotonic_seconds();
    t->seconds_per_image.keep = .98;
    t->seconds_per_evaluation.keep = .5;
    divergence_begin(net, weight_file, t->is_endless ? (size_t)-1 : (size_t)net->max_batches);
    folder = find_folder(t, options);
    base = basecfg(cfg_file);
    name_file(final, folder, base, kind->final_ending);
    name_file(t->backup, folder, base, ".backup");
    tell_earlier_name(t, folder, base);
    if (t->epochs) {
        check_list(t, options);
        kind->prepare(t, options, &t->format);
        read_log(t, folder, base);
    }
    refuse_to_train_nothing(t, final);
    interruption_begin();
    photo_wait_for_failures();
    if (t->epochs) begin_evaluations(t, folder, base);
    free(base);
    checkpoint_keep_optimiser_in(t->backup, t->epochs ? t->last_weights : 0);
    make_up_for_last_evaluation(t, final);
}

/* ---- The line of an iteration ------------------------------------------------------------------------------------ */

/* The number of images in the whole training; infinite if it is endless. */
static double total_images(const training *t)
{
    const network *net = t->nets[0];
    return t->is_endless ? INFINITY : (double)net->max_batches * net->batch * net->subdivisions;
}

/* How many multiples of `step` are above a and not above b. */
static size_t multiples_between(double a, double b, double step)
{
    return (size_t)(floor(b / step) - floor(a / step));
}

static double seconds_left(const training *t)
{
    const double total = total_images(t), left = fmax(total - t->images_seen, 0);
    double seconds = left * smoothed_value(&t->seconds_per_image);
    if (t->epochs && left > 0) {
        const double step = (double)t->epochs * t->images_per_epoch;
        const size_t evaluations = multiples_between(t->last_evaluated, total - 1, step) + 1; /* + the last one */
        seconds += evaluations * smoothed_value(&t->seconds_per_evaluation);
    }
    return seconds;
}

static void end_line(const training *t)
{
    const double seconds_per_image = smoothed_value(&t->seconds_per_image);
    const double epoch = (double)t->images_seen / t->images_per_epoch;
    const double speed = seconds_per_image > 0 ? 1 / seconds_per_image : 0;
    char duration[32];
    if (t->is_endless) {
        printf(", epoch %.2f, %.1f images/s\n", epoch, speed);
        return;
    }
    format_duration(seconds_left(t), duration);
    printf(", epoch %.2f of %.2f, %.1f images/s, ETA %s\n", epoch, total_images(t) / t->images_per_epoch, speed,
           duration);
}

void training_set_log(int n)
{
    log_every = n;
}

void training_set_verbose(int on)
{
    verbose = on;
}

int training_is_verbose(void)
{
    return verbose;
}

int training_prints(const network *net)
{
    const size_t iteration = get_current_batch((network *)net);
    return iteration % log_every == 0 || iteration == (size_t)net->max_batches;
}

/* ---- Evaluation, log and chart ----------------------------------------------------------------------------------- */

/* Keeps the weights if their score is the best so far, and says in `text` how it compares. */
static void judge(training *t, double score, char *text, size_t size)
{
    network *net = t->nets[0];
    const char *name = t->kind->score;
    if (score > t->best) {
        t->best = score;
        t->best_iteration = get_current_batch(net);
        t->since_best = 0;
        save_weights(net, t->best_weights);
        if (t->kind->record_best) t->kind->record_best(t);
        snprintf(text, size, "the best %s so far", name);
        return;
    }
    ++t->since_best;
    if (t->best_iteration)
        snprintf(text, size, "best %s %.2f %% at iteration %zu", name, 100 * t->best, t->best_iteration);
    else
        snprintf(text, size, "best %s %.2f %%", name, 100 * t->best);
}

/* Saves the weights and measures them. One line on stderr if that fails. */
static void evaluate(training *t, double *measures)
{
    network *net = t->nets[0];
    double *score = measures + t->format.judged;
    const double began = monotonic_seconds();
    char text[512], best[128];
    if (!t->checkpoint_allowed) {
        report_note("iteration %zu: no %s while the loss is so high", get_current_batch(net), t->kind->score);
        return;
    }
    /* Darknet also synchronizes before it saves. The last iteration may be between two synchronizations. */
    if (!t->weights_synced) sync_networks(t->nets, t->n);
    save_weights(net, t->last_weights);
    if (t->kind->evaluate(t, measures, text, sizeof text)) {
        t->was_cut = interruption() != 0; /* Ctrl-C goes to the process that evaluates, too */
        report_note("iteration %zu: no %s: %s", get_current_batch(net), t->kind->score, text);
        return;
    }
    /* Rounded as in the log, or a resumed run could take an equal score for a better one. */
    *score = round(1e6 * *score) / 1e6;
    judge(t, *score, best, sizeof best);
    if (t->kind->score_verifies && *score > 0) divergence_mark_verified();
    printf("%zu: %s, %s, %.1f seconds\n", get_current_batch(net), text, best, monotonic_seconds() - began);
}

static void add_row(training *t, const training_row *row)
{
    int failed = 0;
    /* An earlier run may have got further than this one. Its later rows are removed now and not at the beginning, so
     * that nothing is lost if this run ends before its first row. */
    if (t->has_earlier) failed = training_rows_write(t->log, &t->format, &t->earlier, row->iteration - 1);
    if (!failed) {
        t->has_earlier = 0;
        training_rows_free(&t->earlier);
        failed = training_row_append(t->log, &t->format, row);
    }
    if (failed) report_note("cannot write to %s: %s", t->log, strerror(errno));
}

static void draw_chart(training *t)
{
    char *base;
    const char *why;
    if (t->chart_failed) return;
    base = basecfg(t->cfg_file);
    why = training_chart(t->log, &t->format, t->chart, base);
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
    const double began = monotonic_seconds(), total = total_images(t), epoch = (double)t->images_per_epoch;
    const double images_per_row = fmax(epoch / ROWS_PER_EPOCH, t->is_endless ? 0 : total / MAX_ROWS);
    const int is_last = t->images_seen >= total;
    const int evaluates = is_last || multiples_between(t->last_evaluated, t->images_seen, t->epochs * epoch);
    training_row row;
    if (!t->weights_synced && !is_last) return;
    if (!evaluates && !multiples_between(t->last_logged, t->images_seen, images_per_row)) return;
    memset(&row, 0, sizeof row);
    row.iteration = get_current_batch(net);
    row.epoch = t->images_seen / epoch;
    row.images = t->images_seen;
    row.loss = loss;
    row.average_loss = average_loss;
    row.rate = get_current_rate(net);
    row.measures = log_no_measures(&t->format);
    if (t->kind->observe) t->kind->observe(t, row.measures);
    if (evaluates) {
        evaluate(t, row.measures);
        t->last_evaluated = t->images_seen;
    }
    row.best = t->best;
    t->last_logged = t->images_seen;
    add_row(t, &row);
    free(row.measures);
    if (evaluates || monotonic_seconds() - t->last_chart_drawn > seconds_between_charts) draw_chart(t);
    if (evaluates) smoothed_add(&t->seconds_per_evaluation, monotonic_seconds() - began);
}

/* Ends an interrupted training, so that it can be gone on with. All networks have the same weights. */
static void stop(training *t, int number)
{
    const size_t iteration = get_current_batch(t->nets[0]);
    fflush(stdout);
    if (t->checkpoint_allowed) {
        divergence_end(iteration);
        save_weights(t->nets[0], t->backup);
        report_note("stopped after iteration %zu; %s goes on from there", iteration, t->backup);
    } else {
        report_note("stopped after iteration %zu; nothing was saved, as the loss is too high", iteration);
    }
    exit(128 + number);
}

/* A training that was killed in the evaluation of its last iteration: evaluates the weights, which it has saved.
 * Darknet then writes them as the final weights, which may be there from a training before. */
static void make_up_for_last_evaluation(training *t, const char *final)
{
    double loss = NAN, average_loss = NAN; /* not known, where there is no row */
    size_t i;
    if (t->images_seen < total_images(t) || !lacks_last_evaluation(t, final)) return;
    for (i = 0; i < t->earlier.count; ++i) {
        if (t->earlier.rows[i].images != t->images_seen) continue;
        loss = t->earlier.rows[i].loss;
        average_loss = t->earlier.rows[i].average_loss;
    }
    report_note("the evaluation of iteration %zu, the last one, is made up for", get_current_batch(t->nets[0]));
    t->weights_synced = t->checkpoint_allowed = 1;
    log_and_evaluate(t, loss, average_loss);
    if (t->was_cut) stop(t, interruption());
}

void training_loaded(training *t)
{
    const char *failure = photo_failure(), *advice = photo_skips() ? "" : " (-skip_bad takes others instead)";
    const size_t iteration = get_current_batch(t->nets[0]);
    if (!failure) return;
    if (!t->checkpoint_allowed) die("%s%s", failure, advice);
    if (!t->weights_synced) sync_networks(t->nets, t->n);
    divergence_end(iteration);
    save_weights(t->nets[0], t->backup);
    die("%s; stopped after iteration %zu: %s goes on from there%s", failure, iteration, t->backup, advice);
}

void training_step(training *t, double loss, double average_loss)
{
    network *net = t->nets[0];
    smoothed_add(&t->seconds_per_image, (monotonic_seconds() - t->last_step_end) / t->images_per_iteration);
    t->images_seen = *net->seen;
    t->weights_synced = t->n == 1 || get_current_batch(net) % SYNC_INTERVAL == 0;
    if (training_prints(net)) end_line(t);
    t->checkpoint_allowed = divergence_check(get_current_batch(net), loss);
    if (t->epochs) log_and_evaluate(t, loss, average_loss);
    if (interruption() && t->weights_synced && (t->images_seen < total_images(t) || t->was_cut))
        stop(t, interruption());
    if (t->images_seen >= total_images(t) && photo_skipped())
        report_note("damaged images of the training list that were skipped: %d", photo_skipped());
    t->last_step_end = monotonic_seconds();
}
