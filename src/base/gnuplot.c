#include "base/gnuplot.h"

#include "base/atomic_file.h"
#include "base/child_process.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gnuplot_begin(gnuplot_picture *p, const char *png, int width, int height)
{
    p->png = xstrdup(png);
    p->script = open_memstream(&p->text, &p->size);
    if (!p->script) die("out of memory");
    fprintf(p->script, "set terminal pngcairo noenhanced size %d,%d\n", width, height);
}

/* Inside single quotes only ' is special, and '' stands for it. */
void gnuplot_quote(FILE *script, const char *text)
{
    fputc('\'', script);
    for (; *text; ++text) {
        if (*text == '\'') fputc('\'', script);
        fputc(*text, script);
    }
    fputc('\'', script);
}

/* gnuplot's message is the last line that is not empty and does not only point at a place (^). */
typedef struct {
    char text[512];
} last_line;

static void keep_line(void *context, char *text)
{
    last_line *last = (last_line *)context;
    if (strspn(text, " \t^") < strlen(text)) snprintf(last->text, sizeof last->text, "%s", text);
}

/* Runs a script that is in a file. NULL, or what went wrong. */
static const char *run_gnuplot(FILE *file)
{
    static last_line said;
    char *argv[] = {(char *)"gnuplot", 0};
    int status;
    said.text[0] = 0;
    status = child_run("gnuplot", argv, fileno(file), keep_line, &said);
    if (status < 0) return errno == ENOENT ? "gnuplot is missing: install gnuplot-nox" : strerror(errno);
    if (status > 0) return said.text[0] ? said.text : "gnuplot failed";
    return 0;
}

/* gnuplot reads a file of commands, not a pipe: it may end before it has read everything. */
static const char *draw(const char *temporary_png, const char *text, size_t size)
{
    const char *error = 0;
    FILE *file = tmpfile();
    if (!file) return strerror(errno);
    fputs("set output ", file);
    gnuplot_quote(file, temporary_png);
    fputc('\n', file);
    fwrite(text, 1, size, file);
    if (fflush(file) || ferror(file)) error = strerror(errno);
    rewind(file);
    if (!error) error = run_gnuplot(file);
    fclose(file);
    return error;
}

const char *gnuplot_end(gnuplot_picture *p)
{
    atomic_file picture;
    const char *error = 0;
    /* Where gnuplot cannot write its file, it writes the picture to its standard output: this is known before. */
    int status = atomic_open(&picture, p->png);
    fclose(p->script);
    if (!status) {
        error = draw(picture.temporary, p->text, p->size);
        if (error)
            atomic_discard(&picture);
        else
            status = atomic_commit(&picture);
    }
    if (status) error = strerror(status);
    free(p->text);
    free(p->png);
    return error;
}
