#include "base/output_file.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

FILE *output_open(output_file *o, const char *path)
{
    memset(o, 0, sizeof *o);
    o->path = path;
    o->error = atomic_open(&o->file, path);
    return o->error ? 0 : o->file.stream;
}

FILE *output_open_or_stdout(output_file *o, const char *path)
{
    if (strcmp(path, "-")) return output_open(o, path);
    memset(o, 0, sizeof *o);
    o->path = "the result";
    o->is_stdout = 1;
    return stdout;
}

int output_close(output_file *o)
{
    if (o->is_stdout)
        o->error = fflush(stdout) || ferror(stdout) ? errno : 0;
    else if (!o->error)
        o->error = atomic_commit(&o->file);
    return o->error ? report_error("cannot write %s: %s", o->path, strerror(o->error)) : 0;
}

void csv_put_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; ++text) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}
