#include "base/output_file.h"

#include "base/error.h"

#include <string.h>

FILE *output_open(output_file *o, const char *path)
{
    o->path = path;
    o->error = atomic_open(&o->file, path);
    return o->error ? 0 : o->file.stream;
}

int output_close(output_file *o)
{
    if (!o->error) o->error = atomic_commit(&o->file);
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
