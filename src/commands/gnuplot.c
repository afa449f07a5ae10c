#include "gnuplot.h"

#include "soft_labels.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

picture begin_picture(const char *png, int width, int height)
{
    picture p = {0, strdup(png), (char *)malloc(strlen(png) + 32)};
    if (!p.png || !p.temporary) fail("out of memory");
    sprintf(p.temporary, "%s.%ld.tmp", png, (long)getpid());
    signal(SIGPIPE, SIG_IGN); /* where gnuplot is missing, writing fails, and there is no picture in the end */
    /* The one line about an error is ours; and where it cannot write its file, it writes to its standard output. */
    p.pipe = popen("gnuplot >/dev/null 2>&1", "w");
    if (!p.pipe) fail("cannot start gnuplot");
    fprintf(p.pipe, "set terminal pngcairo noenhanced size %d,%d\nset output ", width, height);
    picture_text(p.pipe, p.temporary);
    fputc('\n', p.pipe);
    return p;
}

/* Inside single quotes only ' is special, and '' stands for it. */
void picture_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; ++text) {
        if (*text == '\'') fputc('\'', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

void end_picture(picture *p)
{
    if (pclose(p->pipe) || access(p->temporary, R_OK) || rename(p->temporary, p->png)) {
        unlink(p->temporary);
        fail("gnuplot could not write %s (install the package gnuplot-nox; is the folder there?)", p->png);
    }
    free(p->png);
    free(p->temporary);
}
