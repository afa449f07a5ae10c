#include "train/validation.h"

#include "base/child_process.h"
#include "base/progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An evaluation that is over before says nothing on the way. */
static const double seconds_between_lines = 10;

int validation_read_map(const char *line, double *map)
{
    static const char begin[] = " mean average precision (mAP@0.50) = ";
    char *end;
    if (strncmp(line, begin, sizeof begin - 1)) return 0;
    line += sizeof begin - 1;
    *map = strtod(line, &end);
    return end != line && *map >= 0 && *map <= 1;
}

typedef struct {
    double map, shown;
    int tty, open; /* the terminal's line has no end yet */
    char error[512];
} listener;

static void listen(void *context, char *text)
{
    listener *l = (listener *)context;
    double map;
    if (validation_read_map(text, &map)) {
        l->map = map;
    } else if (is_progress_line(text)) {
        if (monotonic_seconds() - l->shown < (l->tty ? .5 : seconds_between_lines)) return;
        l->shown = monotonic_seconds();
        fprintf(stderr, "%smAP: %s%s", l->tty ? "\r" : "", text, l->tty ? "   " : "\n");
        l->open = l->tty;
    } else if (*text) { /* where it fails, the last line says why */
        static const char name[] = "darknet: ";
        snprintf(l->error, sizeof l->error, "%s", text + (strncmp(text, name, sizeof name - 1) ? 0 : sizeof name - 1));
    }
}

double validation_map(const char *data_file, const char *cfg_file, const char *weights, int gpu, char *why,
                      unsigned long size)
{
    char number[16];
    char *argv[] = {(char *)"darknet",
                    (char *)"detector",
                    (char *)"map",
                    (char *)data_file,
                    (char *)cfg_file,
                    (char *)weights,
                    gpu < 0 ? (char *)"-nogpu" : (char *)"-i",
                    gpu < 0 ? 0 : number,
                    0};
    static listener l;
    int status;
    memset(&l, 0, sizeof l);
    l.map = -1;
    l.tty = isatty(2);
    l.shown = monotonic_seconds();
    snprintf(number, sizeof number, "%d", gpu);
    /* This very program, even if another has been built in its place since. */
    status = child_run("/proc/self/exe", argv, -1, listen, &l);
    if (l.open) fputc('\n', stderr);
    if (!status && l.map >= 0) return l.map;
    if (status < 0)
        snprintf(why, size, "detector map could not be started: %s", strerror(errno));
    else if (status >= 128)
        snprintf(why, size, "detector map was ended by signal %d", status - 128);
    else
        snprintf(why, size, "%s", l.error[0] ? l.error : "detector map said nothing");
    return -1;
}
