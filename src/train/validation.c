/* Runs an evaluation as a child process and reads its result. */
#include "train/validation.h"

#include "base/child_process.h"
#include "base/json_reader.h"
#include "base/memory.h"
#include "base/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The result -------------------------------------------------------------------------------------------------- */

/* A number of an object, by its key. */
typedef struct {
    const char *key;
    double *value;
} json_member;

/* Reads the number behind `key` where the key is listed. Returns whether it is. */
static int read_member(json_reader *r, const char *key, const json_member *members, int count)
{
    int i;
    for (i = 0; i < count && strcmp(key, members[i].key);) ++i;
    if (i == count) return 0;
    *members[i].value = json_number(r);
    return 1;
}

/* Reads an object, of whose members those that are listed. */
static void read_object(json_reader *r, const json_member *members, int count)
{
    char key[JSON_STRING];
    for (json_begin(r, '{'); json_more(r, '}');)
        if (json_key(r, key) && !read_member(r, key, members, count)) json_skip(r);
}

/* Reads the object of the best F1; null leaves all zeros. */
static void read_best(json_reader *r, best_threshold *best)
{
    const json_member members[] = {
        {"threshold", &best->threshold}, {"f1", &best->f1}, {"precision", &best->precision}, {"recall", &best->recall}};
    memset(best, 0, sizeof *best);
    if (!json_null(r)) read_object(r, members, sizeof members / sizeof *members);
}

/* Reads the list of classes: "ap" and "best_f1" of each. */
static void read_classes(json_reader *r, detector_scores *scores)
{
    char key[JSON_STRING];
    int k = 0;
    for (json_begin(r, '['); json_more(r, ']'); ++k) {
        double ap = -1;
        best_threshold best = {0, 0, 0, 0};
        for (json_begin(r, '{'); json_more(r, '}');) {
            if (!json_key(r, key)) continue;
            if (!strcmp(key, "ap"))
                ap = json_number_or_null(r, -1);
            else if (!strcmp(key, "best_f1"))
                read_best(r, &best);
            else
                json_skip(r);
        }
        if (k < scores->classes) scores->ap[k] = ap;
        if (k < scores->classes && scores->best_of) scores->best_of[k] = best;
    }
    if (k != scores->classes) json_fail(r, "there are %d classes, not %d", k, scores->classes);
}

int validation_read_detector(const char *json_file, detector_scores *scores, char *why, size_t size)
{
    char key[JSON_STRING];
    int has_classes = 0;
    json_reader r;
    scores->map = scores->loss = -1;
    memset(&scores->best, 0, sizeof scores->best);
    if (json_open(&r, json_file)) {
        for (json_begin(&r, '{'); json_more(&r, '}');) {
            if (!json_key(&r, key)) continue;
            if (!strcmp(key, "map")) { /* never null here: detector map fails where it would be, without objects */
                scores->map = json_number(&r);
            } else if (!strcmp(key, "loss")) {
                scores->loss = json_number_or_null(&r, -1);
            } else if (!strcmp(key, "best_f1")) {
                read_best(&r, &scores->best);
            } else if (!strcmp(key, "classes")) {
                read_classes(&r, scores);
                has_classes = 1;
            } else {
                json_skip(&r);
            }
        }
        json_end(&r);
        if (!(scores->map >= 0 && scores->map <= 1)) json_fail(&r, "there is no \"map\" from 0 to 1");
        if (!has_classes) json_fail(&r, "there are no \"classes\"");
    }
    json_close(&r);
    if (!r.error[0]) return 0;
    snprintf(why, size, "%s", r.error);
    return -1;
}

/* What classifier metrics says of the first model; -1: nothing. */
typedef struct {
    classifier_scores scores;
    double noisy, as_given, as_true; /* numbers of images */
} model_numbers;

static void read_model(json_reader *r, model_numbers *model)
{
    const json_member noise[] = {
        {"images", &model->noisy}, {"as_given", &model->as_given}, {"as_true", &model->as_true}};
    const json_member scores[] = {{"top1", &model->scores.top1},
                                  {"top_k", &model->scores.top_k},
                                  {"nll", &model->scores.nll},
                                  {"ece", &model->scores.ece}};
    char key[JSON_STRING];
    for (json_begin(r, '{'); json_more(r, '}');) {
        if (!json_key(r, key) || read_member(r, key, scores, sizeof scores / sizeof *scores)) continue;
        if (!strcmp(key, "noise"))
            read_object(r, noise, sizeof noise / sizeof *noise);
        else
            json_skip(r);
    }
}

/* Reads the first model of a file, and calls `check`, which fails the reader where a number is missing. */
static int read_models(const char *json_file, model_numbers *model, void (*check)(json_reader *, const model_numbers *),
                       char *why, size_t size)
{
    static const model_numbers none = {{-1, -1, -1, -1}, -1, -1, -1};
    char key[JSON_STRING];
    json_reader r;
    int k;
    *model = none;
    if (json_open(&r, json_file)) {
        for (json_begin(&r, '{'); json_more(&r, '}');) {
            if (!json_key(&r, key) || strcmp(key, "models")) {
                json_skip(&r);
                continue;
            }
            for (k = 0, json_begin(&r, '['); json_more(&r, ']'); ++k) {
                if (k)
                    json_skip(&r);
                else
                    read_model(&r, model);
            }
        }
        json_end(&r);
        check(&r, model);
    }
    json_close(&r);
    if (!r.error[0]) return 0;
    snprintf(why, size, "%s", r.error);
    return -1;
}

static int is_share(double value)
{
    return value >= 0 && value <= 1;
}

