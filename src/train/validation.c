/* Runs `detector map` as a child process and reads its result. */
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

/* ---- The child --------------------------------------------------------------------------------------------------- */

/* Where stderr is not a terminal. A shorter evaluation prints no progress. */
static const double seconds_between_lines = 10;

typedef struct {
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
        fprintf(stderr, "%smAP: %s%s", o->is_terminal ? "\r" : "", text, o->is_terminal ? "   " : "\n");
        o->line_open = o->is_terminal;
    } else if (*text) { /* if the child fails, the last line says why */
        if (!strncmp(text, prefix, sizeof prefix - 1)) text += sizeof prefix - 1;
        snprintf(o->last_message, sizeof o->last_message, "%s", text);
    }
}

double validation_map(const char *data_file, const char *cfg_file, const char *weights, int gpu, char *why, size_t size)
{
    static const char ending[] = ".map.json";
    char *json_file = (char *)xmalloc(strlen(weights) + sizeof ending), number[16];
    char *argv[] = {(char *)"darknet",
                    (char *)"detector",
                    (char *)"map",
                    (char *)data_file,
                    (char *)cfg_file,
                    (char *)weights,
                    (char *)"-json",
                    json_file,
                    gpu < 0 ? (char *)"-nogpu" : (char *)"-i",
                    gpu < 0 ? 0 : number,
                    0};
    child_output output;
    double map = -1;
    int status;
    memset(&output, 0, sizeof output);
    output.is_terminal = isatty(2);
    output.last_line = monotonic_seconds();
    snprintf(number, sizeof number, "%d", gpu);
    strcat(strcpy(json_file, weights), ending);
    /* The running program, even if another one has been built in its place. */
    status = child_run("/proc/self/exe", argv, -1, read_line, &output);
    if (output.line_open) fputc('\n', stderr);
    if (!status)
        map = validation_read_map(json_file, why, size);
    else if (status < 0)
        snprintf(why, size, "detector map could not be started: %s", strerror(errno));
    else if (status >= 128)
        snprintf(why, size, "detector map was ended by signal %d", status - 128);
    else
        snprintf(why, size, "%s", output.last_message[0] ? output.last_message : "detector map said nothing");
    unlink(json_file);
    free(json_file);
    return map;
}
