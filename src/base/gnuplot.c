/* Writes a gnuplot script and runs gnuplot on it. */
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

/* In a single-quoted string of gnuplot only the quote itself is special; it is doubled. */
void gnuplot_quote(FILE *script, const char *text)
{
    fputc('\'', script);
    for (; *text; ++text) {
        if (*text == '\'') fputc('\'', script);
        fputc(*text, script);
    }
    fputc('\'', script);
}

/* The last line of output that has more than blanks and the ^ that marks a position: gnuplot's error message. */
typedef struct {
    char text[512];
} last_line;

static void keep_line(void *context, char *text)
{
    last_line *last = (last_line *)context;
    if (strspn(text, " \t^") < strlen(text)) snprintf(last->text, sizeof last->text, "%s", text);
}

/* Runs the script in `file`. Returns NULL or an error message. */
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

/* Finds a picture that is cut off: on a full disk gnuplot writes a part of it and ends as if it was whole. Returns NULL
 * or an error message. */
static const char *find_end(const char *png)
{
    static const char end[] = "IEND\xae\x42\x60\x82"; /* the type and the checksum of a PNG's last chunk */
    enum { END = sizeof end - 1 };
    char last[END];
    FILE *file = fopen(png, "rb");
    int whole;
    if (!file) return strerror(errno);
    whole = !fseek(file, -(long)END, SEEK_END) && fread(last, 1, END, file) == END && !memcmp(last, end, END);
    fclose(file);
    return whole ? 0 : "gnuplot could not write all of it; the disk may be full";
}

/* Draws to a temporary file. The script is a file and not a pipe, because gnuplot may exit before it has read
 * everything, and writing to its pipe would then fail. */
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
    /* Opening the file first finds a path that cannot be written to. gnuplot itself would not fail: it would write the
     * picture to its stdout. */
    int status = atomic_open(&picture, p->png);
    fclose(p->script);
    if (!status) {
        error = draw(picture.temporary, p->text, p->size);
        if (!error) error = find_end(picture.temporary);
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
