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

double validation_read_map(const char *json_file, char *why, size_t size)
{
    char key[JSON_STRING];
    double map = -1;
    json_reader r;
    if (json_open(&r, json_file)) {
        for (json_begin(&r, '{'); json_more(&r, '}');) {
            /* "map" is never null here: detector map fails where it would be, without objects */
            if (json_key(&r, key) && !strcmp(key, "map"))
                map = json_number(&r);
            else
                json_skip(&r);
        }
        json_end(&r);
        if (!(map >= 0 && map <= 1)) json_fail(&r, "there is no \"map\" from 0 to 1");
    }
    json_close(&r);
    if (!r.error[0]) return map;
    snprintf(why, size, "%s", r.error);
    return -1;
}

/* Reads the first model of the list "models". */
static void read_models(json_reader *r, classifier_scores *scores)
{
    const struct {
        const char *key;
        double *value;
    } members[] = {{"top1", &scores->top1}, {"top_k", &scores->top_k}, {"nll", &scores->nll}, {"ece", &scores->ece}};
    enum { MEMBERS = sizeof members / sizeof *members };
    char key[JSON_STRING];
    int model = 0, i;
    for (json_begin(r, '['); json_more(r, ']'); ++model) {
        if (model) {
            json_skip(r);
            continue;
        }
        for (json_begin(r, '{'); json_more(r, '}');) {
            if (!json_key(r, key)) continue;
            for (i = 0; i < MEMBERS && strcmp(key, members[i].key);) ++i;
            if (i < MEMBERS)
                *members[i].value = json_number(r);
            else
                json_skip(r);
        }
    }
}

static int is_share(double value)
{
    return value >= 0 && value <= 1;
}

int validation_read_scores(const char *json_file, classifier_scores *scores, char *why, size_t size)
{
    char key[JSON_STRING];
    json_reader r;
    scores->top1 = scores->top_k = scores->nll = scores->ece = -1;
    if (json_open(&r, json_file)) {
        for (json_begin(&r, '{'); json_more(&r, '}');) {
            if (json_key(&r, key) && !strcmp(key, "models"))
                read_models(&r, scores);
            else
                json_skip(&r);
        }
        json_end(&r);
        if (!is_share(scores->top1) || !is_share(scores->top_k) || !is_share(scores->ece) || !(scores->nll >= 0))
            json_fail(&r, "there is no model with \"top1\", \"top_k\" and \"ece\" from 0 to 1 and a \"nll\"");
    }
    json_close(&r);
    if (!r.error[0]) return 0;
    snprintf(why, size, "%s", r.error);
    return -1;
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

/* Runs the command, with an option of its own unless `option` is NULL. Returns 0; or -1 with the reason in `why`. */
static int run_child(const validation_command *command, const validation_input *input, const char *json_file,
                     const char *option, const char *option_value, char *why, size_t size)
{
    char gpu[16];
    const char *argv[16] = {"darknet",       command->group, command->name, input->data_file,
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
    if (option) {
        argv[n++] = option;
        argv[n++] = option_value;
    }
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

double validation_map(const validation_input *input, char *why, size_t size)
{
    static const validation_command command = {"detector", "map", "mAP"};
    char *json_file = name_result(input);
    double map = -1;
    if (!run_child(&command, input, json_file, 0, 0, why, size)) map = validation_read_map(json_file, why, size);
    remove_result(json_file);
    return map;
}

int validation_scores(const validation_input *input, int k, classifier_scores *scores, char *why, size_t size)
{
    static const validation_command command = {"classifier", "metrics", "top-1"};
    char *json_file = name_result(input), number[16];
    int failed;
    snprintf(number, sizeof number, "%d", k);
    failed = run_child(&command, input, json_file, "-top", number, why, size);
    if (!failed) failed = validation_read_scores(json_file, scores, why, size);
    remove_result(json_file);
    return failed;
}
