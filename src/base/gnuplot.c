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
    memset(p, 0, sizeof *p);
    p->png = xstrdup(png);
    p->script = open_memstream(&p->text, &p->size);
    if (!p->script) die("out of memory");
    fprintf(p->script, "set terminal pngcairo noenhanced size %d,%d\n", width, height);
}

/* In a single-quoted string of gnuplot only the quote itself is special; it is doubled, as `doubled` says. A line break
 * would end the string, and what follows it would be a command. */
static void put_quoted(FILE *script, const char *text, const char *doubled)
{
    fputc('\'', script);
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        if (strchr(doubled, c)) fputc(c, script);
        fputc(c < ' ' || c == 127 ? ' ' : c, script);
    }
    fputc('\'', script);
}

void gnuplot_quote(FILE *script, const char *text)
{
    put_quoted(script, text, "'");
}

void gnuplot_quote_tic(FILE *script, const char *text)
{
    put_quoted(script, text, "'%");
}

void gnuplot_quote_file(gnuplot_picture *p, const char *path)
{
    if (!p->data) p->data = fopen(path, "r");
    if (!p->data) p->error = errno;
    fprintf(p->script, "'/dev/fd/%d'", p->data ? fileno(p->data) : -1);
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

/* Draws to the open file `png`. gnuplot gets no path, in which it would find formats and commands ("%d", "| sh"). The
 * script is a file and not a pipe, because gnuplot may exit before it has read everything, and writing to its pipe
 * would then fail. */
static const char *draw(FILE *png, const char *text, size_t size)
{
    const char *error = 0;
    FILE *file = tmpfile();
    if (!file) return strerror(errno);
    fprintf(file, "set output '/dev/fd/%d'\n", fileno(png));
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
        error = p->error ? strerror(p->error) : draw(picture.stream, p->text, p->size);
        if (!error && !atomic_writes_through(&picture)) error = find_end(picture.temporary);
        if (error)
            atomic_discard(&picture);
        else
            status = atomic_commit(&picture);
    }
    if (status) error = strerror(status);
    if (p->data) fclose(p->data);
    free(p->text);
    free(p->png);
    return error;
}
