/* What the trainers of detectors and of classifiers share: every iteration's line gets epoch, speed and time left, a
 * training that diverges is stopped, and with an option (-map, -topk) the validation list is evaluated while it trains.
 *
 * With the option, every N epochs and after the last iteration:
 *     saves   <backup>/<cfg>_last.weights     and evaluates it in a process of its own
 *     keeps   <backup>/<cfg>_best.weights     the weights with the highest score
 *     writes  <backup>/<cfg>_best.json        after them, what is known of them (detectors: eval/threshold_file.h)
 *     adds to <backup>/<cfg>_log.csv          (training_log.h); also a row per tenth of an epoch, about 2000 at most
 *     draws   <backup>/<cfg>_chart.png        also between evaluations, once a minute at most
 * If an evaluation or a chart fails, one line on stderr says so, and the training goes on. A training that starts from
 * iteration 0 renames an older log and older best weights to *_log.old.csv and *_best.old.weights, with
 * *_best.old.json; one that is resumed does so with best weights whose score is in no log.
 * An evaluation that an earlier run was killed in is made up for: at the first iteration or, if it was that of the last
 * iteration, before any, with the loss left empty in its row if that is not known.
 *
 * SIGINT, SIGTERM and SIGHUP: after the iteration (with several GPUs, the next one at which they are merged),
 * <backup>/<cfg>.backup is saved, and the program ends with status 130, 143 or 129.
 */
#ifndef TRAINING_H
#define TRAINING_H

#include "base/progress.h"
#include "train/training_log.h"

#include "darknet.h"

#include <limits.h>

struct training;

/* What a kind of training does in its own way. */
typedef struct {
    const char *option;       /* that asks for evaluations: "-map" */
    const char *score;        /* what weights are judged by: "mAP" */
    const char *final_ending; /* of the weights behind the last iteration: <backup>/<cfg>_final.weights */
    /* Whether a score above 0 shows that weights are good (divergence.h). */
    int score_verifies;
    /* Whether the trainer has no last iteration if max_batches is 0; otherwise it then trains nothing. */
    int may_be_endless;
    /* Called before the training if it will be evaluated: checks what it is evaluated on, and sets what is logged.
     * Ends the program with one line if every evaluation would fail. */
    void (*prepare)(const struct training *t, list *options, log_format *format);
    /* Evaluates t->last_weights. Sets measures of the row and writes them to `text` (`size` bytes) in words; returns 0.
     * Or returns -1 with the reason in `text`, and leaves the measures. */
    int (*evaluate)(const struct training *t, double *measures, char *text, size_t size);
    /* Called when t->best_weights have become those of the last evaluation: writes t->best_record about them. NULL:
     * there is no such file. */
    void (*record_best)(const struct training *t);
    /* Sets those measures of a row that need no evaluation. NULL: there are none. */
    void (*observe)(const struct training *t, double *measures);
} training_kind;

typedef struct training {
    int epochs; /* between two evaluations; 0: none. Set by the caller before training_begin */

    /* The rest is set by the functions below. */
    const training_kind *kind;
    network **nets; /* nets[0] is the one that is saved and evaluated */
    int n;
    char *data_file, *cfg_file;
    int is_endless;              /* there is no last iteration */
    size_t images_per_epoch;     /* the length of the training list */
    size_t images_per_iteration; /* of all networks together */
    size_t images_seen;          /* so far; the images of other networks are added when the weights are synchronized */
    int weights_synced;          /* all networks have the same weights, and images_seen includes the images of all */
    int checkpoint_allowed;      /* the loss is not above the limit of divergence.h */
    char backup[PATH_MAX];       /* what an interrupted training saves */
    double last_step_end;        /* monotonic_seconds() */
    smoothed_mean seconds_per_image;

    /* Only with evaluations: */
    log_format format;
    char last_weights[PATH_MAX], best_weights[PATH_MAX], best_record[PATH_MAX], log[PATH_MAX], chart[PATH_MAX];
    size_t last_logged, last_evaluated; /* images_seen at the last row and at the last evaluation */
    smoothed_mean seconds_per_evaluation;
    double best;             /* the highest score; -1: none yet */
    size_t best_iteration;   /* 0: unknown */
    int since_best;          /* how many evaluations came after the best one */
    training_rows earlier;   /* the rows that the resumed run has left in the log */
    int has_earlier;         /* 1 until this run writes its first row */
    double last_chart_drawn; /* monotonic_seconds() */
    int chart_failed;        /* 1: no more attempts */
    int was_cut;             /* the last evaluation, by the signal that ends the training */
} training;

/* -log: only every n-th iteration has a line, and the last one. -v: Darknet's own lines, too, of the heads and of
 * loading. Called before the training begins. */
void training_set_log(int n);
void training_set_verbose(int on);

/* Hooks in Darknet's loops: whether the iteration that has just ended has a line, and whether -v was given. */
int training_prints(const network *net);
int training_is_verbose(void);

/* Begins the training of n networks, which train in parallel; called before the first batch. `images` is the length of
 * the training list, `options` those of the .data file, `weight_file` may be NULL. Networks and strings stay the
 * caller's and must live as long as the training. Ends the program with one line if weights cannot be saved or
 * evaluations cannot work. */
void training_begin(training *t, const training_kind *kind, network **nets, int n, int images, list *options,
                    char *data_file, char *cfg_file, char *weight_file);

/* Called when a batch has been loaded, before it is trained on. Where an image of it cannot be decoded, saves
 * <backup>/<cfg>.backup, unless nothing was trained yet, and ends the program with one line and status 1. */
void training_loaded(training *t);

/* Called after every iteration, when Darknet has printed its line without the line end, if training_prints() says that
 * there is one: completes the line with epoch, speed and time left, and evaluates and logs when due. Ends the program
 * if the training has diverged (divergence.h).
 */
void training_step(training *t, double loss, double average_loss);

#endif
