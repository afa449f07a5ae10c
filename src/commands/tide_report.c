#include "commands/tide_report.h"

#include "base/json_writer.h"

void tide_report_text(const error_split *s, const split_options *options)
{
    int k;
    printf("\n errors by TIDE: points of AP that would be gained without them; boxes of any score, the best %lu of an "
           "image \n",
           (unsigned long)options->max_detections);
    printf(" %6s", "");
    for (k = 0; k < ERROR_KINDS; ++k) printf(" %6s", error_kind_name((error_kind)k));
    printf("   FalsePos FalseNeg \n %6s", "dAP");
    for (k = 0; k < ERROR_KINDS; ++k) printf(" %6.2f", 100 * s->gain[k]);
    printf("   %8.2f %8.2f \n %6s", 100 * s->without_false_positives, 100 * s->without_false_negatives, "number");
    for (k = 0; k < ERROR_KINDS; ++k) printf(" %6lu", (unsigned long)s->count[k]);
    printf(" \n AP that these start from = %.2f %%: IoU %g, 101 points, a class without objects counts as 0 \n",
           100 * s->ap, options->foreground);
}

void tide_report_json(FILE *out, const error_split *s, const split_options *options)
{
    int k;
    fprintf(out,
            "\"tide\": {\"foreground\": %.17g, \"background\": %.17g, \"max_detections\": %lu, \"ap\": %.17g,\n    ",
            options->foreground, options->background, (unsigned long)options->max_detections, s->ap);
    fputs("\"dap\": {", out);
    for (k = 0; k < ERROR_KINDS; ++k) {
        json_put_member(out, error_kind_name((error_kind)k), s->gain[k]);
        fputs(", ", out);
    }
    fprintf(out, "\"FalsePos\": %.17g, \"FalseNeg\": %.17g},\n    \"count\": {", s->without_false_positives,
            s->without_false_negatives);
    for (k = 0; k < ERROR_KINDS; ++k)
        fprintf(out, "%s\"%s\": %lu", k ? ", " : "", error_kind_name((error_kind)k), (unsigned long)s->count[k]);
    fputs("}}", out);
}
