#include "commands/compared_report.h"

#include "base/json_writer.h"
#include "base/numbers.h"

#include <math.h>
#include <string.h>

static void print_difference(const char *name, int width, const paired_difference *d)
{
    if (isnan(d->difference))
        printf(" %-*s     n/a \n", width, name);
    else
        printf(" %-*s %+7.2f [%+.2f, %+.2f] \n", width, name, 100 * d->difference, 100 * d->low, 100 * d->high);
}

void compared_report_text(const map_compared *c)
{
    char text[DECIMAL_TEXT];
    int k, width = 3;
    for (k = 0; k < c->classes; ++k)
        if ((int)strlen(c->names[k]) > width) width = (int)strlen(c->names[k]);
    printf("\n AP@%s less that of %s, in points, with its 95 %% interval by paired bootstrap over the %d images, %d "
           "samples \n",
           format_decimal(c->iou_threshold, 2, text), c->with, c->images, c->samples);
    for (k = 0; k < c->classes; ++k) print_difference(c->names[k], width, &c->difference[k]);
    print_difference("mAP", width, &c->difference[c->classes]);
}

static void put_difference(FILE *out, const paired_difference *d)
{
    json_put_member(out, "difference", d->difference);
    fputs(", ", out);
    json_put_member(out, "low", d->low);
    fputs(", ", out);
    json_put_member(out, "high", d->high);
}

void compared_report_json(FILE *out, const map_compared *c)
{
    int k;
    fputs("\"compared\": {", out);
    json_put_text_member(out, "with", c->with);
    fputs(", ", out);
    json_put_member(out, "iou_threshold", c->iou_threshold);
    fprintf(out, ", \"samples\": %d, ", c->samples);
    put_difference(out, &c->difference[c->classes]);
    fputs(", \"classes\": [", out);
    for (k = 0; k < c->classes; ++k) {
        fputs(k ? ",\n    {" : "\n    {", out);
        json_put_text_member(out, "name", c->names[k]);
        fputs(", ", out);
        put_difference(out, &c->difference[k]);
        fputc('}', out);
    }
    fputs("]}", out);
}