static void check_scores(json_reader *r, const model_numbers *model)
{
    const classifier_scores *s = &model->scores;
    if (!is_share(s->top1) || !is_share(s->top_k) || !is_share(s->ece) || !(s->nll >= 0))
        json_fail(r, "there is no model with \"top1\", \"top_k\" and \"ece\" from 0 to 1 and a \"nll\"");
}

int validation_read_scores(const char *json_file, classifier_scores *scores, char *why, size_t size)
{
    model_numbers model;
    const int failed = read_models(json_file, &model, check_scores, why, size);
    *scores = model.scores;
    return failed;
}

static void check_noise(json_reader *r, const model_numbers *model)
{
    const double n = model->noisy;
    if (!(n > 0) || !is_share(model->as_given / n) || !is_share(model->as_true / n))
        json_fail(r, "there is no model with \"noise\": \"images\", \"as_given\" and \"as_true\"");
}

int validation_read_noise(const char *json_file, noise_errors *errors, char *why, size_t size)
{
    model_numbers model;
    const int failed = read_models(json_file, &model, check_noise, why, size);
    errors->given = 1 - model.as_given / model.noisy;
    errors->clean = 1 - model.as_true / model.noisy;
    return failed;
}

/* ---- The child --------------------------------------------------------------------------------------------------- */

/* Where stderr is not a terminal. A shorter evaluation prints no progress. */
static const double seconds_between_lines = 10;

/* A command that evaluates. */
typedef struct {
    const char *group, *name;
    const char *label; /* before its progress */
} validation_command;

typedef struct {
    const char *label;
    double last_line; /* monotonic_seconds() when progress was printed last */
    int is_terminal, line_open;
    char last_message[512];
} child_output;

static void read_line(void *context, char *text)
{
    static const char prefix[] = "darknet: ";
    child_output *o = (child_output *)context;
    if (is_progress_line(text)) {
        if (monotonic_seconds() - o->last_line < (o->is_terminal ? .5 : seconds_between_lines)) return;
        o->last_line = monotonic_seconds();
        fprintf(stderr, "%s%s: %s%s", o->is_terminal ? "\r" : "", o->label, text, o->is_terminal ? "   " : "\n");
        o->line_open = o->is_terminal;
    } else if (*text) { /* if the child fails, the last line says why */
        if (!strncmp(text, prefix, sizeof prefix - 1)) text += sizeof prefix - 1;
        snprintf(o->last_message, sizeof o->last_message, "%s", text);
    }
}

/* The name of the file for the child's results; the caller frees it. */
static char *name_result(const validation_input *input)
{
    static const char ending[] = ".result.json";
    char *name = (char *)xmalloc(strlen(input->weights) + sizeof ending);
    return strcat(strcpy(name, input->weights), ending);
}

/* Runs the command with up to MORE further arguments, which NULL ends. Returns 0; or -1 with the reason in `why`. */
static int run_child(const validation_command *command, const validation_input *input, const char *json_file,
                     const char *const *more, char *why, size_t size)
{
    enum { MORE = 4 };
    char gpu[16];
    const char *argv[11 + MORE] = {"darknet",       command->group, command->name, input->data_file,
                                   input->cfg_file, input->weights, "-json",       json_file};
    int n = 8, status;
    child_output output;
    memset(&output, 0, sizeof output);
    output.label = command->label;
    output.is_terminal = isatty(2);
    output.last_line = monotonic_seconds();
    if (input->gpu < 0) {
        argv[n++] = "-nogpu";
    } else {
        snprintf(gpu, sizeof gpu, "%d", input->gpu);
        argv[n++] = "-i";
        argv[n++] = gpu;
    }
    while (*more) argv[n++] = *more++;
    /* The running program, even if another one has been built in its place. */
    status = child_run("/proc/self/exe", (char **)argv, -1, read_line, &output);
    if (output.line_open) fputc('\n', stderr);
    if (!status) return 0;
    if (status < 0)
        snprintf(why, size, "%s %s could not be started: %s", command->group, command->name, strerror(errno));
    else if (status >= 128)
        snprintf(why, size, "%s %s was ended by signal %d", command->group, command->name, status - 128);
    else if (output.last_message[0])
        snprintf(why, size, "%s", output.last_message);
    else
        snprintf(why, size, "%s %s said nothing", command->group, command->name);
    return -1;
}

static void remove_result(char *json_file)
{
    unlink(json_file);
    free(json_file);
}

int validation_detector(const validation_input *input, int has_loss, detector_scores *scores, char *why, size_t size)
{
    static const validation_command command = {"detector", "map", "mAP"};
    const char *const more[] = {has_loss ? "-loss" : 0, 0};
    char *json_file = name_result(input);
    int failed = run_child(&command, input, json_file, more, why, size);
    if (!failed) failed = validation_read_detector(json_file, scores, why, size);
    remove_result(json_file);
    return failed;
}

static const validation_command metrics = {"classifier", "metrics", "top-1"};

int validation_scores(const validation_input *input, int k, classifier_scores *scores, char *why, size_t size)
{
    char *json_file = name_result(input), number[16];
    const char *const more[] = {"-top", number, 0};
    int failed;
    snprintf(number, sizeof number, "%d", k);
    failed = run_child(&metrics, input, json_file, more, why, size);
    if (!failed) failed = validation_read_scores(json_file, scores, why, size);
    remove_result(json_file);
    return failed;
}

int validation_noise(const validation_input *input, int most, noise_errors *errors, char *why, size_t size)
{
    char *json_file = name_result(input), number[16];
    const char *const more[] = {"-list", "train", "-changed", number, 0};
    int failed;
    snprintf(number, sizeof number, "%d", most);
    failed = run_child(&metrics, input, json_file, more, why, size);
    if (!failed) failed = validation_read_noise(json_file, errors, why, size);
    remove_result(json_file);
    return failed;
}
